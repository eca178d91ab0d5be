"""Has columns of combinations of categories."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any

from keras_legacy_train.feature_columns.base import FeatureColumn, Lookup, feature
from keras_legacy_train.feature_columns.dense import BucketizedColumn
from keras_legacy_train.feature_columns.hashing import crossed
from keras_legacy_train.feature_columns.sparse import SparseColumn


@dataclasses.dataclass(frozen=True)
class CrossedColumn(FeatureColumn):
    """Numbers the combinations of the categories of several columns, by a hash.

    Attributes:
        columns: The columns, by name.
        hash_bucket_size: How many numbers there are.
        hash_key: Key of the hash.
        combiner: How the weights of several combinations are combined: "sum", "mean" or "sqrtn".
        ckpt_to_load_from: A checkpoint whose weights a linear model starts with.
        tensor_name_in_ckpt: The name of the weights in it.
    """

    columns: tuple[Any, ...]
    hash_bucket_size: int
    hash_key: int | None
    combiner: str = "sum"
    ckpt_to_load_from: str | None = None
    tensor_name_in_ckpt: str | None = None

    @property
    def name(self) -> str:
        """Returns the names of the columns, with "_X_" between them."""
        return "_X_".join(sorted(column.name for column in self.columns))

    @property
    def length(self) -> int:
        """Returns how many numbers there are."""
        return self.hash_bucket_size

    @property
    def config(self) -> dict[str, Any]:
        """Returns how all features are parsed from a `tf.train.Example`."""
        return {name: spec for column in self.columns for name, spec in column.config.items()}

    def ids_and_weights(self, features: Any) -> tuple[Any, Any]:
        """Returns the numbers of the combinations and their weights, which are `None`.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        return self.transformed(features), None

    def transform(self, features: Any) -> Any:
        """Returns the numbers of the combinations, a `SparseTensor`.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        inputs = [
            column.sparse(features)
            if isinstance(column, BucketizedColumn)
            else feature(features, column.name)
            for column in self._leaves()
        ]
        return crossed(inputs, self.hash_bucket_size, self.hash_key)

    def lookup(self, features: Any) -> Lookup:
        """Returns the rows of weights of a linear model: one for each combination.

        Args:
            features: Tensors by key, and those of other columns by column; a dict.
        """
        return Lookup(self.transformed(features), None, self.length, self.combiner)

    def _leaves(self) -> Iterator[Any]:
        for column in self.columns:
            if isinstance(column, CrossedColumn):
                yield from column._leaves()
            else:
                yield column


def crossed_column(
    columns: Collection[Any],
    hash_bucket_size: int,
    combiner: str = "sum",
    ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None,
    hash_key: int | None = None,
) -> CrossedColumn:
    """Returns a column of the combinations of categories; stands for `tf.contrib.layers.crossed_column`.

    Args:
        columns: At least two sparse, bucketized or crossed columns.
        hash_bucket_size: How many numbers there are for combinations.
        combiner: How the weights of several combinations are combined: "sum", "mean" or "sqrtn".
        ckpt_to_load_from: A checkpoint whose weights a linear model starts with.
        tensor_name_in_ckpt: The name of the weights in it.
        hash_key: Key of the hash, such as `SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY`; `None` for the hash of
            before there were keys.

    Raises:
        TypeError: A column is of another kind.
        ValueError: There are fewer columns, fewer than two numbers, or one of the checkpoint's arguments
            only.
    """
    for column in columns:
        if not isinstance(column, (SparseColumn, CrossedColumn, BucketizedColumn)):
            raise TypeError(
                "columns must be a set of sparse, crossed, or bucketized columns. (column"
                f" {column} is a {type(column).__name__})"
            )
    if len(columns) < 2:
        raise ValueError(f"columns must contain at least 2 elements. columns: {columns}")
    if hash_bucket_size < 2:
        raise ValueError(f"hash_bucket_size must be at least 2. hash_bucket_size: {hash_bucket_size}")
    if (ckpt_to_load_from is None) != (tensor_name_in_ckpt is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
    by_name = tuple(sorted(columns, key=lambda column: column.name))
    return CrossedColumn(
        by_name, hash_bucket_size, hash_key, combiner, ckpt_to_load_from, tensor_name_in_ckpt
    )
