"""The variables of a checkpoint: which name each has in the file, and whether all of them are finite."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable

import tensorflow as tf


@dataclasses.dataclass(frozen=True, eq=False)
class SavedVariable:
    """A variable and its place in a checkpoint.

    Attributes:
        key: The name in the file: the name TensorFlow 1 gave the variable or, for a slice of a partitioned
            variable, the name of the whole.
        variable: A resource variable of any dtype and shape; it may be uninitialised until it is restored.
        slice_spec: For a slice, the shape of the whole and the offset and length of the slice along each
            dimension, as in `tf.Variable.SaveSliceInfo.spec`: `"7 2 0,3:0,2"` is the first three rows of a
            7 x 2 matrix. Empty for a whole variable.
        optional: Whether a checkpoint without it may be restored; the variable is then left as it is.
    """

    key: str
    variable: tf.Variable
    slice_spec: str = ""
    optional: bool = False

    @property
    def saved_shape(self) -> tf.TensorShape:
        """The shape of the whole variable as the file has it; unknown if the variable's is."""
        if not self.slice_spec:
            return self.variable.shape
        *dimensions, _ = self.slice_spec.split()
        return tf.TensorShape([int(dimension) for dimension in dimensions])


def check_distinct(variables: Iterable[SavedVariable]) -> None:
    """Raises ValueError if two variables claim the same place, where one would overwrite the other."""
    places = collections.Counter((saved.key, saved.slice_spec) for saved in variables)
    twice = sorted({key for (key, _), count in places.items() if count > 1})
    if twice:
        raise ValueError(f"Several variables would be saved under one name: {', '.join(twice)}.")


def not_finite(variables: Iterable[tuple[str, tf.Variable]]) -> list[str]:
    """Returns the names, each once, of the floating point and complex variables with a NaN or an infinity.

    All are looked at on their devices and the host waits once, for a vector of booleans. There is no
    `tf.function` around it: tracing thousands of variables takes seconds, looking at them a fraction of one.
    """
    checked = [(name, v) for name, v in variables if v.dtype.is_floating or v.dtype.is_complex]
    if not checked:
        return []
    finite = tf.stack([_is_finite(variable.read_value()) for _, variable in checked]).numpy()
    return list(dict.fromkeys(name for (name, _), ok in zip(checked, finite, strict=True) if not ok))


def _is_finite(value: tf.Tensor) -> tf.Tensor:
    """Returns a bool scalar: whether all entries are finite."""
    if value.dtype.is_complex:
        return _is_finite(tf.math.real(value)) & _is_finite(tf.math.imag(value))
    return tf.reduce_all(tf.math.is_finite(value))
