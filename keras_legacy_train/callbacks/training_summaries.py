"""Writes what TensorBoard shows of every run."""

from __future__ import annotations

import concurrent.futures
import os
import time
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.checkpoints.directory import GRAPH_FILE
from keras_legacy_train.checkpoints.durable import write_durably
from keras_legacy_train.graph.saving.graph_text import graph_text
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.schedule import EveryNSteps
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.summaries import SummaryWriter


class TrainingSummaries(LoopCallback):
    """Writes the graph, if there is one (as `graph.pbtxt`, too), the start of the session, and the scalars
    `loss` and `global_step/sec`.

    Args:
        writer: Where to.
        graph: The graph to show, if there is one.
        start: The global step before the first.
        save_steps: Steps between two scalars, from the first step on; `None` for none.
        needs_steps: Whether the graph is not shown where the input has ended before the first step.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        writer: SummaryWriter,
        graph: tf.Graph | None,
        start: int,
        save_steps: int | None,
        needs_steps: bool = False,
    ):
        super().__init__()
        if writer is None:
            raise ValueError("writer must be a SummaryWriter; it is None.")
        arguments.check_methods("writer", writer, "add_scalar", "add_session_log", "get_logdir")
        if not isinstance(graph, tf.Graph | None):
            raise ValueError(f"graph must be a tf.Graph; it is {graph!r}.")
        save_steps = arguments.as_optional_interval("save_steps", save_steps)
        self._writer = writer
        self._graph_to_write = graph
        self._start = arguments.as_count("start", start)
        self._trigger = (
            None if save_steps is None else EveryNSteps(save_steps, start + 1 - max(save_steps, 1))
        )
        self._needs_steps = arguments.as_flag("needs_steps", needs_steps)
        self._executor: concurrent.futures.ThreadPoolExecutor | None = None
        self._has_steps = False
        self._unwritten: tuple[int, float, float] | None = None
        self._written = (start, time.monotonic())

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        self._writer.add_session_log(start, self._start)

    @property
    def looks_back(self) -> bool:
        return type(self).on_steps_end is TrainingSummaries.on_steps_end  # a subclass may do more

    def on_steps_end(self, steps: Steps) -> None:
        if self._has_steps:
            self._write_graph()
        self._has_steps = True
        if self._trigger is None:
            return
        now, seconds = time.monotonic(), steps.seconds / len(steps)
        numbers = steps.numbers.tolist()
        for index in self._trigger.firings(numbers):
            # A step inside a window is over since the steps behind it began.
            self._write(numbers[index], float(steps.losses[index]), now - seconds * (len(steps) - 1 - index))
        self._unwritten = (
            None if self._trigger.last == steps.last else (steps.last, float(steps.losses[-1]), now)
        )

    def on_loop_end(self, reason: StopReason) -> None:
        if self._unwritten is not None:
            self._write(*self._unwritten)
        if self._needs_steps and not self._has_steps and reason is StopReason.END_OF_INPUT:
            self._graph_to_write = None

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._write_graph()
        self._writer.close()
        if self._executor is not None:
            self._executor.shutdown()
            self._written_graph.result()

    def _write_graph(self) -> None:
        """Writes the graph, once; as text beside what comes next.

        Of a large graph this is seconds of Python, for which the first step and the first window, which is
        made beside it, need not wait.
        """
        graph, self._graph_to_write = self._graph_to_write, None
        if graph is None:
            return
        self._writer.add_graph(graph)
        self._executor = concurrent.futures.ThreadPoolExecutor(1)
        self._written_graph = self._executor.submit(
            _write_text, graph.as_graph_def(), os.path.join(self._writer.get_logdir(), GRAPH_FILE)
        )

    def _write(self, step: int, loss: float, now: float) -> None:
        self._writer.add_scalar("loss", loss, step)
        last_step, last_time = self._written
        if now > last_time:
            self._writer.add_scalar("global_step/sec", (step - last_step) / (now - last_time), step)
            self._written = (step, now)


def _write_text(graph_def: tf.compat.v1.GraphDef, path: str) -> None:
    write_durably(path, graph_text(graph_def).encode())
