"""Runs a computation many times in one call, and keeps its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.programs.record import any_left, require


class OutputWindow:
    """Runs a computation again and again in one call, and keeps its outputs, which have one shape each.

    They are kept in variables: what a while loop carries is lost when an error is raised inside the call. A
    run with outputs of other shapes, such as the last batch of an input, ends the window.

    Args:
        compute: Computes the outputs, given a row of each array. It is called while a function is built.
        outputs: The specifications of the outputs, of static shapes.
        size: The largest number of runs.
        rows: The specifications of arrays with a row for each run.

    Attributes:
        size: As given.
    """

    def __init__(
        self,
        compute: Callable[..., Sequence[tf.Tensor]],
        outputs: Sequence[tf.TensorSpec],
        size: int,
        rows: Sequence[tf.TensorSpec] = (),
    ):
        signature = [tf.TensorSpec([], tf.int64), *rows]
        shapes = [tuple(spec.shape) for spec in outputs]
        self.size = size
        self._done = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._has_odd = tf.Variable(False, trainable=False)
        # If TensorFlow's optimizer knew their shapes, it would take these for those of the values, always.
        self._kept = [_variable([size, *spec.shape], spec.dtype) for spec in outputs]
        self._odd = [_variable([0], spec.dtype) for spec in outputs]

        def keep(values: Sequence[tf.Tensor], place: tf.Tensor) -> tf.Tensor:
            writes = [
                tf.raw_ops.ResourceScatterUpdate(resource=variable.handle, indices=place, updates=value)
                for variable, value in zip(self._kept, values, strict=True)
            ]
            with tf.control_dependencies(writes):
                counted = tf.raw_ops.AssignAddVariableOp(
                    resource=self._done.handle, value=tf.constant(1, tf.int64)
                )
            with tf.control_dependencies([counted]):
                return tf.constant(False)

        def keep_odd(values: Sequence[tf.Tensor]) -> tf.Tensor:
            writes = [
                tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)
                for variable, value in zip(self._odd, values, strict=True)
            ]
            with tf.control_dependencies(writes):
                noted = tf.raw_ops.AssignVariableOp(resource=self._has_odd.handle, value=True)
            with tf.control_dependencies([noted]):
                return tf.constant(True)

        def run_one(left: tf.Tensor, at_most: tf.Tensor, *arrays: tf.Tensor) -> tf.Tensor:
            place = at_most - left
            values = compute(*(array[place] for array in arrays))
            if all(value.shape == shape for value, shape in zip(values, shapes, strict=True)):
                must_end = keep(values, place)
            else:
                fits = tf.reduce_all([_has_shape(v, shape) for v, shape in zip(values, shapes, strict=True)])
                must_end = tf.cond(fits, lambda: keep(values, place), lambda: keep_odd(values))
            return tf.where(must_end, tf.constant(0, tf.int64), left - 1)

        def loop(at_most: tf.Tensor, *arrays: tf.Tensor) -> tf.Tensor:
            left = _tensorflow.while_loop(any_left, lambda left: run_one(left, at_most, *arrays), at_most)
            require([left.op])
            return left

        run_loop = _tensorflow.wrap_function(loop, signature)

        def window(at_most: tf.Tensor, *arrays: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            self._done.assign(0)
            self._has_odd.assign(False)
            left = run_loop(at_most, *arrays)
            done = self._done.read_value()
            return left, [variable.read_value()[:done] for variable in self._kept]

        function = tf.function(window, autograph=False)
        self._function = function.get_concrete_function(*signature)

    def run(
        self, at_most: int, *arrays: np.ndarray
    ) -> tuple[list[np.ndarray], list[np.ndarray] | None, tf.errors.OpError | None]:
        """Runs the computation, at most so many times.

        Args:
            at_most: The largest number of runs, no more than the size of the window.
            arrays: What the runs are given, each with a row for each of them.

        Returns:
            For each output an array of those of all runs, `[n, …]`; the outputs of the run that ended the
            window, if these have other shapes; and the error that ended it, if one did.
        """
        error: tf.errors.OpError | None = None
        try:
            count = tf.constant(at_most, tf.int64)
            _, *kept = _tensorflow.call(self._function, [count, *map(tf.constant, arrays)])
        except tf.errors.OpError as raised:
            error = raised
            done = int(self._done.numpy())
            kept = [variable[:done] for variable in self._kept]
        odd = [variable.numpy() for variable in self._odd] if self._has_odd.numpy() else None
        return [value.numpy() for value in kept], odd, error


def _variable(dimensions: Sequence[int], dtype: tf.DType) -> tf.Variable:
    """Returns a variable of unknown shape."""
    return tf.Variable(tf.zeros(dimensions, dtype), trainable=False, shape=tf.TensorShape(None))


def _has_shape(value: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    if value.shape.rank is not None and not value.shape.is_compatible_with(shape):
        return tf.constant(False)
    same_rank = tf.equal(tf.rank(value), len(shape))
    if value.shape.rank is not None:
        return tf.reduce_all(tf.equal(tf.shape(value), tf.constant(shape, tf.int32, [len(shape)])))
    return tf.cond(
        same_rank,
        lambda: tf.reduce_all(tf.equal(tf.shape(value), tf.constant(shape, tf.int32, [len(shape)]))),
        lambda: tf.constant(False),
    )
