"""Writes the `training step` lines of the log."""

from __future__ import annotations

import logging

from keras_legacy_train import arguments
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.schedule import EveryNSteps
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps

_LOGGER = logging.getLogger("keras_legacy_train")


class StepLogger(LoopCallback):
    """Logs `training step 10, loss = 1.00000 (0.002 sec/batch).` at INFO.

    The steps of a window are logged when it has ended, each with the window's mean time.

    Args:
        log_every_steps: Steps between two lines; zero or less logs each step.
        start: The global step before the first.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(self, log_every_steps: int, start: int):
        super().__init__()
        self._trigger = EveryNSteps(
            arguments.as_interval("log_every_steps", log_every_steps), arguments.as_count("start", start)
        )
        self._unlogged: tuple[int, float, float] | None = None

    @property
    def looks_back(self) -> bool:
        return type(self).on_steps_end is StepLogger.on_steps_end  # a subclass may do more

    def on_steps_end(self, steps: Steps) -> None:
        seconds = steps.seconds / len(steps)
        numbers = steps.numbers.tolist()
        for index in self._trigger.firings(numbers):
            self._log(numbers[index], float(steps.losses[index]), seconds)
        self._unlogged = (
            None if self._trigger.last == steps.last else (steps.last, float(steps.losses[-1]), seconds)
        )

    def on_loop_end(self, reason: StopReason) -> None:
        if reason is not StopReason.NAN and self._unlogged is not None:
            self._log(*self._unlogged)

    def _log(self, step: int, loss: float, seconds: float) -> None:
        _LOGGER.info("training step %d, loss = %.5f (%.3f sec/batch).", step, loss, seconds)
