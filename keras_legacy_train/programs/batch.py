"""A step that is a function of a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.programs.named_values import NamedValues
from keras_legacy_train.programs.source import Source
from keras_legacy_train.programs.window import Window

# The number of a step that found no batch.
_NO_BATCH = -1.0


class BatchStep(Protocol):
    """What is done with a batch.

    Attributes:
        run_eagerly: Whether it must be run as Python code, so that no function can be made of it.
    """

    run_eagerly: bool

    def __call__(self, batch: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        """Trains on a batch; it is traced. Returns the step's loss, a scalar, and the logs."""

    def begin_epoch(self) -> None:
        """An epoch begins."""

    def needed_logs(self, logs: Mapping[str, Any]) -> list[str]:
        """Names of a step's logs without which `epoch_logs` cannot tell those of the epoch."""

    def epoch_logs(self, loss: Any, logs: Mapping[str, Any]) -> dict[str, Any]:
        """The logs of the epoch so far.

        Args:
            loss: The loss of its last step.
            logs: The logs of that step. Those that are not needed may be `None`.
        """


class BatchProgram:
    """Runs a step on one batch after the other, singly or in windows.

    Args:
        step: What is done with a batch.
        source: Where the batches come from.
        global_step: Counts the steps, an integer scalar.
        counts: Whether the program raises the global step after each step. If not, the step does it.
        is_fatal: Tells of a loss (a float64 scalar tensor) whether a window must end at it.

    Attributes:
        variables: Every variable that a step uses, in the order in which it first does, as far as can be
            told: of a step that is run as Python code, none.
        values: What monitors can ask for, beside the loss and the logs of a step.
    """

    MAX_WINDOW = Window.MAX_STEPS

    def __init__(
        self,
        step: BatchStep,
        source: Source,
        global_step: tf.Variable,
        *,
        counts: bool = True,
        is_fatal: Callable[[tf.Tensor], tf.Tensor] = tf.math.is_nan,
    ):
        self.global_step_name = global_step.name.partition(":")[0]
        self._step = step
        self._source = source
        self._global_step = global_step
        self.values = NamedValues([global_step])
        self.variables: Sequence[tf.Variable] = ()
        self._counts = counts
        self._is_fatal = is_fatal
        self._stop = tf.Variable(False, trainable=False)
        self._window: Window | None = None
        self._last_loss: Any = None
        self._last_logs: Mapping[str, Any] = {}
        self._log_names: list[str] = []
        self._needed: list[str] = []
        self._has_windows = False
        self._run_once = self._advance
        if not step.run_eagerly:
            self._run_once = tf.function(self._advance, autograph=False, reduce_retracing=True)
            self._trace(self._run_once)

    def global_step(self) -> int:
        return int(self._global_step.numpy())

    def begin_epoch(self) -> None:
        self._step.begin_epoch()
        self._source.begin_epoch()

    def epoch_logs(self) -> dict[str, Any]:
        return self._step.epoch_logs(self._last_loss, self._last_logs)

    def get_state(self) -> dict[str, Any]:
        """What the last step has returned, of which `epoch_logs` are made; nothing before the first step."""
        if self._last_loss is None:
            return {}
        needed = self._needed or self._step.needed_logs(self._last_logs)
        logs = {name: np.asarray(log) if name in needed else None for name, log in self._last_logs.items()}
        return {"loss": self._last_loss, "logs": logs}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes that over from an earlier run."""
        if state:
            self._last_loss, self._last_logs = state["loss"], state["logs"]

    def next_batch(self) -> Any:
        return self._source.next_batch()

    def run_step(self, batch: Any, requests: Iterable[Any]) -> Steps:
        start, began = self.global_step(), time.perf_counter()
        number, loss, logs = self._run_once(batch)
        numbers, losses = np.array([int(number)]), np.asarray(loss).reshape(1)
        seconds = time.perf_counter() - began
        self._last_loss, self._last_logs = losses[0], logs
        # Among the logs, the loss may be a mean over the epoch so far.
        outputs = self.values.outputs(requests, {**logs, "loss": losses[0]})
        return Steps(start, numbers, losses, seconds, outputs=outputs, logs=logs)

    def run_window(self, until: float, at_most: int) -> Steps:
        inputs = self._source.inputs() if self._has_windows else None
        if inputs is None:
            return self.run_step(self.next_batch(), ())
        if self._window is None:
            self._window = self._make_window(inputs)
        start, began = self.global_step(), time.perf_counter()
        columns, error = self._window.run(at_most, tf.constant(until, tf.float64), *inputs)
        seconds = time.perf_counter() - began
        end: BaseException | None = error
        if len(columns[0]) and columns[0][-1] == _NO_BATCH:
            self._source.ended()
            columns, end = [column[:-1] for column in columns], StopIteration("there are no more batches")
        numbers, losses, *needed = columns
        if len(numbers):
            self._last_loss = losses[-1].astype(self._loss_dtype)
            logs = {name: float(log[-1]) for name, log in zip(self._needed, needed, strict=True)}
            self._last_logs = {name: logs.get(name) for name in self._log_names}
        return Steps(start, numbers.astype(np.int64), losses.astype(self._loss_dtype), seconds, error=end)

    def stop_window(self) -> None:
        with _tensorflow.eager_mode():
            self._stop.assign(True)

    def _advance(self, batch: Any) -> tuple[tf.Tensor, tf.Tensor, dict[str, Any]]:
        loss, logs = self._step(batch)
        with tf.control_dependencies([loss]):
            number = self._global_step.assign_add(1) if self._counts else self._global_step.read_value()
        return number, loss, logs

    def _trace(self, function: Any) -> None:
        """Brings into being what a step creates when it is first run, and learns what a step returns."""
        traced = function.get_concrete_function(self._source.batch_spec())
        self.variables = _in_order(traced)
        _check_eager(self.variables)
        _, loss, logs = traced.structured_outputs
        self._loss_dtype = loss.dtype.as_numpy_dtype
        self._log_names = list(logs)
        self._needed = self._step.needed_logs(logs)
        # A window brings back one number for each of them.
        needed = map(logs.__getitem__, self._needed)
        self._has_windows = all(isinstance(log, tf.TensorSpec) and log.shape.rank == 0 for log in needed)

    def _make_window(self, inputs: tuple[Any, ...]) -> Window:
        def run_on(batch: Any) -> list[tf.Tensor]:
            number, loss, logs = self._run_once(batch)
            numbers = [number, loss, *map(logs.__getitem__, self._needed)]
            return [tf.reshape(tf.cast(each, tf.float64), []) for each in numbers]

        def run_on_next(*iterators: Any) -> list[tf.Tensor]:
            if not iterators:
                return run_on(())
            batch = iterators[0].get_next_as_optional()
            nothing = [tf.constant(_NO_BATCH, tf.float64)] * columns
            has_replicas = isinstance(iterators[0], tf.distribute.DistributedIterator)
            cond = _cond_of_replicas if has_replicas else tf.cond
            return cond(batch.has_value(), lambda: run_on(batch.get_value()), lambda: nothing)

        def run_step(_: tf.Tensor, until: tf.Tensor, *iterators: Any) -> tuple[list[tf.Tensor], tf.Tensor]:
            number, loss, *_logs = numbers = run_on_next(*iterators)
            must_end = (number >= until) | (number == _NO_BATCH) | self._is_fatal(loss)
            return numbers, must_end | self._stop.read_value()

        columns = 2 + len(self._needed)
        specs = [tf.TensorSpec([], tf.float64), *map(tf.type_spec_from_value, inputs)]
        return Window(run_step, [tf.float64] * columns, inputs=specs)


def _cond_of_replicas(wanted: tf.Tensor, run: Callable[[], Any], skip: Callable[[], Any]) -> Any:
    """`tf.cond` as a loop that runs once or not at all: within the other, replicas do not find their ids."""
    _, result = tf.while_loop(
        lambda done, _: wanted & ~done,
        lambda *_: (tf.constant(True), run()),
        [tf.constant(False), skip()],
        parallel_iterations=1,
    )
    return result


def _in_order(traced: Any) -> list[tf.Variable]:
    """The variables of a traced function in the order of their first use; `variables` has them in any."""
    first_use = {id(captured): number for number, captured in enumerate(traced.captured_inputs)}
    return sorted(traced.variables, key=lambda variable: first_use.get(id(variable.handle), len(first_use)))


def _check_eager(variables: Iterable[tf.Variable]) -> None:
    """Raises ValueError for variables of a graph, whose values a step could not reach."""
    names = sorted(variable.name for variable in variables if not hasattr(variable.handle, "numpy"))
    if names:
        raise ValueError(
            f"{', '.join(names[:5])}{', …' * (len(names) > 5)} belong to a graph: they were made with eager"
            " execution off, as tf.compat.v1.disable_v2_behavior() leaves it. Make the model, its optimizer"
            " and the variables before that call."
        )
