"""Ends the training at a given step."""

from __future__ import annotations

from collections.abc import Iterable

from keras_legacy_train import arguments
from keras_legacy_train.monitors.base import BaseMonitor
from keras_legacy_train.types import Fetch, OutputDict


class StopAtStep(BaseMonitor):
    """Stops the training after a number of steps, or at a given step.

    Stands for `tf.contrib.learn.monitors.StopAtStep`. It runs on all workers.

    Args:
        num_steps: Number of steps to run, counted from each `begin`.
        last_step: Number of the last step to run.

    Raises:
        ValueError: Neither of the two is given, or both are, or it is not a whole number, 0 or more.
    """

    def __init__(self, num_steps: int | None = None, last_step: int | None = None):
        super().__init__()
        if num_steps is None and last_step is None:
            raise ValueError("One of num_steps or last_step must be specified.")
        if num_steps is not None and last_step is not None:
            raise ValueError("Only one of num_steps or last_step can be specified.")
        self._num_steps = arguments.as_steps("num_steps", num_steps)
        self._last_step = arguments.as_steps("last_step", last_step)

    @property
    def run_on_all_workers(self) -> bool:
        return True

    def next_step(self, step: int) -> float:
        # With `num_steps` the last step depends on the first one, which must therefore be seen.
        return step + 1 if self._last_step is None else max(step + 1, self._last_step)

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        if self._num_steps is not None:
            self._last_step = None

    def step_begin(self, step: int) -> Iterable[Fetch] | None:
        super().step_begin(step)
        if self._num_steps is not None and self._last_step is None:
            self._last_step = step + self._num_steps - 1
        return []

    def step_end(self, step: int, output: OutputDict) -> bool | None:
        super().step_end(step, output)
        return self._last_step is not None and step >= self._last_step
