"""Makes windows over a part of a TF 1 graph, keeps them, and runs them."""

from __future__ import annotations

import concurrent.futures
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph import xla
from keras_legacy_train.graph.garbage import collector_paused
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.programs.prefetched_feeds import row_specs
from keras_legacy_train.programs.sampled_window import SampledWindow
from keras_legacy_train.programs.window import Window

_LOGGER = logging.getLogger("keras_legacy_train")


class _StepWindow(NamedTuple):
    """Holds a window, and whether it is counted: each of its steps raises the global step by one.

    One that is not counted records the global step of each step, and ends by itself at its target step.
    """

    window: Window
    is_counted: bool


class GraphWindows:
    """Runs many steps of a lifted graph in one call.

    Args:
        lifted: The graph.
        operations: Names of the operations that a step runs.
        loss: The loss, a tensor that holds one number.
        global_step: Name of the variable that counts the steps.
        is_fatal: Tells of a loss (a float64 scalar tensor) whether a window must end at it.
        jit_compile: Whether windows are compiled by XLA; `"auto"` for where that works and computes the same.

    Attributes:
        jit_compile: As given, until XLA turns out to be of no use.
    """

    def __init__(
        self,
        lifted: LiftedGraph,
        operations: Sequence[str],
        loss: tf.Tensor,
        global_step: str,
        is_fatal: Callable[[tf.Tensor], tf.Tensor],
        jit_compile: bool | Literal["auto"],
    ):
        self.jit_compile = jit_compile
        self._lifted = lifted
        self._rewrites = lifted.rewrites
        self._operations = list(operations)
        self._loss = loss
        self._global_step = global_step
        self._is_fatal = is_fatal
        # In what windows keep the loss.
        self._loss_dtype = tf.float32 if loss.dtype.base_dtype == tf.float32 else tf.float64
        with lifted.scope():
            self._stop = tf.Variable(False, trainable=False)
            self._no_end = tf.constant(np.inf, tf.float64)
        self._windows: dict[tuple[tuple[str, tf.TensorSpec], ...], _StepWindow] = {}
        self._sampled: dict[tuple[int, Sequence[str], Sequence[str]], SampledWindow | None] = {}
        self._executor: concurrent.futures.ThreadPoolExecutor | None = None
        self._coming: concurrent.futures.Future[_StepWindow] | None = None

    def close(self) -> None:
        """Waits for the thread that is making a window, if there is one."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def stop(self) -> None:
        """Ends the running window after its current step. May be called from any thread."""
        with _tensorflow.eager_mode():
            self._stop.assign(True)

    def prepare(self) -> None:
        """Begins to make the window of steps without feeds in another thread."""
        self._executor = concurrent.futures.ThreadPoolExecutor(1)
        self._coming = self._executor.submit(self._make_warm)

    def run(
        self, step: int, target_step: float, at_most: int, feeds: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, tf.errors.OpError | None]:
        """Runs steps until the target step, a fatal loss, the end of the input or `stop`.

        Args:
            step: The global step now.
            target_step: The global step at which the window ends.
            at_most: The largest number of steps.
            feeds: For each tensor that is fed an array with a row for each step.

        Returns:
            The global steps after each step, `int64[n]`; their losses, `[n]`; and the error that ended the
            window, if one did.

        Raises:
            ValueError: XLA was asked to compile the step and cannot. No variable has changed.
        """
        with self._lifted.eager_mode():
            window, is_counted = self._window(feeds)
            # A counted window need not know its end, and to make a tensor takes its time.
            end = self._no_end if is_counted else tf.constant(target_step, tf.float64)
            (*numbers, losses), error = window.run(at_most, end, *map(tf.constant, feeds.values()))
        if self.jit_compile and isinstance(error, tf.errors.InvalidArgumentError):
            self._give_up_compiling(error)
            return self.run(step, target_step, at_most, feeds)
        if error is not None:
            self._lifted.explain(error)
        steps = step + 1 + np.arange(len(losses)) if is_counted else numbers[0]
        return steps.astype(np.int64), losses.astype(self._loss.dtype.as_numpy_dtype), error

    def sampled(self, every: int, names: Sequence[str], operations: Sequence[str]) -> SampledWindow | None:
        """Returns the window that samples each `every`-th step.

        Args:
            every: Steps from one sample to the next.
            names: The tensors of a sample, of which the first is the loss.
            operations: Names of the operations that a sampled step runs.

        Returns:
            `None` if a sample is more than a number or a string, or steps are not certain to raise the global
            step by one.
        """
        key = every, tuple(names), tuple(operations)
        self._forget_outdated()
        if key not in self._sampled:
            self._sampled[key] = self._make_sampled(*key)
        return self._sampled[key]

    def _window(self, feeds: Mapping[str, np.ndarray]) -> _StepWindow:
        specs = row_specs(self._lifted, feeds)
        key = tuple(specs.items())
        self._forget_outdated()
        if key not in self._windows:
            coming, self._coming = self._coming, None
            self._windows[key] = self._make(specs) if coming is None else coming.result()
        return self._windows[key]

    def _forget_outdated(self) -> None:
        """Lets go of windows whose nodes have been rewritten since they were made."""
        if self._rewrites != self._lifted.rewrites:
            self._windows.clear()
            self._sampled.clear()
            self._coming = None
            self._rewrites = self._lifted.rewrites

    def _give_up_compiling(self, error: tf.errors.OpError) -> None:
        message = error.message.partition("{")[0]
        if self.jit_compile != "auto":
            raise ValueError(
                "jit_compile=True, but XLA cannot compile or run this step; no variable has changed."
                f" Pass jit_compile='auto' or False. {message}"
            ) from error
        _LOGGER.info("XLA cannot compile this step; it is run as it is. %s", message)
        self.jit_compile = False
        self._windows.clear()

    def _make_warm(self) -> _StepWindow:
        with self._lifted.eager_mode():
            made = self._make({})
            made.window.warm_up(self._no_end)
        return made

    @collector_paused()
    def _make(self, specs: Mapping[str, tf.TensorSpec]) -> _StepWindow:
        lifted, progress = self._lifted, [f"{self._global_step}:0", self._loss.name]
        part = lifted.part(specs, progress[1:], self._operations)
        step = lifted.variable(self._global_step)
        # Other processes may raise a step that is shared.
        is_counted = not step.is_shared and part.increments_by_one(step)
        if not is_counted:
            part = lifted.part(specs, progress, self._operations)
        if self.jit_compile == "auto":
            reason = xla.reason_not_to_compile(part)
            if reason is not None:
                _LOGGER.info("XLA does not compile this step: %s.", reason)
                self.jit_compile = False

        calls = None if self.jit_compile else lifted.server_calls(part)
        if calls is not None:
            part = calls.step

        def first() -> list[tf.Tensor]:
            return [] if calls is None else calls.first.build(())[0]

        def run_step(target_step: tf.Tensor, *feeds: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
            results, _ = part.build(feeds)
            must_end = self._must_end(results[0 if is_counted else 1])
            if not is_counted:
                must_end |= tf.cast(results[0], tf.float64) >= target_step
            return results, tf.reshape(must_end, [])

        with lifted.scope():
            window = Window(
                run_step,
                [self._loss_dtype] if is_counted else [tf.float64, self._loss_dtype],
                inputs=[tf.TensorSpec([], tf.float64)],
                rows=list(specs.values()),
                first=first,
                is_ordered=True,
                jit_compile=bool(self.jit_compile),
            )
        return _StepWindow(window, is_counted)

    def _make_sampled(
        self, every: int, names: Sequence[str], operations: Sequence[str]
    ) -> SampledWindow | None:
        lifted = self._lifted
        plain = lifted.part((), [self._loss.name], self._operations)
        sampled = lifted.part((), names, operations)
        specs = [lifted.spec(name) for name in names]
        step = lifted.variable(self._global_step)
        if any(spec.shape.rank != 0 or spec.dtype == tf.variant for spec in specs) or step.is_shared:
            return None
        if not (plain.increments_by_one(step) and sampled.increments_by_one(step)):
            return None

        def run_step() -> tuple[tf.Tensor, tf.Tensor]:
            (loss,), _ = plain.build(())
            return loss, self._must_end(loss)

        def run_sampled_step() -> tuple[list[tf.Tensor], tf.Tensor]:
            values, _ = sampled.build(())
            return values, self._must_end(values[0])

        dtypes = [self._loss_dtype, *(spec.dtype for spec in specs[1:])]
        with lifted.eager_mode(), lifted.scope():
            return SampledWindow(run_step, run_sampled_step, every, dtypes)

    def _must_end(self, loss: tf.Tensor) -> tf.Tensor:
        """Tells whether a window must end after a step with such a loss."""
        with tf.control_dependencies([loss]):  # a signal may come while the step waits for input
            must_stop = self._stop.read_value()
        return self._is_fatal(tf.cast(loss, self._loss_dtype)) | must_stop
