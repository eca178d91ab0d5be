"""Makes windows over a part of a TF 1 graph, keeps them, and runs them."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.garbage import collector_paused
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.programs.compiling import Compilation
from keras_legacy_train.programs.prefetched_feeds import row_specs
from keras_legacy_train.programs.sampled_window import SampledWindow
from keras_legacy_train.programs.stacked_input import StackedInput
from keras_legacy_train.programs.window import Window


class _StepWindow(NamedTuple):
    """Holds a window, and whether it is counted: each of its steps raises the global step by one.

    One that is not counted records the global step of each step, and ends by itself at its target step.
    """

    window: Window
    is_counted: bool


# The steps that have been run, their losses, and the error that ended them.
_Done = tuple[np.ndarray, np.ndarray, tf.errors.OpError | None]


class _NotCompiledError(Exception):
    """Is raised when XLA cannot compile a window."""

    def __init__(self, error: tf.errors.OpError):
        super().__init__(error.message)
        self.error = error


class GraphWindows:
    """Runs many steps of a lifted graph in one call.

    Args:
        lifted: The graph.
        operations: Names of the operations that a step runs.
        loss: The loss, a tensor that holds one number.
        global_step: Name of the variable that counts the steps.
        is_fatal: Tells of a loss (a float64 scalar tensor) whether a window must end at it.
        jit_compile: Whether windows are compiled by XLA; see `Compilation`.
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
        self._windows: dict[tuple[bool, tuple[tuple[str, tf.TensorSpec], ...]], _StepWindow] = {}
        self._compilation = Compilation(lifted, loss.name, self._operations, jit_compile)
        self._sampled: dict[tuple[int, Sequence[str], Sequence[str]], SampledWindow | None] = {}
        self._executor: concurrent.futures.ThreadPoolExecutor | None = None
        self._coming: concurrent.futures.Future[_StepWindow] | None = None

    @property
    def may_be_compiled(self) -> bool:
        """Returns whether XLA compiles windows, or may do so."""
        return self._compilation.is_possible

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
        compiles, taken = self._compilation.compiles_next(), self._compilation.input
        began = time.perf_counter()
        try:
            if taken is not None and not feeds and (compiles or taken.is_waiting):
                steps, losses, error = self._run_blocks(taken, step, target_step, at_most, compiles)
            else:
                steps, losses, error = self._run(step, target_step, at_most, feeds, compiles)
        except _NotCompiledError as failure:
            self._compilation.give_up(failure.error)
            self._windows.clear()
            return self.run(step, target_step, at_most, feeds)
        if error is not None:
            self._lifted.explain(error)
        self._compilation.ran(len(steps), time.perf_counter() - began)
        return steps.astype(np.int64), losses.astype(self._loss.dtype.as_numpy_dtype), error

    def take_input(self) -> dict[str, np.ndarray]:
        """Removes and returns the input of the next step, if it has been taken ahead and not been used.

        Raises:
            tf.errors.OpError: To take it has failed.
        """
        taken = self._compilation.input
        if taken is None:
            return {}
        try:
            with self._lifted.eager_mode():
                return taken.take_one()
        except tf.errors.OpError as error:
            self._lifted.explain(error)
            raise

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

    def _run(
        self, step: int, target_step: float, at_most: int, feeds: Mapping[str, Any], compiles: bool
    ) -> _Done:
        with self._lifted.eager_mode():
            window, is_counted = self._window(feeds, compiles)
            # A counted window need not know its end, and to make a tensor takes its time.
            end = self._no_end if is_counted else tf.constant(target_step, tf.float64)
            (*numbers, losses), error = window.run(at_most, end, *map(tf.constant, feeds.values()))
        if compiles and isinstance(error, tf.errors.InvalidArgumentError):
            raise _NotCompiledError(error)
        return step + 1 + np.arange(len(losses)) if is_counted else numbers[0], losses, error

    def _run_blocks(
        self, taken: StackedInput, step: int, target_step: float, at_most: int, compiles: bool
    ) -> _Done:
        """Runs steps whose input is taken ahead."""
        with self._lifted.eager_mode():
            taken.fill(at_most)
        done: list[_Done] = []
        while taken.blocks and at_most:
            block = taken.blocks[0]
            number = min(at_most, block.number)
            is_compiled = compiles and block.is_usual
            steps, losses, error = self._run(step, target_step, number, block.rows, is_compiled)
            done.append((steps, losses, error))
            taken.drop(len(losses))
            at_most -= number
            if len(losses) < number:
                break
            step = int(steps[-1])
        if not done:
            return np.zeros([0]), np.zeros([0]), taken.take_error()
        numbers, all_losses, errors = zip(*done, strict=True)
        return np.concatenate(numbers), np.concatenate(all_losses), errors[-1]

    def _window(self, feeds: Mapping[str, np.ndarray], compiles: bool) -> _StepWindow:
        specs = row_specs(self._lifted, feeds)
        key = compiles, tuple(specs.items())
        self._forget_outdated()
        if key not in self._windows:
            coming, self._coming = self._coming, None
            self._windows[key] = self._make(specs, compiles) if coming is None else coming.result()
        return self._windows[key]

    def _forget_outdated(self) -> None:
        """Lets go of windows whose nodes have been rewritten since they were made."""
        if self._rewrites != self._lifted.rewrites:
            self._windows.clear()
            self._sampled.clear()
            self._coming = None
            self._rewrites = self._lifted.rewrites

    def _make_warm(self) -> _StepWindow:
        with self._lifted.eager_mode():
            made = self._make({}, compiles=False)
            made.window.warm_up(self._no_end)
        return made

    @collector_paused()
    def _make(self, specs: Mapping[str, tf.TensorSpec], compiles: bool) -> _StepWindow:
        lifted, progress = self._lifted, [f"{self._global_step}:0", self._loss.name]
        part = lifted.part(specs, progress[1:], self._operations)
        step = lifted.variable(self._global_step)
        # Other processes may raise a step that is shared.
        is_counted = not step.is_shared and part.increments_by_one(step)
        if not is_counted:
            part = lifted.part(specs, progress, self._operations)
        calls = None if compiles else lifted.server_calls(part)
        if calls is not None:
            part = calls.step

        # It is for few steps, and what is taken should be used.
        input_is_taken = self._compilation.input is not None and bool(specs)

        def first() -> list[tf.Tensor]:
            return [] if calls is None else calls.first.build(())[0]

        def run_step(target_step: tf.Tensor, *feeds: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
            results, _ = part.build(feeds)
            must_end = self._must_end(results[0 if is_counted else 1], hears_stop=not input_is_taken)
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
                jit_compile=compiles,
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

    def _must_end(self, loss: tf.Tensor, *, hears_stop: bool = True) -> tf.Tensor:
        """Tells whether a window must end after a step with such a loss."""
        is_fatal = self._is_fatal(tf.cast(loss, self._loss_dtype))
        if not hears_stop:
            return is_fatal
        with tf.control_dependencies([loss]):  # a signal may come while the step waits for input
            must_stop = self._stop.read_value()
        return is_fatal | must_stop
