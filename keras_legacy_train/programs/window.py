"""Many steps in one call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow


class NotRunError(RuntimeError):
    """A step has waited for something that does not happen."""

    def __init__(self) -> None:
        super().__init__(
            "train_op was not run: something it waits for is on a branch that was not taken, or in the"
            " gradient of a while loop that has none."
        )


class Window:
    """Runs a step again and again in one call, and keeps what each returned.

    It is kept in variables, so that it outlives an error inside the call, which what a while loop carries
    does not.

    Args:
        run_step: Runs a step, given the window's inputs and then the step's rows. Returns its numbers, scalar
            tensors, and whether the window must end after it.
        dtypes: In what the numbers are kept: `tf.float32` or `tf.float64`, which holds step numbers exactly.
        inputs: The specifications of what each call of the window is given.
        rows: The specifications of what it is given beyond that: arrays with a row for each step.
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
        is_ordered: bool = False,
        jit_compile: bool = False,
    ):
        signature = [tf.TensorSpec([], tf.int64), *inputs, *rows]
        unset = unset_values(self.MAX_STEPS, dtypes[0])
        records = [make_record(self.MAX_STEPS, dtype) for dtype in dtypes]

        # The steps are counted down, since each number that a loop carries takes time in each of them.
        def run_one(left: tf.Tensor, at_most: tf.Tensor, *arguments: Any) -> tf.Tensor:
            given, arrays = arguments[: len(inputs)], arguments[len(inputs) :]
            numbers, must_end = run_step(*given, *(array[at_most - left] for array in arrays))
            for record, number in zip(records, numbers, strict=True):
                written = write(record, left - 1, number)
                if is_ordered:  # otherwise TensorFlow sees to it
                    require(written)
            return left_after(left, must_end)

        def loop(at_most: tf.Tensor, *arguments: Any) -> tf.Tensor:
            left = _tensorflow.while_loop(
                lambda left: left > 0, lambda left: run_one(left, at_most, *arguments), at_most
            )
            if is_ordered:
                require(left.op)
            return left

        run_loop = _tensorflow.wrap_function(loop, signature) if is_ordered else loop

        @tf.function(autograph=False, jit_compile=jit_compile or None)
        def window(at_most: tf.Tensor, *arguments: Any) -> tuple[tf.Tensor, list[tf.Tensor]]:
            records[0].assign(unset)
            # Cut off in here, they would have XLA compile the window for each number of steps.
            return run_loop(at_most, *arguments), [record.read_value() for record in records]

        self._records = records
        self._function = window.get_concrete_function(*signature)
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
            left, *records = _tensorflow.call(self._function, [self._count(at_most), *arguments])
        except tf.errors.OpError as error:
            return recorded(self._records, at_most), error
        if left.shape.rank != 0:
            raise NotRunError  # where nothing is computed, nothing has a shape
        return recorded(records, at_most), None


def left_after(left: tf.Tensor, must_end: tf.Tensor) -> tf.Tensor:
    """How many steps are left after one: none where it has ended the window."""
    return tf.where(must_end, tf.constant(0, tf.int64), left - 1)


def require(operation: tf.Operation) -> None:
    """Has the function that is being built run an operation to its end, although nothing depends on it."""
    tf.compat.v1.get_default_graph().control_outputs.append(operation)


def make_record(size: int, dtype: tf.DType) -> tf.Variable:
    """A variable that keeps numbers, which `write` puts in their places."""
    return tf.Variable(tf.zeros([size], dtype), trainable=False)


def write(record: tf.Variable, place: tf.Tensor, number: tf.Tensor) -> tf.Operation:
    """The operation that puts a number in its place."""
    if number.shape.rank != 0:
        number = tf.reshape(number, [])
    return tf.raw_ops.ResourceScatterUpdate(
        resource=record.handle, indices=place, updates=tf.cast(number, record.dtype)
    )


def recorded(records: Sequence[Any], at_most: int) -> list[np.ndarray]:
    """What the steps have recorded, in their order: the first one's numbers are in the last place."""
    columns = [np.asarray(record)[at_most - 1 :: -1] for record in records]
    done = np.count_nonzero(_bits(columns[0]) != -1)
    return [column[:done] for column in columns]


def unset_values(size: int, dtype: tf.DType) -> tf.Tensor:
    """Values that no step returns: NaNs with all bits set. Those of a computation have few."""
    bits = np.full([size], -1, f"int{8 * dtype.size}")
    return tf.constant(bits.view(dtype.as_numpy_dtype))


def _bits(column: np.ndarray) -> np.ndarray:
    return column.view(f"int{8 * column.itemsize}")
