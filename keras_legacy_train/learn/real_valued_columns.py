"""Feature columns of plain numbers, made of the input itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.learn.data_feeder import make_input_fn

v1 = tf.compat.v1


@dataclasses.dataclass(frozen=True)
class RealValuedColumn:
    """A feature of a fixed number of numbers, as `infer_real_valued_columns_from_input` finds it.

    Attributes:
        column_name: Key of the feature; `""` where the features are one tensor.
        dimension: How many numbers an example has.
        dtype: Their type.
    """

    column_name: str
    dimension: int
    dtype: tf.DType

    @property
    def name(self) -> str:
        """Returns the key of the feature."""
        return self.column_name

    @property
    def parse_example_spec(self) -> dict[str, tf.io.FixedLenFeature]:
        """Returns how the feature is parsed from a `tf.train.Example`."""
        return {self.column_name: tf.io.FixedLenFeature([self.dimension], self.dtype)}

    def dense(self, features: Mapping[str, Any]) -> tf.Tensor:
        """Returns the feature as `float32`, of shape `[batch_size, dimension]`.

        Args:
            features: The features by key.

        Raises:
            ValueError: The feature is missing.
        """
        if self.column_name not in features:
            raise ValueError(f"Feature {self.column_name!r} missing from {sorted(features)}.")
        return tf.reshape(tf.cast(features[self.column_name], tf.float32), [-1, self.dimension])


def infer_real_valued_columns_from_input(x: Any) -> list[RealValuedColumn]:
    """Returns feature columns for data in memory.

    Stands for `tf.contrib.learn.infer_real_valued_columns_from_input`. The canned Estimators of this module
    take the columns.

    Args:
        x: The features, as `Estimator.fit` takes them.

    Raises:
        ValueError: A feature is not of integers or floats.
    """
    return infer_real_valued_columns_from_input_fn(make_input_fn(x))


def infer_real_valued_columns_from_input_fn(input_fn: Callable[[], Any]) -> list[RealValuedColumn]:
    """Returns feature columns for the features that an `input_fn` returns.

    Stands for `tf.contrib.learn.infer_real_valued_columns_from_input_fn`.

    Args:
        input_fn: Returns features and labels; it is called in a graph of its own.

    Raises:
        ValueError: A feature is sparse, or not of integers or floats, or its size is not known.
    """
    with tf.Graph().as_default():
        features, _ = input_fn()
        if not isinstance(features, Mapping):
            features = {"": features}
        return [_column(name, feature) for name, feature in features.items()]


def input_layer(features: Mapping[str, Any], columns: Sequence[Any], collections: Sequence[str]) -> tf.Tensor:
    """Returns the inputs of a network, of shape `[batch_size, number of inputs]`.

    Args:
        features: The features by key.
        columns: Columns of `tf.feature_column`, or of this module.
        collections: Collections that embeddings are added to.

    Raises:
        ValueError: There are columns of both kinds, or a feature is missing.
    """
    if _are_real_valued(columns):
        return tf.concat([column.dense(features) for column in _ordered(columns)], 1)
    return v1.feature_column.input_layer(features, columns, weight_collections=list(collections))


def linear_model(
    features: Mapping[str, Any], columns: Sequence[Any], units: int, collections: Sequence[str]
) -> tf.Tensor:
    """Returns the sums of the features, each times its weight, and a bias.

    The variables are called `<column>/weight` and `bias_weight` for columns of this module, as in
    `tf.contrib.layers`, and `linear_model/<column>/weights` and `linear_model/bias_weights` for others.

    Args:
        features: The features by key.
        columns: Columns of `tf.feature_column`, or of this module.
        units: Number of sums.
        collections: Collections that the variables are added to.

    Returns:
        A tensor of shape `[batch_size, units]`.

    Raises:
        ValueError: There are columns of both kinds, or a feature is missing.
    """
    if not _are_real_valued(columns):
        return v1.feature_column.linear_model(
            features, columns, units=units, weight_collections=list(collections)
        )

    def variable(name: str, shape: list[int]) -> Any:
        kept = [v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.MODEL_VARIABLES, *collections]
        return v1.get_variable(name, shape, tf.float32, v1.zeros_initializer(), collections=kept)

    sums = []
    for column in _ordered(columns):
        with v1.variable_scope(None, default_name=column.name):
            sums.append(tf.matmul(column.dense(features), variable("weight", [column.dimension, units])))
    return tf.nn.bias_add(tf.add_n(sums), variable("bias_weight", [units]))


def parse_example_spec(columns: Iterable[Any]) -> dict[str, Any]:
    """Returns how the features of some columns are parsed from `tf.train.Example`s.

    Args:
        columns: Columns of `tf.feature_column`, or of this module.

    Raises:
        ValueError: There are columns of both kinds.
    """
    columns = list(columns)
    if not _are_real_valued(columns):
        spec: dict[str, Any] = v1.feature_column.make_parse_example_spec(columns)
        return spec
    return {name: feature for column in columns for name, feature in column.parse_example_spec.items()}


def _are_real_valued(columns: Sequence[Any]) -> bool:
    """Tells whether all columns are of this module.

    Raises:
        ValueError: Only some are.
    """
    kinds = {isinstance(column, RealValuedColumn) for column in columns}
    if len(kinds) > 1:
        raise ValueError(
            "feature_columns mixes columns of tf.feature_column with inferred ones. In the place of the"
            " inferred ones use tf.feature_column.numeric_column(key, shape)."
        )
    return True in kinds


def _ordered(columns: Sequence[RealValuedColumn]) -> list[RealValuedColumn]:
    return sorted(columns, key=lambda column: column.name)


def _column(name: str, feature: Any) -> RealValuedColumn:
    if isinstance(feature, tf.SparseTensor):
        raise ValueError(f"SparseTensor is not supported for auto detection. Tensor: {feature}")
    if not (feature.dtype.is_integer or feature.dtype.is_floating):
        raise ValueError(
            f"Non integer or non floating types are not supported for auto detection. Tensor: {feature}"
        )
    size = feature.shape[1:].num_elements()
    if size is None:
        raise ValueError(f"The shape of a feature must be known but for its first dimension: {feature}")
    return RealValuedColumn(name, size, tf.int64 if feature.dtype.is_integer else tf.float32)
