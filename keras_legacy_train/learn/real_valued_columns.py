"""Makes inputs and sums of feature columns, and columns of plain numbers of the input itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.feature_columns import (
    FeatureColumn,
    create_feature_spec_for_parsing,
    infer_real_valued_columns,
    input_from_feature_columns,
    joint_weighted_sum_from_feature_columns,
    weighted_sum_from_feature_columns,
)
from keras_legacy_train.learn.data_feeder import make_input_fn

v1 = tf.compat.v1


def infer_real_valued_columns_from_input(x: Any) -> list[FeatureColumn]:
    """Returns feature columns for data in memory.

    Stands for `tf.contrib.learn.infer_real_valued_columns_from_input`. The canned Estimators of this module
    take the columns.

    Args:
        x: The features, as `Estimator.fit` takes them.

    Raises:
        ValueError: A feature is not of integers or floats.
    """
    return infer_real_valued_columns_from_input_fn(make_input_fn(x))


def infer_real_valued_columns_from_input_fn(input_fn: Callable[[], Any]) -> list[FeatureColumn]:
    """Returns feature columns for the features that an `input_fn` returns.

    Stands for `tf.contrib.learn.infer_real_valued_columns_from_input_fn`.

    Args:
        input_fn: Returns features and labels; it is called in a graph of its own.

    Raises:
        ValueError: A feature is sparse, or not of integers or floats, or its size is not known.
    """
    with tf.Graph().as_default():
        features, _ = input_fn()
        # An `Example` has no other numbers.
        return [
            dataclasses.replace(column, dtype=tf.int64 if column.dtype.is_integer else tf.float32)
            for column in infer_real_valued_columns(features)
        ]


def input_layer(features: Mapping[str, Any], columns: Sequence[Any], collections: Sequence[str]) -> tf.Tensor:
    """Returns the inputs of a network, of shape `[batch_size, number of inputs]`.

    Args:
        features: The features by key.
        columns: Columns of `tf.feature_column`, or of `feature_columns`.
        collections: Collections that embeddings are added to.

    Raises:
        ValueError: There are columns of both kinds, or a feature is missing.
    """
    if are_legacy(columns):
        return input_from_feature_columns(features, columns, collections, scope=v1.get_variable_scope())
    return v1.feature_column.input_layer(features, columns, weight_collections=list(collections))


def linear_model(
    features: Mapping[str, Any],
    columns: Sequence[Any],
    units: int,
    collections: Sequence[str],
    joint: bool = False,
) -> tf.Tensor:
    """Returns the sums of the features, each times its weight, and a bias.

    The variables are called `<column>/weight`, `<column>/weights` and `bias_weight` for columns of
    `feature_columns`, as in `tf.contrib.layers`, and `linear_model/<column>/weights` and
    `linear_model/bias_weights` for others.

    Args:
        features: The features by key.
        columns: Columns of `tf.feature_column`, or of `feature_columns`.
        units: Number of sums.
        collections: Collections that the variables are added to.
        joint: Whether all columns have one variable, `linear_weights/weights`; for those of
            `feature_columns` only.

    Returns:
        A tensor of shape `[batch_size, units]`.

    Raises:
        ValueError: There are columns of both kinds, or a feature is missing.
    """
    if not are_legacy(columns):
        return v1.feature_column.linear_model(
            features, columns, units=units, weight_collections=list(collections)
        )
    summed = joint_weighted_sum_from_feature_columns if joint else weighted_sum_from_feature_columns
    sums, *_ = summed(features, columns, units, collections, scope=v1.get_variable_scope())
    return sums


def parse_example_spec(columns: Iterable[Any]) -> dict[str, Any]:
    """Returns how the features of some columns are parsed from `tf.train.Example`s.

    Args:
        columns: Columns of `tf.feature_column`, or of `feature_columns`.

    Raises:
        ValueError: There are columns of both kinds.
    """
    columns = list(columns)
    if are_legacy(columns):
        return create_feature_spec_for_parsing(columns)
    spec: dict[str, Any] = v1.feature_column.make_parse_example_spec(columns)
    return spec


def are_legacy(columns: Sequence[Any]) -> bool:
    """Tells whether all columns are of `feature_columns`.

    Args:
        columns: Feature columns.

    Raises:
        ValueError: Only some are.
    """
    kinds = {isinstance(column, FeatureColumn) for column in columns}
    if len(kinds) > 1:
        raise ValueError(
            "feature_columns mixes columns of tf.feature_column with those of tf.contrib.layers, which"
            " infer_real_valued_columns_from_input returns, too. In the place of the latter use"
            " tf.feature_column.numeric_column(key, shape) and its like."
        )
    return True in kinds
