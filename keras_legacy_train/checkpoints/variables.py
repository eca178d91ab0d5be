"""Names the variables of a checkpoint, and finds those that are not finite."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

# How many numbers are looked at at once.
_PIECE = 2**18


@dataclasses.dataclass(frozen=True, eq=False)
class SavedVariable:
    """Pairs a variable with its place in a checkpoint.

    Attributes:
        key: The name in the file: the name TensorFlow 1 gave the variable or, for a slice of a partitioned
            variable, the name of the whole.
        variable: A resource variable of any dtype and shape; it may be uninitialised until it is restored.
        slice_spec: For a slice, the shape of the whole and the offset and length of the slice along each
            dimension, as in `tf.Variable.SaveSliceInfo.spec`: `"7 2 0,3:0,2"` is the first three rows of a
            7 x 2 matrix. Empty for a whole variable.
        optional: Whether a checkpoint without it may be restored. The variable then keeps its value.
    """

    key: str
    variable: tf.Variable
    slice_spec: str = ""
    optional: bool = False

    @property
    def saved_shape(self) -> tf.TensorShape:
        """Returns the shape of the whole variable in the file; unknown if the variable's is unknown."""
        if not self.slice_spec:
            return self.variable.shape
        *dimensions, _ = self.slice_spec.split()
        return tf.TensorShape([int(dimension) for dimension in dimensions])


def check_distinct(variables: Iterable[SavedVariable]) -> None:
    """Raises ValueError if two variables have the same place, so that one would overwrite the other."""
    places = collections.Counter((saved.key, saved.slice_spec) for saved in variables)
    twice = sorted({key for (key, _), count in places.items() if count > 1})
    if twice:
        raise ValueError(f"Several variables would be saved under one name: {', '.join(twice)}.")


def host_copy(value: tf.Tensor) -> tf.Tensor:
    """Returns the value in host memory.

    If it is there already, nothing is copied: the next assignment to a variable takes another buffer, and
    leaves this one to its readers.
    """
    with tf.device("CPU:0"):
        return tf.identity(value)


def not_finite(values: Iterable[tuple[str, tf.Tensor]]) -> list[str]:
    """Returns the names, each once, of the floating point and complex values with a NaN or an infinity."""
    return list(dict.fromkeys(name for name, value in values if not _all_finite(value)))


def count_not_finite(values: Iterable[tuple[str, tf.Tensor]]) -> list[tuple[str, int, int, int]]:
    """Counts the entries of each value that is not finite.

    Returns:
        For each its name, and how many entries are NaN, how many of the others infinite, and how many it has.
    """
    counted = []
    for name, value in values:
        if not _all_finite(value):
            nan = tf.math.reduce_any([tf.math.is_nan(part) for part in _parts(value)], axis=0)
            infinite = tf.math.reduce_any([tf.math.is_inf(part) for part in _parts(value)], axis=0) & ~nan
            counted.append((name, _count(nan), _count(infinite), int(tf.size(value))))
    return counted


def _all_finite(value: tf.Tensor) -> bool:
    if not (value.dtype.is_floating or value.dtype.is_complex):
        return True
    # In pieces, so that intermediate results take little memory. NumPy does not make a kernel for each dtype.
    numbers = np.asarray(value).reshape(-1)
    return all(np.isfinite(numbers[first : first + _PIECE]).all() for first in range(0, numbers.size, _PIECE))


def _parts(value: tf.Tensor) -> list[tf.Tensor]:
    """Returns the floating point parts of a value: itself, its real and its imaginary part, or none."""
    if value.dtype.is_complex:
        return [tf.math.real(value), tf.math.imag(value)]
    return [value] if value.dtype.is_floating else []


def _count(marked: tf.Tensor) -> int:
    return int(tf.math.count_nonzero(marked))
