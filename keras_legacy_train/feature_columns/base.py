"""Says what a feature column is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

v1 = tf.compat.v1


class Lookup(NamedTuple):
    """Says which rows of a matrix of weights an example adds up.

    Attributes:
        ids: Numbers of rows, a `SparseTensor` of shape `[batch, ...]`.
        weights: Their weights, a `SparseTensor` of the same shape; `None` for ones.
        vocab_size: The number of rows.
        combiner: How rows are combined: "sum", "mean" or "sqrtn".
    """

    ids: Any
    weights: Any
    vocab_size: int
    combiner: str


@dataclasses.dataclass(frozen=True)
class FeatureColumn:
    """Says how a feature is read and what a model makes of it.

    A column is a key in the dict of features, too: `insert_transformed_feature` puts what it makes of
    features there.
    """

    @property
    def name(self) -> str:
        """Returns the name of the column, which its variables have in theirs."""
        raise NotImplementedError

    @property
    def config(self) -> dict[str, Any]:
        """Returns how the features are parsed from a `tf.train.Example`."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Returns a text that tells the column from others. Models take columns in its order."""
        # Private classes had these names, and checkpoints have the order that they made.
        return f"_{self!r}"

    def transform(self, features: Mapping[Any, Any]) -> Any:
        """Returns what the column makes of features.

        Args:
            features: Tensors by key, and those of other columns by column.
        """
        raise NotImplementedError

    def insert_transformed_feature(self, columns_to_tensors: dict[Any, Any]) -> None:
        """Adds what the column makes of features to them.

        Args:
            columns_to_tensors: The features by key.
        """
        columns_to_tensors[self] = self.transform(columns_to_tensors)

    def transformed(self, features: Any) -> Any:
        """Returns what the column makes of features, which is made once only.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        if self not in features:
            self.insert_transformed_feature(features)
        return features[self]

    def lookup(self, features: Any) -> Lookup | None:
        """Returns the rows of weights of a linear model; `None` for a column of plain numbers.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.

        Raises:
            ValueError: Linear models do not take the column.
        """
        raise ValueError(f"Column {self} is not supported in linear models. Please use sparse_column.")

    def input_layer(self, features: Any, weight_collections: Any, trainable: bool) -> Any:
        """Returns the input of a network, of shape `[batch, size]`.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
            weight_collections: Collections that variables are added to.
            trainable: Whether variables are trained.

        Raises:
            ValueError: Networks do not take the column.
        """
        raise ValueError(
            f"{type(self).__name__} is not supported in DNN. Please use embedding_column or one_hot_column."
            f" column: {self}"
        )

    def key_without(self, *left_out: str) -> str:
        """Returns the key, without some fields.

        Args:
            *left_out: Names of fields that may differ between columns that are the same.
        """
        fields = (field.name for field in dataclasses.fields(self) if field.name not in left_out)
        listed = ", ".join(f"{name}={getattr(self, name)}" for name in fields)
        return f"_{type(self).__name__}({listed})"


def feature(features: Mapping[Any, Any], name: str) -> Any:
    """Returns a feature.

    Args:
        features: Tensors by key.
        name: The key.

    Raises:
        ValueError: It is missing.
    """
    if name not in features:
        present = sorted(key for key in features if isinstance(key, str))
        raise ValueError(f"Feature {name!r} missing from {present}.")
    return features[name]


def as_matrix(tensor: Any) -> Any:
    """Returns a tensor, dense or sparse, with all dimensions but the first made into one.

    Args:
        tensor: A tensor of shape `[batch]` or `[batch, ...]`.
    """
    if isinstance(tensor, tf.SparseTensor):
        if tensor.shape.rank == 2:
            return tensor
        shape = tensor.dense_shape
        return tf.sparse.reshape(tensor, tf.stack([shape[0], tf.reduce_prod(shape[1:])]))
    if tensor.shape.rank == 2:
        return tensor
    if tensor.shape.rank == 1:
        return tf.expand_dims(tensor, -1)
    known = tensor.shape[1:].num_elements() if tensor.shape.rank else None
    outputs = tf.reshape(tensor, tf.concat([tf.shape(tensor)[:1], [-1]], 0))
    outputs.set_shape([tensor.shape[0] if tensor.shape.rank else None, known])
    return outputs


def as_sparse(tensor: Any, ignored: Any = None) -> Any:
    """Returns a sparse tensor, of a dense one without the entries of one value.

    Args:
        tensor: A tensor.
        ignored: The value to leave out; by default `""` or zero.
    """
    if isinstance(tensor, tf.SparseTensor):
        return tensor
    tensor = tf.convert_to_tensor(tensor)
    if ignored is None:
        ignored = "" if tensor.dtype == tf.string else 0
    indices = tf.where(tf.not_equal(tensor, tf.cast(ignored, tensor.dtype)))
    return tf.SparseTensor(indices, tf.gather_nd(tensor, indices), tf.shape(tensor, out_type=tf.int64))


def with_values(ids: Any, values: Any) -> Any:
    """Returns a sparse tensor with other values.

    Args:
        ids: A `SparseTensor`.
        values: As many values.
    """
    return tf.SparseTensor(ids.indices, values, ids.dense_shape)
