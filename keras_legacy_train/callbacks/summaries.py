"""What TensorBoard is shown of every run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.callbacks.base import LoopCallback
from keras_legacy_train.loop.schedule import EveryNSteps
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.summaries import SummaryWriter


class TrainingSummaries(LoopCallback):
    """Writes the graph (as `graph.pbtxt`, too), the start of the session, and the scalars `loss` and
    `global_step/sec`.

    Args:
        writer: Where to.
        graph: The graph to show.
        start: The global step before the first.
        save_steps: Steps between two scalars, from the first step on; `None` for none.
    """

    def __init__(self, writer: SummaryWriter, graph: tf.Graph, start: int, save_steps: int | None):
        super().__init__()
        self._writer = writer
        self._graph = graph
        self._start = start
        self._trigger = (
            None if save_steps is None else EveryNSteps(save_steps, start + 1 - max(save_steps, 1))
        )
        self._reported = (start, time.monotonic())

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        tf.io.write_graph(self._graph, self._writer.get_logdir(), "graph.pbtxt")
        self._writer.add_graph(self._graph)
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        self._writer.add_session_log(start, self._start)

    def on_steps_end(self, steps: Steps) -> None:
        if self._trigger is None:
            return
        fired = False
        for step, loss in zip(steps.numbers.tolist(), steps.losses.tolist(), strict=True):
            if self._trigger.fires(step):
                self._writer.add_scalar("loss", loss, step)
                fired = True
        if fired:
            step, now = self._reported
            self._reported = (steps.last, time.monotonic())
            if self._reported[1] > now:
                rate = (steps.last - step) / (self._reported[1] - now)
                self._writer.add_scalar("global_step/sec", rate, steps.last)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._writer.close()
