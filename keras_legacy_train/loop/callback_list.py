"""Calls the callbacks of a run, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.schedule import Sampling, next_watched
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps


class CallbackList:
    """Calls each callback in order.

    Args:
        callbacks: The callbacks.
    """

    def __init__(self, callbacks: Sequence[LoopCallback]):
        self._callbacks = list(callbacks)
        self._models = [callback.model for callback in callbacks if callback.model is not None]
        self._asked_to_stop = False

    @property
    def stop_requested(self) -> bool:
        """Returns whether a callback has asked to stop, by its answer or by `model.stop_training`."""
        return self._asked_to_stop or any(model.stop_training for model in self._models)

    def train_begin(self) -> None:
        for callback in self._callbacks:
            callback.on_train_begin()

    def epoch_begin(self, epoch: int) -> None:
        for callback in self._callbacks:
            callback.on_epoch_begin(epoch)

    def next_step(self, step: int) -> float:
        """Returns the first step after `step` that one of them wants to see."""
        return next_watched(step, (callback.next_step(step) for callback in self._callbacks))

    def sampling(self, step: int) -> Sampling | None:
        """Returns what to keep of the steps after `step`, if all who want to see the first can look back."""
        wanted = [(callback.next_step(step), callback) for callback in self._callbacks]
        samplings = []
        for number, callback in wanted:
            if number <= step + 1:
                sampling = callback.sampling(step + 1)
                if sampling is None:
                    return None
                samplings.append(sampling)
        if len({sampling.every for sampling in samplings}) != 1:
            return None
        requests = [request for sampling in samplings for request in sampling.requests]
        ends = [number - 1 for number, _ in wanted if number > step + 1]
        return Sampling(samplings[0].every, requests, min([*ends, *(each.last for each in samplings)]))

    def step_begin(self, step: int) -> list[Any]:
        """Returns all that they request."""
        return [request for callback in self._callbacks for request in callback.on_step_begin(step)]

    def step_end(self, step: int, outputs: Any) -> None:
        for callback in self._callbacks:
            self._asked_to_stop |= bool(callback.on_step_end(step, outputs))

    def steps_end(self, steps: Steps) -> None:
        if not len(steps):
            return
        if steps.pieces:
            self._look_back(steps.pieces)
        for callback in self._callbacks:
            if not (steps.pieces and callback.looks_back):
                self._asked_to_stop |= callback.on_steps_end(steps) is True

    def _look_back(self, pieces: Iterable[Steps]) -> None:
        """Tells those who look back of one piece after the other."""
        callbacks = CallbackList([callback for callback in self._callbacks if callback.looks_back])
        for piece in pieces:
            if piece.outputs is not None:
                callbacks.step_begin(piece.last)
                callbacks.step_end(piece.last, piece.outputs)
            callbacks.steps_end(piece)
        self._asked_to_stop |= callbacks.stop_requested

    def epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        """Calls them with the logs, to which they may add for those behind them."""
        for callback in self._callbacks:
            callback.on_epoch_end(epoch, logs)

    def loop_end(self, reason: StopReason) -> list[BaseException]:
        """Calls each, whatever the others do; returns what they raised."""
        return _call_each(lambda callback: callback.on_loop_end(reason), self._callbacks)

    def train_end(self) -> list[BaseException]:
        """Calls each, whatever the others do; returns what they raised."""
        return _call_each(lambda callback: callback.on_train_end(), self._callbacks)


def _call_each(
    call: Callable[[LoopCallback], None], callbacks: Iterable[LoopCallback]
) -> list[BaseException]:
    errors: list[BaseException] = []
    for callback in callbacks:
        try:
            call(callback)
        except BaseException as error:  # handed to the loop, which raises the first
            errors.append(error)
    return errors
