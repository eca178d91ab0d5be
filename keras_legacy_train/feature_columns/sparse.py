"""Has columns of categories: words or numbers, of which an example may have any number."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.feature_columns.base import (
    FeatureColumn,
    Lookup,
    as_matrix,
    as_sparse,
    feature,
    with_values,
)

v1 = tf.compat.v1


@dataclasses.dataclass(frozen=True)
class SparseIdLookupConfig:
    """Says where the numbers of categories are read from.

    Attributes:
        vocabulary_file: A file with a category in each line.
        keys: The categories.
        num_oov_buckets: How many numbers there are for other categories.
        vocab_size: The number of categories.
        default_value: The number of other categories.
    """

    vocabulary_file: str | None = None
    keys: tuple[Any, ...] | None = None
    num_oov_buckets: int = 0
    vocab_size: int | None = None
    default_value: int = -1


@dataclasses.dataclass(frozen=True)
class SparseColumn(FeatureColumn):
    """Numbers categories. A subclass says how.

    Attributes:
        column_name: Key of the feature: a `SparseTensor`, or a dense one, of which `""` or -1 are left out.
        is_integerized: Whether the feature is the number of the category already.
        bucket_size: How many numbers there are, unless `lookup_config` says it.
        lookup_config: Where the numbers are read from.
        combiner: How the weights of several categories are combined: "sum", "mean" or "sqrtn".
        dtype: The dtype of the feature, string or integers.
    """

    column_name: str
    is_integerized: bool = False
    bucket_size: int | None = None
    lookup_config: SparseIdLookupConfig | None = None
    combiner: str = "sum"
    dtype: tf.DType = tf.string

    def __post_init__(self) -> None:
        """Checks the fields.

        Raises:
            ValueError: A field cannot be right.
        """
        if self.dtype != tf.string and not self.dtype.is_integer:
            raise ValueError(
                f"dtype must be string or integer. dtype: {self.dtype}, column_name: {self.column_name}"
            )
        if self.is_integerized and not self.dtype.is_integer:
            raise ValueError(
                f"dtype must be an integer if is_integerized is True. dtype: {self.dtype}, column_name:"
                f" {self.column_name}."
            )
        if self.lookup_config is None and (self.bucket_size is None or self.bucket_size < 1):
            raise ValueError(
                f"bucket_size must be at least 1. bucket_size: {self.bucket_size}, column_name:"
                f" {self.column_name}"
            )

    @property
    def name(self) -> str:
        """Returns the key of the feature."""
        return self.column_name

    @property
    def length(self) -> int:
        """Returns how many categories there are."""
        if self.lookup_config is None:
            assert self.bucket_size is not None
            return self.bucket_size
        assert self.lookup_config.vocab_size is not None
        return self.lookup_config.vocab_size + self.lookup_config.num_oov_buckets

    @property
    def config(self) -> dict[str, Any]:
        """Returns how the feature is parsed from a `tf.train.Example`."""
        return {self.column_name: tf.io.VarLenFeature(self.dtype)}

    def ids_and_weights(self, features: Any) -> tuple[Any, Any]:
        """Returns the numbers of the categories and their weights, which are `None`.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        return self.transformed(features), None

    def transform(self, features: Mapping[Any, Any]) -> Any:
        """Returns the numbers of the categories, a `SparseTensor`.

        Args:
            features: Tensors by key.
        """
        value = feature(features, self.column_name)
        if not isinstance(value, tf.SparseTensor):
            value = as_sparse(as_matrix(value), "" if value.dtype == tf.string else -1)
        return self.ids(value)

    def ids(self, categories: Any) -> Any:
        """Returns the numbers of categories.

        Args:
            categories: A `SparseTensor` of words or numbers.
        """
        raise NotImplementedError

    def lookup(self, features: Any) -> Lookup:
        """Returns the rows of weights of a linear model: one for each category.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        return Lookup(self.transformed(features), None, self.length, self.combiner)

    def is_compatible(self, other_column: Any) -> bool:
        """Returns whether the categories of another column may have the same numbers.

        Args:
            other_column: A column.
        """
        if self.lookup_config and other_column.lookup_config:
            return bool(self.lookup_config == other_column.lookup_config)
        same_dtype = self.dtype == other_column.dtype
        both_integers = self.dtype.is_integer and other_column.dtype.is_integer
        return bool(self.length == other_column.length and (same_dtype or both_integers))

    def _as_strings(self, categories: Any) -> Any:
        if self.dtype.is_integer:
            return with_values(categories, tf.strings.as_string(categories.values))
        return categories


@dataclasses.dataclass(frozen=True)
class SparseColumnIntegerized(SparseColumn):
    """Takes numbers for the numbers of categories."""

    def ids(self, categories: Any) -> Any:
        """Returns numbers below `bucket_size`.

        Args:
            categories: A `SparseTensor` of numbers.
        """
        return with_values(categories, tf.math.floormod(categories.values, self.bucket_size, name="mod"))


@dataclasses.dataclass(frozen=True)
class SparseColumnHashed(SparseColumn):
    """Numbers categories by a hash."""

    hash_keys: Any = dataclasses.field(default=None, compare=False, repr=False)

    def ids(self, categories: Any) -> Any:
        """Returns numbers below `bucket_size`; several for a category if there are several keys.

        Args:
            categories: A `SparseTensor` of words or numbers.
        """
        words = self._as_strings(categories)
        if not self.hash_keys:
            hashed = tf.strings.to_hash_bucket_fast(words.values, self.bucket_size, name="lookup")
            return with_values(words, hashed)
        parts = [
            with_values(words, tf.strings.to_hash_bucket_strong(words.values, self.bucket_size, key))
            for key in self.hash_keys
        ]
        return tf.sparse.concat(axis=1, sp_inputs=parts, name="lookup")


@dataclasses.dataclass(frozen=True)
class SparseColumnKeys(SparseColumn):
    """Numbers categories by a list of them."""

    def ids(self, categories: Any) -> Any:
        """Returns the places of categories in the list.

        Args:
            categories: A `SparseTensor` of words or numbers.
        """
        assert self.lookup_config is not None
        assert self.lookup_config.keys is not None
        dtype = tf.int64 if self.dtype.is_integer else tf.string
        keys = tf.constant(self.lookup_config.keys, dtype)
        places = tf.range(len(self.lookup_config.keys), dtype=tf.int64)
        initializer = v1.lookup.KeyValueTensorInitializer(keys, places)
        table = v1.lookup.StaticHashTable(initializer, self.lookup_config.default_value, name="lookup")
        return table.lookup(with_values(categories, tf.cast(categories.values, dtype)))


@dataclasses.dataclass(frozen=True)
class SparseColumnVocabulary(SparseColumn):
    """Numbers categories by the lines of a file."""

    def ids(self, categories: Any) -> Any:
        """Returns the numbers of lines.

        Args:
            categories: A `SparseTensor` of words or numbers.
        """
        assert self.lookup_config is not None
        initializer = v1.lookup.TextFileInitializer(
            self.lookup_config.vocabulary_file,
            tf.string,
            v1.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64,
            v1.lookup.TextFileIndex.LINE_NUMBER,
            self.lookup_config.vocab_size,
        )
        name = f"{self.name}_lookup"
        if self.lookup_config.num_oov_buckets:
            table = v1.lookup.StaticVocabularyTable(
                initializer, self.lookup_config.num_oov_buckets, tf.string, name=name
            )
        else:
            table = v1.lookup.StaticHashTable(initializer, self.lookup_config.default_value, name=name)
        return table.lookup(self._as_strings(categories))


@dataclasses.dataclass(frozen=True)
class WeightedSparseColumn(FeatureColumn):
    """Gives categories weights, from another feature.

    Attributes:
        sparse_id_column: The column of the categories.
        weight_column_name: Key of the weights, of the shape of the categories.
        dtype: The dtype of the weights.
    """

    sparse_id_column: SparseColumn
    weight_column_name: str
    dtype: tf.DType

    @property
    def name(self) -> str:
        """Returns the name of the column, made of those of both features."""
        return f"{self.sparse_id_column.name}_weighted_by_{self.weight_column_name}"

    @property
    def length(self) -> int:
        """Returns how many categories there are."""
        return self.sparse_id_column.length

    @property
    def lookup_config(self) -> SparseIdLookupConfig | None:
        """Returns where the numbers of categories are read from."""
        return self.sparse_id_column.lookup_config

    @property
    def config(self) -> dict[str, Any]:
        """Returns how both features are parsed from a `tf.train.Example`."""
        return {**self.sparse_id_column.config, self.weight_column_name: tf.io.VarLenFeature(self.dtype)}

    def ids_and_weights(self, features: Any) -> tuple[Any, Any]:
        """Returns the numbers of the categories and their weights.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        ids, weights = self.transformed(features)
        return ids, weights

    def transform(self, features: Any) -> Any:
        """Returns the numbers of the categories and their weights, two `SparseTensor`s.

        Args:
            features: Tensors by key.
        """
        weights = as_sparse(feature(features, self.weight_column_name))
        if not self.dtype.is_floating:
            weights = tf.cast(weights, tf.float32)
        return self.sparse_id_column.transformed(features), weights

    def lookup(self, features: Any) -> Lookup:
        """Returns the rows of weights of a linear model: one for each category.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        ids, weights = self.transformed(features)
        return Lookup(ids, weights, self.length, self.sparse_id_column.combiner)

    def is_compatible(self, other_column: Any) -> bool:
        """Returns whether the categories of another column may have the same numbers.

        Args:
            other_column: A column.
        """
        return self.sparse_id_column.is_compatible(getattr(other_column, "sparse_id_column", other_column))


def sparse_column_with_integerized_feature(
    column_name: str, bucket_size: int, combiner: str = "sum", dtype: tf.DType = tf.int64
) -> SparseColumn:
    """Returns a column of categories that are numbered already.

    Stands for `tf.contrib.layers.sparse_column_with_integerized_feature`.

    Args:
        column_name: Key of the feature, integers.
        bucket_size: How many categories there are; larger numbers are taken modulo it.
        combiner: How the weights of several categories are combined: "sum", "mean" or "sqrtn".
        dtype: The dtype of the feature.

    Raises:
        ValueError: `bucket_size` is not positive, or `dtype` is not of integers.
    """
    return SparseColumnIntegerized(column_name, True, bucket_size, combiner=combiner, dtype=dtype)


def sparse_column_with_hash_bucket(
    column_name: str,
    hash_bucket_size: int,
    combiner: str = "sum",
    dtype: tf.DType = tf.string,
    hash_keys: Sequence[Sequence[int]] | None = None,
) -> SparseColumn:
    """Returns a column of categories that are numbered by a hash.

    Stands for `tf.contrib.layers.sparse_column_with_hash_bucket`.

    Args:
        column_name: Key of the feature, strings or integers.
        hash_bucket_size: How many numbers there are.
        combiner: How the weights of several categories are combined: "sum", "mean" or "sqrtn".
        dtype: The dtype of the feature.
        hash_keys: Pairs of integers, each the key of one of several hashes; `None` for one hash without key.

    Raises:
        ValueError: `hash_bucket_size` is not positive, or `dtype` or a key is wrong.
    """
    if hash_keys is not None and not (hash_keys and all(_is_pair_of_integers(key) for key in hash_keys)):
        raise ValueError(f"hash_keys must be a non-empty list of pairs of integers; it is {hash_keys}.")
    return SparseColumnHashed(
        column_name, False, hash_bucket_size, combiner=combiner, dtype=dtype, hash_keys=hash_keys
    )


def _is_pair_of_integers(key: Any) -> bool:
    is_pair = isinstance(key, (list, tuple)) and len(key) == 2
    return is_pair and all(isinstance(each, int) for each in key)


def sparse_column_with_keys(
    column_name: str,
    keys: Iterable[Any],
    default_value: int = -1,
    combiner: str = "sum",
    dtype: tf.DType = tf.string,
) -> SparseColumn:
    """Returns a column of categories that are listed; stands for that of `tf.contrib.layers`.

    Args:
        column_name: Key of the feature, strings or integers.
        keys: The categories.
        default_value: The number of others; -1 to leave them out.
        combiner: How the weights of several categories are combined: "sum", "mean" or "sqrtn".
        dtype: The dtype of the feature.

    Raises:
        ValueError: `dtype` is neither string nor of integers.
    """
    keys = tuple(keys)
    config = SparseIdLookupConfig(keys=keys, vocab_size=len(keys), default_value=default_value)
    return SparseColumnKeys(column_name, lookup_config=config, combiner=combiner, dtype=dtype)


def sparse_column_with_vocabulary_file(
    column_name: str,
    vocabulary_file: str,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    combiner: str = "sum",
    dtype: tf.DType = tf.string,
) -> SparseColumn:
    """Returns a column of categories that are the lines of a file; stands for that of `tf.contrib.layers`.

    Args:
        column_name: Key of the feature, strings or integers.
        vocabulary_file: The file.
        num_oov_buckets: How many numbers there are for other categories, by a hash.
        vocab_size: The number of lines.
        default_value: The number of others where `num_oov_buckets` is 0; -1 to leave them out.
        combiner: How the weights of several categories are combined: "sum", "mean" or "sqrtn".
        dtype: The dtype of the feature.

    Raises:
        ValueError: `vocab_size` is not given, or `dtype` is neither string nor of integers.
    """
    if vocab_size is None:
        raise ValueError(f"vocab_size should be defined. column_name: {column_name}")
    config = SparseIdLookupConfig(vocabulary_file, None, num_oov_buckets, vocab_size, default_value)
    return SparseColumnVocabulary(column_name, lookup_config=config, combiner=combiner, dtype=dtype)


def weighted_sparse_column(
    sparse_id_column: SparseColumn, weight_column_name: str, dtype: tf.DType = tf.float32
) -> WeightedSparseColumn:
    """Returns a column of categories with weights; stands for `tf.contrib.layers.weighted_sparse_column`.

    Args:
        sparse_id_column: The column of the categories.
        weight_column_name: Key of the weights.
        dtype: The dtype of the weights.

    Raises:
        ValueError: `dtype` is not of numbers.
    """
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype is not convertible to float. Given {dtype}")
    return WeightedSparseColumn(sparse_id_column, weight_column_name, dtype)
