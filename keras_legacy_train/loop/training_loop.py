"""The loop: what happens between the first step and the last, and who is told."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train.errors import NanLossDuringTrainingError, NoProgressError
from keras_legacy_train.loop.callback_list import Observers
from keras_legacy_train.loop.epochs import Epochs
from keras_legacy_train.loop.schedule import WindowSize
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Program, Steps

_LOGGER = logging.getLogger("keras_legacy_train")


class TrainingLoop:
    """Runs a program's steps, in windows where nobody watches.

    Args:
        program: What a step is.
        observers: Who is told, in order.
        max_window: Largest number of steps in one call.
        epochs: Which steps make an epoch; by default all of them make one.
        recover: Restores the newest checkpoint, after an `AbortedError` or `UnavailableError`.

    Attributes:
        step: The global step now.
        loss: Loss of the last completed step, `None` before the first.
    """

    MAX_RUNS_WITHOUT_PROGRESS = 1_000
    MAX_RECOVERIES_WITHOUT_PROGRESS = 5
    # A window with fewer samples, or a training with fewer such windows, does without.
    MIN_SAMPLES = 8
    MIN_SAMPLED_WINDOWS = 4

    def __init__(
        self,
        program: Program,
        observers: Observers,
        max_window: int,
        epochs: Epochs | None = None,
        recover: Callable[[], None] | None = None,
    ):
        self.step = program.global_step()
        self.loss: Any = None
        self._program = program
        self._recover = recover
        self._observers = observers
        self._window_size = WindowSize(max_window)
        self._epochs = Epochs() if epochs is None else epochs
        self._in_epoch = False
        self._has_sampled = False
        self._has_stalled = False
        self._runs_without_progress = 0

    def run(self, until: float) -> Any:
        """Runs steps until the global step has reached `until`, or something else ends it.

        Returns:
            The loss of the last completed step, a NumPy scalar; `None` if no step ran.
        """
        observers = self._observers
        errors: list[BaseException] = []
        try:
            observers.train_begin()
            reason = self._run_and_recover(until)
        except BaseException as error:  # re-raised below, after everybody has been told
            errors.append(error)
            reason = _reason(error)

        errors += observers.loop_end(reason)
        if self._in_epoch and not errors:
            try:
                self._end_epoch()
            except Exception as error:
                errors.append(error)
        errors += observers.train_end()
        for other in errors[1:]:
            _LOGGER.error("Also raised at the end of training: %r", other, exc_info=other)
        if errors:
            raise errors[0]
        return self.loss

    def _run_and_recover(self, until: float) -> StopReason:
        """Runs the epochs, again from the newest checkpoint when what they run on was lost for a moment."""
        lost_at, attempts = -1, 0
        while True:
            try:
                return self._run_epochs(until)
            except (tf.errors.AbortedError, tf.errors.UnavailableError) as error:
                attempts = 1 if self.step > lost_at else attempts + 1
                if self._recover is None or attempts > self.MAX_RECOVERIES_WITHOUT_PROGRESS:
                    raise
                lost_at = max(lost_at, self.step)
                _LOGGER.warning(
                    "Step %d failed; going on from the newest checkpoint. %s", self.step + 1, error
                )
                self._recover()
                self.step = self._program.global_step()

    def _run_epochs(self, until: float) -> StopReason:
        epochs, observers = self._epochs, self._observers
        while self.step < until and epochs.number < epochs.count:
            epochs.goes_on = self.step != epochs.start
            if not epochs.goes_on:
                self._program.begin_epoch()
            observers.epoch_begin(epochs.number)
            self._in_epoch = True
            reason = self._run_steps_until(min(until, epochs.end))
            input_ended = reason is StopReason.END_OF_INPUT
            if not input_ended and self.step < epochs.end:
                return reason
            has_steps = self.step > epochs.start
            if has_steps:
                self._end_epoch()
            self._in_epoch = False
            if input_ended and not (has_steps and epochs.repeats_input):
                return reason
            epochs.advance(self.step)
            if observers.stop_requested:
                return StopReason.CALLBACK
        return StopReason.TARGET

    def _end_epoch(self) -> None:
        self._observers.epoch_end(self._epochs.number, self._program.epoch_logs())

    def _run_steps_until(self, until: float) -> StopReason:
        try:
            return self._run_steps(until)
        except (StopIteration, tf.errors.OutOfRangeError) as end:
            log = _LOGGER.debug if self._epochs.repeats_input else _LOGGER.info
            log("The input has ended after step %d: %s", self.step, type(end).__name__)
            return StopReason.END_OF_INPUT

    def _run_steps(self, until: float) -> StopReason:
        program, observers = self._program, self._observers
        while self.step < until:
            watched = observers.next_step(self.step)
            if watched > self.step + 1:
                steps = program.run_window(min(watched - 1, until), self._window_size())
                self._window_size.took(len(steps), steps.seconds)
            elif (run_sampled := self._sampler(until)) is not None:
                steps = run_sampled()
                self._window_size.took(len(steps), steps.seconds)
            else:
                if self.loss is None and observers.next_step(self.step + 1) > self.step + 2:
                    program.windows_follow()
                batch = program.next_batch()
                requests = observers.step_begin(self.step + 1)
                steps = program.run_step(batch, requests)
                observers.step_end(self.step + 1, steps.outputs)
            self._note(steps)
            observers.steps_end(steps)
            if steps.error is not None:
                raise steps.error
            if observers.stop_requested:
                return StopReason.CALLBACK
        return StopReason.TARGET

    def _sampler(self, until: float) -> Callable[[], Steps] | None:
        """What runs many steps in one call although the next one is watched.

        It is possible where all who watch need only be told afterwards of some steps at equal distances, and
        worth the making of another function where so many steps fit into a window, and come after it.
        """
        at_most = self._window_size()
        sampling = self._observers.sampling(self.step) if at_most > self.MIN_SAMPLES else None
        if sampling is None:
            return None
        left = min(until, sampling.last) - self.step
        if min(at_most, left) < self.MIN_SAMPLES * sampling.every:
            return None
        if not self._has_sampled and left < self.MIN_SAMPLED_WINDOWS * at_most:
            return None
        run = self._program.sampler(sampling.every, sampling.requests)
        self._has_sampled = run is not None
        return None if run is None else functools.partial(run, int(min(at_most, left)))

    def _note(self, steps: Steps) -> None:
        """Takes over where the steps have led, and counts the runs that led nowhere."""
        if not len(steps):
            return
        self.loss = steps.losses[-1]
        if steps.last > self.step:
            self._runs_without_progress = 0
        else:
            if not self._has_stalled:
                self._has_stalled = True  # once is enough: it can be gradient accumulation
                _LOGGER.error(
                    "Global step %r was not incremented by train op at step %d.",
                    self._program.global_step_name,
                    self.step,
                )
            self._runs_without_progress += len(steps)
            if self._runs_without_progress >= self.MAX_RUNS_WITHOUT_PROGRESS:
                raise NoProgressError(self._program.global_step_name, self._runs_without_progress)
        self.step = steps.last


def _reason(error: BaseException) -> StopReason:
    if isinstance(error, (NanLossDuringTrainingError, tf.compat.v1.train.NanLossDuringTrainingError)):
        return StopReason.NAN
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        return StopReason.INTERRUPTED
    return StopReason.ERROR
