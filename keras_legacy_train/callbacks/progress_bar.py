"""Draws a line on the terminal that shows how far the training is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from keras_legacy_train import arguments
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.programs.base import WINDOW_SECONDS, Steps


class ProgressBar(LoopCallback):
    """Shows the step, the loss, steps per second and the time left, drawn by `rich`.

    Log lines that go to the same terminal appear above it.

    Args:
        start: The global step before the first.
        target_step: The global step at which training ends; infinity if that is not known.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(self, start: int, target_step: float):
        super().__init__()
        self._start = arguments.as_count("start", start)
        is_limited = target_step != math.inf
        self._target_step = arguments.as_count("target_step", target_step) if is_limited else target_step
        self._progress: Any = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        from rich import progress  # takes 50 ms to import, which runs without a terminal need not pay

        class Speed(progress.ProgressColumn):
            def render(self, task: progress.Task) -> str:
                return "" if task.speed is None else f"{task.speed:,.0f} steps/s"

        self._progress = progress.Progress(
            progress.TextColumn("step {task.completed:.0f}"),
            progress.BarColumn(),
            progress.TextColumn("loss {task.fields[loss]}"),
            Speed(),
            progress.TimeRemainingColumn(),
            refresh_per_second=1 / WINDOW_SECONDS,  # nothing is new more often, and drawing takes time
            transient=True,
        )
        total = None if math.isinf(self._target_step) else self._target_step
        self._progress.add_task("train", completed=self._start, total=total, loss="-")
        self._progress.start()

    def on_steps_end(self, steps: Steps) -> None:
        loss = f"{float(steps.losses[-1]):.5f}"
        self._progress.update(self._progress.task_ids[0], completed=steps.last, loss=loss)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._progress is not None:
            self._progress.stop()
