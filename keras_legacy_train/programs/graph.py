"""A step that is a part of a TF 1 graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.programs.outputs import StepOutputs

_NOT_RUN = -1.0


class GraphProgram:
    """Runs `train_op` of a lifted graph, singly or in windows.

    Args:
        session: The lifted graph's session stand-in.
        queue_runners: What fills the graph's queues.
        train_ops: What one step runs: operations or tensors.
        loss: The loss, a tensor that holds one number.
        global_step: Name of the variable that counts the steps.
        feed_fn: Called before each step; returns the step's `feed_dict`. Every window is then of one step.
        is_fatal: Tells of a loss (a float64 scalar tensor) whether a window must end at it.
        jit_compile: Whether windows are compiled by XLA.
    """

    # The longest window: rows of the record, which each window clears.
    MAX_WINDOW = 16_384

    def __init__(
        self,
        session: GraphSession,
        queue_runners: QueueRunners,
        train_ops: Sequence[tf.Operation | tf.Tensor],
        loss: tf.Tensor,
        global_step: str,
        *,
        feed_fn: Callable[[], Mapping[Any, Any]] | None = None,
        is_fatal: Callable[[tf.Tensor], tf.Tensor] = tf.math.is_nan,
        jit_compile: bool = False,
    ):
        self.global_step_name = global_step
        self._session = session
        self._queue_runners = queue_runners
        self._train_ops = list(train_ops)
        self._operations = [op.op.name if isinstance(op, tf.Tensor) else op.name for op in train_ops]
        self._loss = loss
        self._global_step = f"{global_step}:0"
        self._feed_fn = feed_fn
        self._is_fatal = is_fatal
        self._jit_compile = jit_compile
        self._stop = tf.Variable(False, trainable=False)
        # The global step and the loss of each step of a window. They outlive an error inside the window,
        # which what the loop carries does not; float64 holds both exactly.
        self._record = tf.Variable(tf.fill([self.MAX_WINDOW, 2], tf.constant(_NOT_RUN, tf.float64)))
        self._window: Callable[..., tf.Tensor] | None = None
        self._step = self.global_step()

    def global_step(self) -> int:
        return int(self._session.compute([self._global_step])[0])

    def next_batch(self) -> dict[str, np.ndarray]:
        if self._feed_fn is None:
            return {}
        with self._session.as_default():
            feed_dict = self._feed_fn()
        return self._session.feeds(feed_dict)

    def run_step(self, batch: Mapping[str, np.ndarray], requests: Iterable[Any]) -> Steps:
        outputs = StepOutputs(self._session.graph, [*self._train_ops, self._loss, *requests])
        names = list(dict.fromkeys([self._global_step, *outputs.tensors]))
        began = time.perf_counter()
        try:
            computed = self._session.compute(
                names, dict.fromkeys([*self._operations, *outputs.operations]), batch
            )
        except tf.errors.OutOfRangeError:
            self._queue_runners.raise_failure()
            raise
        seconds = time.perf_counter() - began
        values = dict(zip(names, computed, strict=True))
        outputs.fill(values)
        loss = self._one_number(values[self._loss.name])
        numbers = np.array([values[self._global_step]], np.int64)
        return self._steps(numbers, np.array([loss]), seconds, outputs=outputs)

    def run_window(self, until: float, at_most: int) -> Steps:
        if self._feed_fn is not None or self._loss.shape.num_elements() is None:
            return self.run_step(self.next_batch(), ())
        if self._window is None:
            self._window = self._make_window()
        error = None
        began = time.perf_counter()
        try:
            until = int(min(until, np.iinfo(np.int64).max))
            rows = self._window(tf.constant(until, tf.int64), tf.constant(at_most, tf.int64)).numpy()
        except tf.errors.OpError as raised:
            if isinstance(raised, tf.errors.OutOfRangeError):
                self._queue_runners.raise_failure()
            if self._jit_compile and isinstance(raised, tf.errors.InvalidArgumentError):
                raise ValueError(
                    "jit_compile=True, but XLA cannot compile or run this step; no variable has changed."
                    f" Pass jit_compile=False. {raised.message.partition('{')[0]}"
                ) from raised
            error = raised
            rows = self._record.numpy()
            rows = rows[: np.argmax(rows[:, 0] == _NOT_RUN)]
        seconds = time.perf_counter() - began
        losses = rows[:, 1].astype(self._loss.dtype.as_numpy_dtype)
        return self._steps(rows[:, 0].astype(np.int64), losses, seconds, error=error)

    def stop_window(self) -> None:
        with _tensorflow.eager_mode():
            self._stop.assign(True)
        self._queue_runners.request_stop()  # a step may be waiting for input

    def _steps(self, numbers: np.ndarray, losses: np.ndarray, seconds: float, **more: Any) -> Steps:
        steps = Steps(self._step, numbers, losses, seconds, **more)
        self._step = steps.last
        return steps

    def _one_number(self, loss: np.ndarray) -> Any:
        if np.size(loss) != 1:
            raise ValueError(
                f"loss_op {self._loss.name!r} must be one number; it has shape {np.shape(loss)}."
                " Reduce it, for example by tf.reduce_mean."
            )
        return np.reshape(loss, ())[()]

    def _make_window(self) -> Callable[..., tf.Tensor]:
        step_function = self._session.lifted.function(
            (), (self._loss.name, self._global_step), self._operations
        )
        read_step = self._session.lifted.function((), (self._global_step,))

        def count() -> tf.Tensor:
            return tf.cast(tf.reshape(read_step([])[0], []), tf.int64)

        @tf.function(autograph=False, jit_compile=self._jit_compile or None)
        def window(until: tf.Tensor, at_most: tf.Tensor) -> tf.Tensor:
            self._record.assign(tf.fill(self._record.shape, tf.constant(_NOT_RUN, tf.float64)))

            def more(done: tf.Tensor, step: tf.Tensor, fatal: tf.Tensor) -> tf.Tensor:
                ended = fatal | self._stop.read_value()
                return (done < at_most) & (step < until) & ((done == 0) | ~ended)

            def run_one(done: tf.Tensor, *_: tf.Tensor) -> list[tf.Tensor]:
                loss, step = step_function([])
                row = tf.stack([tf.cast(tf.reshape(value, []), tf.float64) for value in (step, loss)])
                self._record.scatter_nd_update([[done]], [row])
                return [done + 1, tf.cast(tf.reshape(step, []), tf.int64), self._is_fatal(row[1])]

            start = [tf.constant(0, tf.int64), count(), tf.constant(False)]
            done, _, _ = tf.while_loop(more, run_one, start, parallel_iterations=1)
            return self._record[:done]

        scalar = tf.TensorSpec([], tf.int64)
        return window.get_concrete_function(scalar, scalar)
