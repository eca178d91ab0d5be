"""Describes the weights of a model, and the tensors of a checkpoint that they are filled from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train.migration.names import (
    Parts,
    is_bookkeeping,
    split_name,
    tf1_spelling,
    with_keras_leaf,
    without_default_model_names,
)
from keras_legacy_train.migration.report import FilledWeight

# Reads a tensor of the checkpoint by its name.
Reader = Callable[[str], np.ndarray]

# The report's entry for a weight, the weight, and the value to assign.
Assignment = tuple[FilledWeight, keras.Variable, np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Tensor:
    """Describes a tensor of a checkpoint.

    Attributes:
        name: Its name.
        shape: Its shape; of a partitioned variable the shape of the whole.
        dtype: Its dtype.
        spelling: Its name with the last part as in Keras.
    """

    name: str
    shape: tuple[int, ...]
    dtype: tf.DType
    spelling: Parts

    @property
    def parts(self) -> Parts:
        return split_name(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def spellings(self) -> Sequence[Parts]:
        return self.spelling, self.spelling, self.parts


@dataclasses.dataclass(frozen=True, eq=False)
class Weight:
    """Describes a weight of the model.

    Attributes:
        path: Its path, relative to the model.
        variable: The weight itself.
    """

    path: str
    variable: keras.Variable

    @property
    def parts(self) -> Parts:
        return split_name(self.path)

    @property
    def spellings(self) -> Sequence[Parts | None]:
        """Returns the names by which it can be found, the strictest first.

        They are its path; its path without the names that Keras gives to models; and for an embedding, which
        often had no scope of its own, the path of its layer.
        """
        *scope, leaf = with_keras_leaf(self.parts)
        named = without_default_model_names(tuple(scope))
        return (*scope, leaf), (*named, leaf), named if named and leaf == "embeddings" else None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.variable.shape)

    def could_match(self, tensor: Tensor) -> bool:
        """Returns whether a tensor of the same name is its counterpart, whatever the shape."""
        return True

    def mismatch(self, tensor: Tensor) -> str | None:
        """Says why a tensor does not fit; `None` if it fits."""
        if tensor.shape != self.shape:
            return (
                f"{self.path}: shape {list(self.shape)} in the model, but {tensor.name} has shape"
                f" {list(tensor.shape)} in the checkpoint"
            )
        return self.dtype_mismatch(tensor)

    def dtype_mismatch(self, tensor: Tensor) -> str | None:
        """Says why the dtype of a tensor does not fit; `None` if it fits."""
        ours, theirs = tf.as_dtype(self.variable.dtype), tensor.dtype
        if ours == theirs or (ours.is_floating and theirs.is_floating):
            return None
        return (
            f"{self.path}: {ours.name} in the model, but {tensor.name} is {theirs.name} in the checkpoint;"
            " only floats are converted, to floats"
        )

    def assignments(self, tensor: Tensor, read: Reader, forget_bias: float) -> list[Assignment]:
        """Returns its value, read from a tensor. Takes the same arguments as `Cell.assignments`.

        Raises:
            OverflowError: The value is too large for the weight's dtype.
        """
        return [make_assignment(self, (tensor.name,), read(tensor.name))]


def make_assignment(
    weight: Weight, sources: tuple[str, ...], value: np.ndarray, note: str = ""
) -> Assignment:
    """Converts a value to the dtype of a weight.

    Args:
        weight: The weight.
        sources: The names in the checkpoint that the value comes from.
        value: The value, of the weight's shape.
        note: How the value was converted so far, in words.

    Returns:
        The assignment, whose note tells of the conversion.

    Raises:
        OverflowError: A finite number would become infinite.
    """
    dtype = tf.as_dtype(weight.variable.dtype)
    if value.dtype != dtype.as_numpy_dtype:
        note = "; ".join(filter(None, [note, f"{value.dtype} converted to {dtype.name}"]))
        with np.errstate(over="ignore"):
            cast = value.astype(dtype.as_numpy_dtype)
        if not np.array_equal(np.isfinite(cast), np.isfinite(value)):
            raise OverflowError(
                f"{weight.path}: numbers in {', '.join(sources)} are too large for {dtype.name}"
            )
        value = cast
    return FilledWeight(weight.path, sources, note), weight.variable, value


def split_tensors(
    shapes: Mapping[str, Sequence[int]], dtypes: Mapping[str, tf.DType]
) -> tuple[list[Tensor], list[Tensor]]:
    """Splits the tensors of a checkpoint into weights and others: of optimizers, averages and counters.

    Args:
        shapes: The shapes by name.
        dtypes: The dtypes by name.
    """
    weights: list[Tensor] = []
    bookkeeping: list[Tensor] = []
    for name in sorted(shapes):
        tensor = Tensor(name, tuple(shapes[name]), dtypes[name], tf1_spelling(name, shapes))
        (bookkeeping if is_bookkeeping(name, shapes) else weights).append(tensor)
    return weights, bookkeeping
