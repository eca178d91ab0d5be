"""Everybody who watches a run, addressed as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from keras_legacy_train.loop.schedule import Sampling, next_watched
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps


class Observer(Protocol):
    """What the loop calls; `keras_legacy_train.callbacks.LoopCallback` documents each hook."""

    model: Any

    @property
    def looks_back(self) -> bool: ...

    def next_step(self, step: int) -> float: ...

    def sampling(self, step: int) -> Sampling | None: ...

    def on_train_begin(self, logs: Any = None) -> None: ...

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None: ...

    def on_step_begin(self, step: int) -> Iterable[Any]: ...

    def on_step_end(self, step: int, outputs: Any) -> bool: ...

    def on_steps_end(self, steps: Steps) -> None: ...

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None: ...

    def on_loop_end(self, reason: StopReason) -> None: ...

    def on_train_end(self, logs: Any = None) -> None: ...


class Observers:
    """Calls each observer in order.

    Attributes:
        stop_requested: Whether one of them has asked to stop.
    """

    def __init__(self, observers: Sequence[Observer]):
        self._observers = list(observers)
        self._models = [observer.model for observer in observers if observer.model is not None]
        self._asked_to_stop = False

    @property
    def stop_requested(self) -> bool:
        return self._asked_to_stop or any(model.stop_training for model in self._models)

    def train_begin(self) -> None:
        for observer in self._observers:
            observer.on_train_begin()

    def epoch_begin(self, epoch: int) -> None:
        for observer in self._observers:
            observer.on_epoch_begin(epoch)

    def next_step(self, step: int) -> float:
        """The first step after `step` that one of them wants to see."""
        return next_watched(step, (observer.next_step(step) for observer in self._observers))

    def sampling(self, step: int) -> Sampling | None:
        """What to keep of the steps after `step`, if all who want to see the first need not be there."""
        wanted = [(observer.next_step(step), observer) for observer in self._observers]
        samplings = []
        for number, observer in wanted:
            if number <= step + 1:
                sampling = observer.sampling(step + 1)
                if sampling is None:
                    return None
                samplings.append(sampling)
        if len({sampling.every for sampling in samplings}) != 1:
            return None
        requests = [request for sampling in samplings for request in sampling.requests]
        ends = [number - 1 for number, _ in wanted if number > step + 1]
        return Sampling(samplings[0].every, requests, min([*ends, *(each.last for each in samplings)]))

    def step_begin(self, step: int) -> list[Any]:
        """Returns what they ask to be computed."""
        return [request for observer in self._observers for request in observer.on_step_begin(step)]

    def step_end(self, step: int, outputs: Any) -> None:
        for observer in self._observers:
            self._asked_to_stop |= bool(observer.on_step_end(step, outputs))

    def steps_end(self, steps: Steps) -> None:
        if not len(steps):
            return
        if steps.pieces:
            self._look_back(steps.pieces)
        for observer in self._observers:
            if not (steps.pieces and observer.looks_back):
                observer.on_steps_end(steps)

    def _look_back(self, pieces: Iterable[Steps]) -> None:
        """Tells those who need not have been there of one piece after the other."""
        observers = Observers([observer for observer in self._observers if observer.looks_back])
        for piece in pieces:
            if piece.outputs is not None:
                observers.step_begin(piece.last)
                observers.step_end(piece.last, piece.outputs)
            observers.steps_end(piece)
        self._asked_to_stop |= observers.stop_requested

    def epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """They may add to the logs, for those behind them to see."""
        for observer in self._observers:
            observer.on_epoch_end(epoch, logs)

    def loop_end(self, reason: StopReason) -> list[BaseException]:
        """Returns what they raised; each is called whatever the others did."""
        return _call_each(lambda observer: observer.on_loop_end(reason), self._observers)

    def train_end(self) -> list[BaseException]:
        """Returns what they raised; each is called whatever the others did."""
        return _call_each(lambda observer: observer.on_train_end(), self._observers)


def _call_each(call: Callable[[Observer], None], observers: Iterable[Observer]) -> list[BaseException]:
    errors: list[BaseException] = []
    for observer in observers:
        try:
            call(observer)
        except BaseException as error:  # handed to the loop, which raises the first
            errors.append(error)
    return errors
