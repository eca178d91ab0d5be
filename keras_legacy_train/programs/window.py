"""Runs many steps in one call."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.programs.record import StepRecord, any_left, require, steps_left


class NotRunError(RuntimeError):
    """Is raised when a step has waited for something that does not happen."""

    def __init__(self) -> None:
        super().__init__(
            "train_op was not run: something it waits for is on a branch that was not taken, or in the"
            " gradient of a while loop that has none."
        )


class Window:
    """Runs a step again and again in one call, and keeps the numbers of each.

    They are kept in variables: what a while loop carries is lost when an error is raised inside the call.

    Args:
        run_step: Runs a step, given the window's inputs, then the step's rows, then what the step before has
            carried over. Returns its numbers, scalar tensors, and behind them what it carries over to the
            next one; and whether the window must end after it.
        dtypes: In what the numbers are kept: `tf.float32` or `tf.float64`, which holds step numbers exactly.
        inputs: The specifications of what each call of the window is given.
        rows: The specifications of further arguments: arrays with a row for each step.
        first: Called inside the window; returns what is carried over to its first step.
        is_ordered: Whether the stateful operations of a step have the control inputs that they need, so that
            TensorFlow need not order them as they come.
        jit_compile: Whether XLA compiles the window.
    """

    # The longest window.
    MAX_STEPS = 16_384

    def __init__(
        self,
        run_step: Callable[..., tuple[Sequence[tf.Tensor], tf.Tensor]],
        dtypes: Sequence[tf.DType],
        *,
        inputs: Sequence[tf.TypeSpec] = (),
        rows: Sequence[tf.TypeSpec] = (),
        first: Callable[[], Sequence[tf.Tensor]] = tuple,
        is_ordered: bool = False,
        jit_compile: bool = False,
    ):
        signature = [tf.TensorSpec([], tf.int64), *inputs, *rows]
        # XLA would compile a slice anew for each number of steps; otherwise a slice copies nothing.
        take = tf.gather if jit_compile else operator.getitem
        record = StepRecord(self.MAX_STEPS, dtypes)

        # The steps are counted down, since each number that a loop carries takes time in each of them.
        def loop(at_most: tf.Tensor, *arguments: Any) -> tf.Tensor:
            given, arrays = arguments[: len(inputs)], arguments[len(inputs) :]

            def run_one(left: tf.Tensor, *carried: tf.Tensor) -> list[tf.Tensor]:
                row = [take(array, at_most - left) for array in arrays]
                results, must_end = run_step(*given, *row, *carried)
                written = record.write(left - 1, results[: len(dtypes)])
                if is_ordered:  # otherwise TensorFlow sees to it
                    require(written)
                return [steps_left(left, must_end), *results[len(dtypes) :]]

            left = _tensorflow.while_loop(any_left, run_one, at_most, first())
            if is_ordered:
                require([left.op])
            return left

        run_loop = _tensorflow.wrap_function(loop, signature) if is_ordered else loop

        def window(at_most: tf.Tensor, *arguments: Any) -> tuple[tf.Tensor, list[tf.Tensor]]:
            record.clear()
            # All places are read: cut off in here, they would have XLA compile each number of steps anew.
            return run_loop(at_most, *arguments), record.read()

        self._record = record
        function = tf.function(window, autograph=False, jit_compile=jit_compile or None)
        self._function = function.get_concrete_function(*signature)
        self._count = functools.lru_cache(maxsize=16)(functools.partial(tf.constant, dtype=tf.int64))

    def warm_up(self, *inputs: Any) -> None:
        """Has TensorFlow optimize the function, and runs no step."""
        _tensorflow.call(self._function, [self._count(0), *inputs])

    def run(self, at_most: int, *arguments: Any) -> tuple[list[np.ndarray], tf.errors.OpError | None]:
        """Runs steps until one says that it is the last: at least one, `at_most` at the most.

        Args:
            at_most: The largest number of steps.
            arguments: The inputs, and the arrays of rows.

        Returns:
            For each of a step's numbers those of all steps done, `[n]`; and the error that ended the window,
            if one did. The step that raised it has no number.

        Raises:
            NotRunError: A step has not been run to its end.
        """
        try:
            left, *values = _tensorflow.call(self._function, [self._count(at_most), *arguments])
        except tf.errors.OpError as error:
            # Frames of a traceback would keep the inputs, an iterator among them, until garbage is collected.
            error.__context__ = None
            return self._record.rows(at_most), error.with_traceback(None)
        if left.shape.rank != 0:
            raise NotRunError  # where nothing is computed, nothing has a shape
        return self._record.rows(at_most, values), None
