"""Keeps numbers of the steps of a window in variables, so that they outlive an error inside the call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


class StepRecord:
    """Has a place for each step of a window and writes its numbers there, from the last place to the first.

    A window counts its steps down, so a step's place is the number of steps left after it.

    Args:
        size: The number of places.
        dtypes: The dtypes of a step's numbers. The first is `tf.float32` or `tf.float64` where the steps that
            have written are counted.
    """

    def __init__(self, size: int, dtypes: Sequence[tf.DType]):
        self._variables = [tf.Variable(tf.zeros([size], dtype), trainable=False) for dtype in dtypes]

    def clear(self) -> None:
        """Marks all places as unset. Called inside the window's function."""
        with tf.init_scope():  # so that the function's graph does not hold a constant of this size
            unset = _unset_values(self._variables[0])
        self._variables[0].assign(unset)

    def write(self, place: tf.Tensor, numbers: Sequence[tf.Tensor]) -> list[tf.Operation]:
        """Returns the operations that write a step's numbers, scalars or of shape `[1]`."""
        return [
            tf.raw_ops.ResourceScatterUpdate(
                resource=variable.handle,
                indices=place,
                updates=tf.cast(number if number.shape.rank == 0 else tf.reshape(number, []), variable.dtype),
            )
            for variable, number in zip(self._variables, numbers, strict=True)
        ]

    def read(self) -> list[tf.Tensor]:
        """Reads the places, inside the window's function."""
        return [variable.read_value() for variable in self._variables]

    def rows(
        self, count: int, values: Sequence[Any] | None = None, done: int | None = None
    ) -> list[np.ndarray]:
        """Returns the numbers in the order of the steps.

        Args:
            count: The number of steps in the window. The first step's numbers are at the place `count - 1`.
            values: The result of `read`; by default what the variables hold now.
            done: The number of steps done; by default those that have written, where `clear` came before.

        Returns:
            For each number an array `[done]`.
        """
        columns = [
            np.asarray(each)[count - 1 :: -1] for each in (self._variables if values is None else values)
        ]
        if done is None:
            bits = columns[0].view(f"int{8 * columns[0].itemsize}")
            done = int(np.count_nonzero(bits != -1))
        return [column[:done] for column in columns]


def require(operations: Sequence[tf.Operation]) -> None:
    """Has the function that is being built run operations to their end, although nothing depends on them."""
    tf.compat.v1.get_default_graph().control_outputs.extend(operations)


def any_left(left: tf.Tensor) -> tf.Tensor:
    """Returns whether there are steps left; to compare the number with zero would take an operation more."""
    return tf.cast(left, tf.bool)


def steps_left(left: tf.Tensor, must_end: tf.Tensor) -> tf.Tensor:
    """Returns how many steps are left after one: none where it ends the window."""
    return tf.where(must_end, tf.constant(0, tf.int64), left - 1)


def _unset_values(variable: tf.Variable) -> tf.Tensor:
    """Returns values that no step computes: NaNs with all bits set. Those of a computation have few."""
    bits = np.full(variable.shape, -1, f"int{8 * variable.dtype.size}")
    return tf.constant(bits.view(variable.dtype.as_numpy_dtype))
