"""Logs how a training goes, as the hooks did that an Estimator added."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from keras_legacy_train.estimator import log
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.schedule import EveryNSteps
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.summaries import SummaryWriter


class TrainingLog(LoopCallback):
    """Logs `loss = 0.25, step = 100 (0.021 sec)` and `global_step/sec: 4761.9`; writes the latter, too.

    Args:
        every: Steps from one line to the next.
        tag: What the speed is called.
        writer: Writes the speed to an event file, if there is one.
    """

    def __init__(self, every: int, tag: str, writer: SummaryWriter | None):
        super().__init__()
        self._every = every
        self._tag = tag
        self._writer = writer
        self._trigger = EveryNSteps(every, 0)
        self._last: tuple[int, float] | None = None

    def set_run(self, run: RunContext) -> None:
        self._trigger = EveryNSteps(self._every, run.start + 1 - self._every)

    @property
    def looks_back(self) -> bool:
        return True

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._last = None

    def on_steps_end(self, steps: Steps) -> None:
        now, seconds = time.perf_counter(), steps.seconds / len(steps)
        numbers = steps.numbers.tolist()
        for index in self._trigger.firings(numbers):
            # A step inside a window is over since the steps behind it began.
            self._log(numbers[index], steps.losses[index], now - seconds * (len(steps) - 1 - index))

    def _log(self, step: int, loss: Any, now: float) -> None:
        if self._last is None:
            log.info("loss = %s, step = %d", loss, step - 1)
        else:
            last_step, last_time = self._last
            elapsed = max(now - last_time, 1e-9)
            speed = (step - last_step) / elapsed
            log.info("%s: %g", self._tag, speed)
            log.info("loss = %s, step = %d (%.3f sec)", loss, step - 1, elapsed)
            if self._writer is not None:
                self._writer.add_scalar(self._tag, speed, step)
        self._last = step, now
