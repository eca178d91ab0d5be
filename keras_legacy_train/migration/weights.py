"""Weights one by one, and the tensors of a checkpoint they are filled from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train.migration.names import (
    Parts,
    is_bookkeeping,
    split,
    tf1_spelling,
    with_keras_leaf,
    without_nameless_models,
)
from keras_legacy_train.migration.report import FilledWeight

# Reads a tensor of the checkpoint by its name.
Reader = Callable[[str], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of a checkpoint.

    Attributes:
        name: Its name.
        shape: Its shape, that of the whole if it is partitioned.
        dtype: Its dtype.
        spelling: Its name with the last part as Keras calls it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: tf.DType
    spelling: Parts

    @property
    def parts(self) -> Parts:
        return split(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def spellings(self) -> Sequence[Parts]:
        return self.spelling, self.spelling, self.parts


@dataclasses.dataclass(frozen=True, eq=False)
class Weight:
    """A weight of the model.

    Attributes:
        path: Its path, from the model on.
        variable: The weight itself.
    """

    path: str
    variable: keras.Variable

    @property
    def parts(self) -> Parts:
        return split(self.path)

    @property
    def spellings(self) -> Sequence[Parts | None]:
        """Its path; without the names of models; and for an embedding the path of its layer.

        An embedding was often a variable in no scope of its own.
        """
        *scope, leaf = with_keras_leaf(self.parts)
        named = without_nameless_models(tuple(scope))
        return (*scope, leaf), (*named, leaf), named if named and leaf == "embeddings" else None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.variable.shape)

    def is_like(self, tensor: Tensor) -> bool:
        """Whether a tensor of its name would be its counterpart, if only it fitted."""
        return True

    def problem(self, tensor: Tensor) -> str | None:
        """Why it cannot be filled from a tensor, or `None` if it can."""
        if tensor.shape != self.shape:
            return (
                f"{self.path}: shape {list(self.shape)} in the model, but {tensor.name} has shape"
                f" {list(tensor.shape)} in the checkpoint"
            )
        return self.dtype_problem(tensor)

    def dtype_problem(self, tensor: Tensor) -> str | None:
        """Why it cannot be filled from a tensor of that dtype, or `None` if it can."""
        ours, theirs = tf.as_dtype(self.variable.dtype), tensor.dtype
        if ours == theirs or (ours.is_floating and theirs.is_floating):
            return None
        return (
            f"{self.path}: {ours.name} in the model, but {tensor.name} is {theirs.name} in the checkpoint;"
            " only floats are converted, to floats"
        )

    def filled(
        self, tensor: Tensor, read: Reader, forget_bias: float
    ) -> list[tuple[FilledWeight, keras.Variable, np.ndarray]]:
        """What goes into it from a tensor."""
        return [with_value(self, (tensor.name,), read(tensor.name))]


def with_value(
    weight: Weight, sources: tuple[str, ...], value: np.ndarray, note: str = ""
) -> tuple[FilledWeight, keras.Variable, np.ndarray]:
    """A weight with what goes into it, converted to its dtype.

    Raises:
        OverflowError: Finite numbers would become infinite.
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


def tensors_of(
    shapes: Mapping[str, Sequence[int]], dtypes: Mapping[str, tf.DType]
) -> tuple[list[Tensor], list[Tensor]]:
    """The tensors of a checkpoint: the weights, and what is no weight.

    Args:
        shapes: The shapes by the names.
        dtypes: The dtypes by the names.
    """
    weights: list[Tensor] = []
    bookkeeping: list[Tensor] = []
    for name in sorted(shapes):
        tensor = Tensor(name, tuple(shapes[name]), dtypes[name], tf1_spelling(name, shapes))
        (bookkeeping if is_bookkeeping(name, shapes) else weights).append(tensor)
    return weights, bookkeeping
