"""Measures the speed of training."""

from __future__ import annotations

import time
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.summaries import get_summary_writer
from keras_legacy_train.types import OutputDict, PathLike, SessionLike, SummaryWriterLike


class StepCounter(EveryN):
    """Writes the number of steps per second, as the scalar `global_step/sec`.

    Stands for `tf.contrib.learn.monitors.StepCounter`. The first active step starts the clock. Each later one
    writes the mean speed since the previous active step.

    Args:
        every_n_steps: Steps from one scalar to the next. See `EveryN`.
        output_dir: Directory of the event file, if no `summary_writer` is given.
        summary_writer: A `SummaryWriter`, a `tf.compat.v1.summary.FileWriter`, or any object with
            `add_summary` and `flush`.

    Raises:
        ValueError: An argument is invalid.
    """

    def __init__(
        self,
        every_n_steps: int = 100,
        output_dir: PathLike | None = None,
        summary_writer: SummaryWriterLike | None = None,
    ):
        super().__init__(every_n_steps=every_n_steps)
        self._summary_tag = "global_step/sec"
        self._last_reported: tuple[int, float] | None = None
        arguments.check_methods("summary_writer", summary_writer, "add_summary", "flush")
        directory = arguments.as_optional_path("output_dir", output_dir)
        self._summary_writer = summary_writer
        if summary_writer is None and directory is not None:
            self._summary_writer = get_summary_writer(directory)

    def set_estimator(self, estimator: Any) -> None:
        super().set_estimator(estimator)
        if self._summary_writer is None:
            self._summary_writer = get_summary_writer(estimator.model_dir)

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        self._last_reported = None  # The time between two runs does not count.

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool | None:
        super().every_n_step_end(step, outputs)
        now = time.time()
        if self._last_reported is not None:
            last_step, last_time = self._last_reported
            if now > last_time:
                self._report(step, (step - last_step) / (now - last_time))
        self._last_reported = (step, now)
        return False

    def end(self, session: SessionLike | None = None) -> None:
        super().end(session)
        if self._summary_writer is not None:
            self._summary_writer.flush()

    def _report(self, step: int, steps_per_second: float) -> None:
        if self._summary_writer is not None:
            value = tf.compat.v1.Summary.Value(tag=self._summary_tag, simple_value=steps_per_second)
            self._summary_writer.add_summary(tf.compat.v1.Summary(value=[value]), step)
