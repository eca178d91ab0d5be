"""Runs a training's steps, and tells the callbacks."""

from __future__ import annotations

import logging
from typing import Any

import tensorflow as tf

from keras_legacy_train.errors import NoProgressError
from keras_legacy_train.loop.agreement import Agreement
from keras_legacy_train.loop.callback_list import CallbackList
from keras_legacy_train.loop.progress import Epochs, Progress
from keras_legacy_train.loop.recovery import MAX_RECOVERIES_WITHOUT_PROGRESS, Recovery
from keras_legacy_train.loop.schedule import SamplingPolicy
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Program, Steps
from keras_legacy_train.programs.window_size import WindowSize

_LOGGER = logging.getLogger("keras_legacy_train")


class TrainingLoop:
    """Runs a program's steps, in windows where nobody watches.

    Args:
        program: What a step is.
        callbacks: Who is told, in order.
        max_window: Largest number of steps in one call.
        progress: Where the training stands; the loop moves it on.
        epochs: Which steps make an epoch; by default all of them make one.
        recovery: Brings back what was lost, and sets the progress; `None` where that is not possible.
        agreement: Has all processes of a training do the same; by default there is one.

    Attributes:
        progress: As given.
        loss: Loss of the last completed step, `None` before the first.
        reason: Why the last run has ended, `None` before its end.
    """

    MAX_RUNS_WITHOUT_PROGRESS = 1_000

    def __init__(
        self,
        program: Program,
        callbacks: CallbackList,
        max_window: int,
        progress: Progress,
        epochs: Epochs | None = None,
        recovery: Recovery | None = None,
        agreement: Agreement | None = None,
    ):
        self.progress = progress
        self.loss: Any = None
        self.reason: StopReason | None = None
        self._program = program
        self._callbacks = callbacks
        self._epochs = epochs or Epochs()
        self._recovery = recovery
        self._agreement = agreement or Agreement()
        self._window_size = WindowSize(max_window)
        self._sampling_policy = SamplingPolicy()
        self._in_epoch = False
        self._has_stalled = False
        self._runs_without_progress = 0

    def run(self, target_step: float) -> Any:
        """Runs steps until the global step has reached `target_step`, or something else ends the training.

        Returns:
            The loss of the last completed step, a NumPy scalar; `None` if no step ran.
        """
        callbacks = self._callbacks
        errors: list[BaseException] = []
        try:
            callbacks.train_begin()
            reason = self._run_and_recover(target_step)
        except BaseException as error:  # re-raised below, after everybody has been told
            errors.append(error)
            reason = _reason(error)

        self.reason = reason
        errors += callbacks.loop_end(reason)
        if self._in_epoch and not errors:
            try:
                self._end_epoch()
            except Exception as error:
                errors.append(error)
        errors += callbacks.train_end()
        for other in errors[1:]:
            _LOGGER.error("Also raised at the end of training: %r", other, exc_info=other)
        if errors:
            raise errors[0]
        return self.loss

    def _run_and_recover(self, target_step: float) -> StopReason:
        """Runs the epochs, again from the newest checkpoint when what they run on was lost for a moment."""
        lost_at, attempts = -1, 0
        while True:
            try:
                if self._recovery is not None and attempts:
                    self._recovery.restore()
                return self._run_epochs(target_step)
            except Exception as error:
                if self._recovery is None or not self._recovery.is_possible(error):
                    raise
                step = self.progress.step
                attempts = 1 if step > lost_at else attempts + 1
                if attempts > MAX_RECOVERIES_WITHOUT_PROGRESS:
                    raise
                lost_at = max(lost_at, step)
                _LOGGER.warning("Step %d failed; going on from the newest checkpoint. %s", step + 1, error)

    def _run_epochs(self, target_step: float) -> StopReason:
        epochs, progress, callbacks = self._epochs, self.progress, self._callbacks
        while progress.step < target_step and progress.epoch < epochs.count:
            if not progress.continues_epoch:
                self._program.begin_epoch()
            callbacks.epoch_begin(progress.epoch)
            self._in_epoch = True
            epoch_end = epochs.end(progress)
            reason = self._run_steps_until(min(target_step, epoch_end))
            input_ended = reason is StopReason.END_OF_INPUT
            if not input_ended and progress.step < epoch_end:
                return reason
            has_steps = progress.continues_epoch
            if has_steps:
                self._end_epoch()
            self._in_epoch = False
            if input_ended and not (has_steps and epochs.repeats_input):
                return reason
            progress.begin_next_epoch()
            if self._agreement.any(callbacks.stop_requested):
                return StopReason.CALLBACK
        return StopReason.TARGET

    def _end_epoch(self) -> None:
        self._callbacks.epoch_end(self.progress.epoch, self._program.epoch_logs())

    def _run_steps_until(self, target_step: float) -> StopReason:
        try:
            return self._run_steps(target_step)
        except (StopIteration, tf.errors.OutOfRangeError) as end:
            log = _LOGGER.debug if self._epochs.repeats_input else _LOGGER.info
            log("The input has ended after step %d: %s", self.progress.step, type(end).__name__)
            return StopReason.END_OF_INPUT

    def _run_steps(self, target_step: float) -> StopReason:
        callbacks, progress = self._callbacks, self.progress
        while progress.step < target_step:
            watched, window = self._agreement.plan(callbacks.next_step(progress.step), self._window_size())
            if watched > progress.step + 1:
                steps = self._run_window(min(watched - 1, target_step), window)
            else:
                sampled = self._run_sampled(target_step)
                steps = self._run_watched() if sampled is None else sampled
            self._move_on(steps)
            callbacks.steps_end(steps)
            if steps.error is not None:
                raise steps.error
            if self._agreement.any(callbacks.stop_requested):
                return StopReason.CALLBACK
        return StopReason.TARGET

    def _run_window(self, target_step: float, at_most: int) -> Steps:
        """Runs steps that nobody watches in one call."""
        steps = self._program.run_window(self.progress.step, target_step, at_most)
        self._window_size.took(len(steps), steps.seconds)
        return steps

    def _run_watched(self) -> Steps:
        """Runs the next step alone, between the hooks of those who watch it."""
        program, callbacks, step = self._program, self._callbacks, self.progress.step
        if self.loss is None and callbacks.next_step(step + 1) > step + 2:
            program.windows_follow()
        batch = program.next_batch()
        requests = callbacks.step_begin(step + 1)
        steps = program.run_step(step, batch, requests)
        callbacks.step_end(step + 1, steps.outputs)
        return steps

    def _run_sampled(self, target_step: float) -> Steps | None:
        """Runs many steps in one call although the next one is watched, if all who watch can look back.

        Returns:
            `None` if that is not possible, or not worth it: then no step was run.
        """
        step, window = self.progress.step, self._window_size()
        sampling = self._callbacks.sampling(step) if self._sampling_policy.may_sample(window) else None
        if sampling is None:
            return None
        at_most = self._sampling_policy.steps(sampling, min(target_step, sampling.last) - step, window)
        if not at_most:
            return None
        run = self._program.sampler(sampling.every, sampling.requests)
        self._sampling_policy.note(run is not None)
        if run is None:
            return None
        steps = run(step, at_most)
        self._window_size.took(len(steps), steps.seconds)
        return steps

    def _move_on(self, steps: Steps) -> None:
        """Moves the progress on, and counts the runs that led nowhere."""
        if not len(steps):
            return
        self.loss = steps.losses[-1]
        if steps.last > self.progress.step:
            self._runs_without_progress = 0
        else:
            if not self._has_stalled:
                self._has_stalled = True  # once is enough: it can be gradient accumulation
                _LOGGER.error(
                    "Global step %r was not incremented by train op at step %d.",
                    self._program.global_step_name,
                    self.progress.step,
                )
            self._runs_without_progress += len(steps)
            if self._runs_without_progress >= self.MAX_RUNS_WITHOUT_PROGRESS:
                raise NoProgressError(self._program.global_step_name, self._runs_without_progress)
        self.progress.step = steps.last


def _reason(error: BaseException) -> StopReason:
    """Returns the way in which an error ends a run."""
    if isinstance(error, tf.compat.v1.train.NanLossDuringTrainingError):
        return StopReason.NAN
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        return StopReason.INTERRUPTED
    return StopReason.ERROR
