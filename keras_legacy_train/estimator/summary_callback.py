"""Writes the summaries of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.schedule import EveryNSteps, Sampling
from keras_legacy_train.summaries import SummaryWriter


class SummaryCallback(LoopCallback):
    """Writes the `summary_op` of a scaffold at the first step and every so many steps after it.

    Args:
        scaffold: Has the `summary_op`, a string tensor, once the graph is complete.
        every: Steps from one summary to the next.
        writer: Writes them.
    """

    def __init__(self, scaffold: tf.compat.v1.train.Scaffold, every: int, writer: SummaryWriter):
        super().__init__()
        self._scaffold = scaffold
        self._every = every
        self._writer = writer
        self._trigger = EveryNSteps(every, 0)

    def set_run(self, run: RunContext) -> None:
        self._trigger = EveryNSteps(self._every, run.start + 1 - self._every)

    @property
    def looks_back(self) -> bool:
        return True

    def next_step(self, step: int) -> float:
        return self._trigger.next_step()

    def sampling(self, step: int) -> Sampling | None:
        return Sampling(self._every, [self._scaffold.summary_op])

    def on_step_begin(self, step: int) -> list[Any]:
        return [self._scaffold.summary_op] if step >= self._trigger.next_step() else []

    def on_step_end(self, step: int, outputs: Mapping[Any, Any]) -> None:
        if self._trigger.fires(step):
            self._writer.add_summary(outputs[self._scaffold.summary_op.name], step)
