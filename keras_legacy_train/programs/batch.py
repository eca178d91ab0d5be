"""Runs a step that is a function of a batch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.interrupts import python_at_work
from keras_legacy_train.programs.base import Program, Steps
from keras_legacy_train.programs.logs import flat_logs
from keras_legacy_train.programs.named_values import NamedValues
from keras_legacy_train.programs.source import NoSource, Source
from keras_legacy_train.programs.traced_step import NO_BATCH, BatchStep, TracedStep


class BatchProgram(Program):
    """Runs a step on one batch after the other, singly or in windows.

    Args:
        step: What is done with a batch.
        traced: What TensorFlow has made of it.
        source: Where the batches come from.
        values: What monitors can ask for, beside the loss and the logs of a step.
    """

    def __init__(self, step: BatchStep, traced: TracedStep, source: Source, values: NamedValues):
        self.global_step_name = traced.global_step.name.partition(":")[0]
        self._values = values
        self._step = step
        self._traced = traced
        self._source = source
        self._last_loss: Any = None
        self._last_logs: Mapping[str, Any] = {}

    def global_step(self) -> int:
        return int(self._traced.global_step.numpy())

    def begin_epoch(self) -> None:
        self._step.begin_epoch()
        self._source.begin_epoch()

    def epoch_logs(self) -> dict[str, Any]:
        return self._step.epoch_logs(self._last_loss, self._last_logs)

    def get_state(self) -> dict[str, Any]:
        """Returns the last step's results, of which `epoch_logs` are made; none before the first step."""
        if self._last_loss is None:
            return {}
        needed = self._traced.needed or self._step.needed_logs(self._last_logs)
        logs = {name: log if name in needed else None for name, log in self._last_logs.items()}
        return {"loss": self._last_loss, "logs": logs}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes that over from an earlier run."""
        if state:
            self._last_loss, self._last_logs = state["loss"], state["logs"]

    def next_batch(self) -> Any:
        return self._source.next_batch()

    def run_step(self, step: int, batch: Any, requests: Iterable[Any]) -> Steps:
        self._renew()
        began = time.perf_counter()
        number, loss, logs = self._traced.run_once(batch)
        logs = self._step.over_replicas(logs)
        numbers, losses = np.array([int(number)]), np.asarray(loss).reshape(1)
        seconds = time.perf_counter() - began
        self._last_loss, self._last_logs = losses[0], logs
        # Among the logs, the loss may be a mean over the epoch so far.
        outputs = self._values.outputs(requests, {**flat_logs(logs), "loss": losses[0]})
        return Steps(step, numbers, losses, seconds, outputs=outputs, logs=logs)

    def run_window(self, step: int, target_step: float, at_most: int) -> Steps:
        self._renew()
        traced = self._traced
        inputs = self._source.inputs() if traced.has_windows else None
        if inputs is None:
            return self.run_step(step, self.next_batch(), ())
        window = traced.window(inputs)
        if not traced.has_numbers:
            at_most = int(min(at_most, target_step - step))
        began = time.perf_counter()
        columns, error = window.run(at_most, tf.constant(target_step, tf.float64), *inputs)
        seconds = time.perf_counter() - began
        has_ended = isinstance(error, tf.errors.OutOfRangeError) and any(map(_is_at_its_end, inputs))
        if not traced.has_numbers:
            columns = [step + 1 + np.arange(len(columns[0])), *columns]
        elif len(columns[0]) and columns[0][-1] == NO_BATCH:
            columns, has_ended = [column[:-1] for column in columns], True
        end: BaseException | None = error
        if has_ended:
            self._source.ended()
            end = StopIteration("there are no more batches")
        numbers, losses, *needed = columns
        self._source.gave(len(numbers))
        if len(numbers):
            self._last_loss = losses[-1].astype(traced.loss_dtype)
            logs = tf.nest.pack_sequence_as(traced.needed, [float(log[-1]) for log in needed])
            self._last_logs = {name: logs.get(name) for name in traced.log_names}
        return Steps(step, numbers.astype(np.int64), losses.astype(traced.loss_dtype), seconds, error=end)

    def _renew(self) -> None:
        if self._traced.renew():
            self._values.renew()

    def waits_for(self) -> str | None:
        if isinstance(self._source, NoSource):
            return None
        at_work = [f"Python code is at work: {place}." for place in python_at_work()]
        return " ".join(at_work) or "It may wait for the next batch of its input."

    def stop_window(self) -> None:
        with _tensorflow.eager_mode():
            self._traced.stop.assign(True)


def _is_at_its_end(iterator: Any) -> bool:
    """Asks an iterator, since a step's own operations may have raised the error that means its end."""
    return not iterator.get_next_as_optional().has_value()
