"""Has columns that are inputs of networks: numbers, buckets of numbers, and categories as vectors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import framework
from keras_legacy_train.feature_columns.base import FeatureColumn, Lookup, as_matrix, feature
from keras_legacy_train.feature_columns.sparse import SparseColumn, WeightedSparseColumn

v1 = tf.compat.v1


@dataclasses.dataclass(frozen=True)
class RealValuedColumn(FeatureColumn):
    """Takes a feature of a fixed number of numbers.

    Attributes:
        column_name: Key of the feature; `""` where the features are one tensor.
        dimension: How many numbers an example has.
        default_value: The numbers of an example that lacks them; `None` if it must not.
        dtype: Their dtype.
        normalizer: Function applied to them.
    """

    column_name: str
    dimension: int
    default_value: tuple[Any, ...] | None = None
    dtype: tf.DType = tf.float32
    normalizer: Callable[[Any], Any] | None = None

    @property
    def name(self) -> str:
        """Returns the key of the feature."""
        return self.column_name

    @property
    def key(self) -> str:
        """Returns a text that tells the column from others, without its normalizer."""
        return self.key_without("normalizer")

    @property
    def config(self) -> dict[str, Any]:
        """Returns how the feature is parsed from a `tf.train.Example`."""
        default = None if self.default_value is None else list(self.default_value)
        return {self.column_name: tf.io.FixedLenFeature([self.dimension], self.dtype, default)}

    def transform(self, features: Any) -> Any:
        """Returns the numbers, as `float32`.

        Args:
            features: Tensors by key.
        """
        value = feature(features, self.column_name)
        return tf.cast(value if self.normalizer is None else self.normalizer(value), tf.float32)

    def lookup(self, features: Any) -> None:
        """Returns `None`: a linear model has one weight for each number.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """

    def input_layer(self, features: Any, weight_collections: Any = None, trainable: bool = True) -> Any:
        """Returns the numbers, of shape `[batch, dimension]`.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
            weight_collections: Not needed: there are no variables.
            trainable: Not needed.
        """
        numbers = as_matrix(self.transformed(features))
        return tf.reshape(numbers, [-1, self.dimension]) if numbers.shape.as_list()[1] is None else numbers


@dataclasses.dataclass(frozen=True)
class BucketizedColumn(FeatureColumn):
    """Takes the bucket of each number for its category.

    Attributes:
        source_column: The column of the numbers.
        boundaries: Where buckets begin, but for the first.
    """

    source_column: RealValuedColumn
    boundaries: tuple[float, ...]

    @property
    def name(self) -> str:
        """Returns the name of the column."""
        return f"{self.source_column.name}_bucketized"

    @property
    def length(self) -> int:
        """Returns how many buckets there are."""
        return len(self.boundaries) + 1

    @property
    def config(self) -> dict[str, Any]:
        """Returns how the feature is parsed from a `tf.train.Example`."""
        return self.source_column.config

    def transform(self, features: Any) -> Any:
        """Returns the number of the bucket of each number.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        numbers = self.source_column.transformed(features)
        return tf.raw_ops.Bucketize(input=numbers, boundaries=list(self.boundaries))

    def input_layer(self, features: Any, weight_collections: Any = None, trainable: bool = True) -> Any:
        """Returns a vector for each number, with a one at the place of its bucket, all in a row.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
            weight_collections: Not needed: there are no variables.
            trainable: Not needed.
        """
        vectors = tf.one_hot(tf.cast(self.transformed(features), tf.int64), self.length)
        return tf.reshape(vectors, [-1, self.length * self.source_column.dimension])

    def sparse(self, features: Any) -> Any:
        """Returns the buckets as categories, of which each number has its own; a `SparseTensor`.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        dimension = self.source_column.dimension
        buckets = tf.reshape(self.transformed(features), [-1, dimension])
        batch = tf.shape(buckets)[0]
        buckets += self.length * tf.range(dimension)
        rows, columns = tf.meshgrid(tf.range(batch), tf.range(dimension), indexing="ij")
        indices = tf.stack([tf.reshape(rows, [-1]), tf.reshape(columns, [-1])], 1)
        shape = tf.stack([batch, dimension])
        return tf.SparseTensor(
            tf.cast(indices, tf.int64), tf.reshape(buckets, [-1]), tf.cast(shape, tf.int64)
        )

    def lookup(self, features: Any) -> Lookup:
        """Returns the rows of weights of a linear model: one for each bucket.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        ids = tf.cast(self.sparse(features), tf.int64)
        return Lookup(ids, None, self.length * self.source_column.dimension, "sum")


@dataclasses.dataclass(frozen=True)
class OneHotColumn(FeatureColumn):
    """Makes of categories a vector that counts them.

    Attributes:
        sparse_id_column: The column of the categories, with weights or without.
    """

    sparse_id_column: Any

    @property
    def name(self) -> str:
        """Returns the name of the column."""
        return f"{self.sparse_id_column.name}_one_hot"

    @property
    def length(self) -> int:
        """Returns the size of the vector."""
        return int(self.sparse_id_column.length)

    @property
    def config(self) -> dict[str, Any]:
        """Returns how the features are parsed from a `tf.train.Example`."""
        config: dict[str, Any] = self.sparse_id_column.config
        return config

    def transform(self, features: Any) -> Any:
        """Returns the numbers of the categories.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        return self.sparse_id_column.transformed(features)

    def input_layer(self, features: Any, weight_collections: Any = None, trainable: bool = True) -> Any:
        """Returns how often each category occurs, or the sum of its weights.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
            weight_collections: Not needed: there are no variables.
            trainable: Not needed.
        """
        ids, weights = self.sparse_id_column.ids_and_weights(features)
        ids = as_matrix(ids)
        if weights is not None:
            weighted = v1.sparse_merge(ids, as_matrix(weights), self.length)
            weighted = tf.sparse.slice(weighted, [0, 0], weighted.dense_shape)
            return tf.reshape(tf.sparse.to_dense(weighted), [-1, self.length])
        vectors = tf.one_hot(tf.sparse.to_dense(ids, default_value=-1), self.length)
        return tf.reduce_sum(vectors, 1)


@dataclasses.dataclass(frozen=True)
class EmbeddingColumn(FeatureColumn):
    """Combines the rows of a matrix, which is trained, for the categories.

    Attributes:
        sparse_id_column: The column of the categories.
        dimension: The size of a row.
        combiner: How rows are combined: "sum", "mean" or "sqrtn".
        initializer: Initialiser of the matrix.
        ckpt_to_load_from: A checkpoint whose matrix a model starts with.
        tensor_name_in_ckpt: The name of the matrix in it.
        shared_embedding_name: The name of the matrix that columns share.
        shared_vocab_size: The number of rows of that matrix.
        max_norm: The largest length of a row.
        trainable: Whether the matrix is trained.
    """

    sparse_id_column: Any
    dimension: int
    combiner: str
    initializer: Any
    ckpt_to_load_from: str | None = None
    tensor_name_in_ckpt: str | None = None
    shared_embedding_name: str | None = None
    shared_vocab_size: int | None = None
    max_norm: float | None = None
    trainable: bool = True

    @property
    def name(self) -> str:
        """Returns the name of the column."""
        kind = "embedding" if self.shared_embedding_name is None else "shared_embedding"
        return f"{self.sparse_id_column.name}_{kind}"

    @property
    def length(self) -> int:
        """Returns the number of rows."""
        return int(self.shared_vocab_size or self.sparse_id_column.length)

    @property
    def key(self) -> str:
        """Returns a text that tells the column from others, without its initializer."""
        return self.key_without("initializer")

    @property
    def config(self) -> dict[str, Any]:
        """Returns how the features are parsed from a `tf.train.Example`."""
        config: dict[str, Any] = self.sparse_id_column.config
        return config

    def transform(self, features: Any) -> Any:
        """Returns the numbers of the categories.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        return self.sparse_id_column.transformed(features)

    def input_layer(self, features: Any, weight_collections: Any = None, trainable: bool = True) -> Any:
        """Returns the combined rows, of shape `[batch, dimension]`.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
            weight_collections: Collections that the matrix is added to.
            trainable: Whether the matrix is trained, if the column's `trainable` says so, too.

        Raises:
            ValueError: Columns share a matrix of another shape.
        """
        ids, weights = self.sparse_id_column.ids_and_weights(features)
        matrix = self._matrix(weight_collections, trainable)
        restore(self, matrix)
        return v1.nn.safe_embedding_lookup_sparse(
            matrix,
            as_matrix(ids),
            None if weights is None else as_matrix(weights),
            combiner=self.combiner,
            name=f"{self.name}weights",
            max_norm=self.max_norm,
        )

    def _matrix(self, collections: Any, trainable: bool) -> Any:
        shape = [self.length, self.dimension]
        shared = []
        if self.shared_embedding_name is not None:
            key = f"SHARED_EMBEDDING_COLLECTION_{self.shared_embedding_name.upper()}"
            shared = v1.get_collection_ref(key)
            if shared:
                if shared[0].shape != shape:
                    raise ValueError(
                        f"The embedding variable with name {self.shared_embedding_name} already exists, but"
                        " its shape does not match required embedding shape here. Please make sure to use"
                        " different shared_embedding_name for different shared embeddings."
                    )
                return shared[0]
        matrix = framework.model_variable(
            self.shared_embedding_name or "weights",
            shape=shape,
            initializer=self.initializer,
            trainable=trainable and self.trainable,
            collections=collections,
        )
        shared.append(matrix)
        return matrix


def restore(column: Any, variable: Any) -> None:
    """Makes a variable start with its value in a checkpoint, if the column says so.

    Args:
        column: An embedding or crossed column, or another.
        variable: The variable of its weights.
    """
    path = getattr(column, "ckpt_to_load_from", None)
    if path is not None:
        v1.train.init_from_checkpoint(path, {column.tensor_name_in_ckpt: variable})


def real_valued_column(
    column_name: str,
    dimension: int = 1,
    default_value: Any = None,
    dtype: tf.DType = tf.float32,
    normalizer: Callable[[Any], Any] | None = None,
) -> RealValuedColumn:
    """Returns a column of numbers; stands for `tf.contrib.layers.real_valued_column`.

    Args:
        column_name: Key of the feature.
        dimension: How many numbers an example has.
        default_value: The numbers, or the number, of an example that lacks them; `None` if it must not.
        dtype: Their dtype.
        normalizer: Function applied to them.

    Raises:
        TypeError: `dimension` is not an integer, or `default_value` is not of `dtype`.
        ValueError: `dimension` is not positive, `dtype` is not of numbers, or there are more or fewer default
            values.
    """
    if not isinstance(dimension, int):
        raise TypeError(f"dimension must be an integer. dimension: {dimension}, column_name: {column_name}")
    if dimension < 1:
        raise ValueError(
            f"dimension must be greater than 0. dimension: {dimension}, column_name: {column_name}"
        )
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype}, column_name: {column_name}")
    if default_value is None:
        return RealValuedColumn(column_name, dimension, None, dtype, normalizer)
    values = list(default_value) if isinstance(default_value, (list, tuple)) else [default_value] * dimension
    if len(values) != dimension:
        raise ValueError(
            f"The length of default_value must be equal to dimension. default_value: {default_value},"
            f" dimension: {dimension}, column_name: {column_name}"
        )
    kinds = (int,) if dtype.is_integer else (int, float)
    if not all(isinstance(value, kinds) for value in values):
        raise TypeError(
            f"default_value must be compatible with dtype. default_value: {default_value}, dtype: {dtype},"
            f" column_name: {column_name}"
        )
    converted = tuple(values if dtype.is_integer else map(float, values))
    return RealValuedColumn(column_name, dimension, converted, dtype, normalizer)


def bucketized_column(source_column: RealValuedColumn, boundaries: Sequence[float]) -> BucketizedColumn:
    """Returns a column of the buckets of numbers; stands for `tf.contrib.layers.bucketized_column`.

    Args:
        source_column: A column of `real_valued_column`.
        boundaries: Where buckets begin, but for the first: sorted numbers.

    Raises:
        TypeError: `source_column` is of another kind.
        ValueError: There are no boundaries, or they are not sorted.
    """
    if not isinstance(source_column, RealValuedColumn):
        raise TypeError(
            f"source_column must be a column of real_valued_column. source_column: {source_column}"
        )
    if not isinstance(boundaries, (list, tuple)) or not boundaries:
        raise ValueError(f"boundaries must be a non-empty list or tuple. boundaries: {boundaries}")
    if list(boundaries) != sorted(boundaries):
        raise ValueError(f"boundaries must be a sorted list. boundaries: {boundaries}")
    return BucketizedColumn(source_column, tuple(dict.fromkeys(boundaries)))


def one_hot_column(sparse_id_column: Any) -> OneHotColumn:
    """Returns a column that counts categories; stands for `tf.contrib.layers.one_hot_column`.

    Args:
        sparse_id_column: A sparse, weighted or crossed column.
    """
    return OneHotColumn(sparse_id_column)


def embedding_column(
    sparse_id_column: Any,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
) -> EmbeddingColumn:
    """Returns a column that makes of categories a vector; stands for `tf.contrib.layers.embedding_column`.

    Args:
        sparse_id_column: A sparse, weighted or crossed column.
        dimension: The size of the vector.
        combiner: How the vectors of several categories are combined: "sum", "mean" or "sqrtn".
        initializer: Initialiser of the vectors; by default a truncated normal one, with a standard deviation
            of one by the square root of their number.
        ckpt_to_load_from: A checkpoint whose vectors a model starts with.
        tensor_name_in_ckpt: The name of the vectors in it.
        max_norm: The largest length of a vector; `None` for none.
        trainable: Whether the vectors are trained.

    Raises:
        ValueError: `initializer` is not a function, or one of the checkpoint's arguments is missing.
    """
    return _embedding_column(
        sparse_id_column,
        dimension,
        combiner,
        initializer,
        ckpt_to_load_from,
        tensor_name_in_ckpt,
        max_norm=max_norm,
        trainable=trainable,
    )


def shared_embedding_columns(
    sparse_id_columns: Sequence[Any],
    dimension: int,
    combiner: str = "mean",
    shared_embedding_name: str | None = None,
    initializer: Any = None,
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    max_norm: float | None = None,
    trainable: bool = True,
) -> Sequence[EmbeddingColumn]:
    """Returns columns that make of categories vectors of one matrix.

    Stands for `tf.contrib.layers.shared_embedding_columns`.

    Args:
        sparse_id_columns: Sparse or weighted columns, whose categories have the same numbers.
        dimension: See `embedding_column`, also for the arguments that are not listed here.
        combiner: How the vectors of several categories are combined.
        shared_embedding_name: The name of the matrix; by default one made of those of the columns.
        initializer: Initialiser of the vectors.
        ckpt_to_load_from: A checkpoint whose vectors a model starts with.
        tensor_name_in_ckpt: The name of the vectors in it.
        max_norm: The largest length of a vector.
        trainable: Whether the vectors are trained.

    Returns:
        A column for each of the columns.

    Raises:
        TypeError: `sparse_id_columns` is not a list of such columns.
        ValueError: It is empty, or the numbers of the categories are not the same.
    """
    if not isinstance(sparse_id_columns, Sequence) or isinstance(sparse_id_columns, str):
        raise TypeError(
            f"sparse_id_columns must be a non-string sequence instead of type {type(sparse_id_columns)}."
        )
    if not sparse_id_columns:
        raise ValueError("The input sparse_id_columns should have at least one element.")
    for column in sparse_id_columns:
        if not isinstance(column, (SparseColumn, WeightedSparseColumn)):
            raise TypeError(
                f"Elements of sparse_id_columns must be sparse or weighted columns, but {column} is not."
            )
    first, *others = sparse_id_columns
    options = {
        "dimension": dimension,
        "combiner": combiner,
        "initializer": initializer,
        "ckpt_to_load_from": ckpt_to_load_from,
        "tensor_name_in_ckpt": tensor_name_in_ckpt,
        "max_norm": max_norm,
        "trainable": trainable,
    }
    if not others:
        return [_embedding_column(first, shared_embedding_name=shared_embedding_name, **options)]
    if not all(_are_compatible(first, other) for other in others):
        raise ValueError("The input sparse id columns are not compatible.")
    options["shared_embedding_name"] = shared_embedding_name or _shared_name(sparse_id_columns)
    return tuple(
        _embedding_column(column, shared_vocab_size=first.length, **options) for column in sparse_id_columns
    )


def _are_compatible(first: Any, other: Any) -> bool:
    if isinstance(first, WeightedSparseColumn):
        return first.is_compatible(other)
    return bool(other.is_compatible(first))


def _shared_name(columns: Sequence[Any]) -> str:
    by_kind = sorted(columns, key=lambda column: (isinstance(column, WeightedSparseColumn), column.name))
    name = "_".join(column.name for column in by_kind[:3])
    if len(by_kind) > 3:
        name += f"_plus_{len(by_kind) - 3}_others"
    return f"{name}_shared_embedding"


def _embedding_column(
    sparse_id_column: Any,
    dimension: int,
    combiner: str,
    initializer: Any,
    ckpt_to_load_from: str | None,
    tensor_name_in_ckpt: str | None,
    **options: Any,
) -> EmbeddingColumn:
    if initializer is not None and not callable(initializer):
        raise ValueError(
            f"initializer must be callable if specified. Embedding of column_name: {sparse_id_column.name}"
        )
    if (ckpt_to_load_from is None) != (tensor_name_in_ckpt is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
    if initializer is None:
        initializer = v1.truncated_normal_initializer(stddev=1 / math.sqrt(sparse_id_column.length))
    return EmbeddingColumn(
        sparse_id_column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt, **options
    )
