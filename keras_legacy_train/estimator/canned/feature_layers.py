"""Turns feature columns into the inputs of a model, with the variables they need.

`tf.compat.v1.feature_column` has such functions, but not for every column, and `tf.keras.layers` has them
only in Keras 2.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1
_columns = tf.__internal__.feature_column


class _Variables(tf.__internal__.feature_column.StateManager):
    """Makes and keeps the variables of feature columns, in the current scope."""

    def __init__(self) -> None:
        super().__init__(None, True)
        self._variables: dict[tuple[Any, str], Any] = {}

    def create_variable(
        self,
        feature_column: Any,
        name: str,
        shape: Any,
        dtype: Any = None,
        trainable: bool = True,
        use_resource: bool = True,
        initializer: Any = None,
    ) -> Any:
        variable = v1.get_variable(
            name,
            shape,
            dtype or tf.float32,
            initializer,
            trainable=trainable,
            collections=[v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.MODEL_VARIABLES],
        )
        self._variables[feature_column, name] = variable
        return variable

    def get_variable(self, feature_column: Any, name: str) -> Any:
        return self._variables[feature_column, name]


def input_layer(features: Mapping[str, Any], feature_columns: Iterable[Any], shared_scope: Any) -> tf.Tensor:
    """Returns the dense input of a model, with the variables of the columns.

    Args:
        features: The features by name.
        feature_columns: Dense columns, such as numeric, indicator and embedding columns.
        shared_scope: The variable scope of embeddings that several columns share.

    Returns:
        A float32 tensor of shape `[batch size, sum of the columns' sizes]`; columns are in the order of their
        names.

    Raises:
        ValueError: A column is not dense, or two have the same name.
    """
    columns = _in_order(feature_columns)
    if not all(isinstance(column, _columns.FeatureColumn) for column in columns):
        return v1.feature_column.input_layer(features, columns)  # it takes TensorFlow 1's shared embeddings
    for column in columns:
        if not isinstance(column, _columns.DenseColumn):
            raise ValueError(
                "Items of feature_columns must be a DenseColumn. You can wrap a categorical column with an"
                f" embedding_column or indicator_column. Given: {column}"
            )
    cache, variables = _columns.FeatureTransformationCache(dict(features)), _Variables()
    with v1.variable_scope("input_layer"):
        parts = []
        for column in columns:
            with v1.variable_scope(_scope_name(column)):
                column.create_state(variables)
                with v1.variable_scope(shared_scope, auxiliary_name_scope=False):
                    parts.append(_flat(column, column.get_dense_tensor(cache, variables)))
        return tf.concat(parts, axis=1)


def linear_model(
    features: Mapping[str, Any], feature_columns: Iterable[Any], units: int, sparse_combiner: str
) -> tuple[tf.Tensor, list[Any], Any]:
    """Returns a weighted sum of the columns for each unit.

    Args:
        features: The features by name.
        feature_columns: Dense and categorical columns.
        units: The number of sums.
        sparse_combiner: `"sum"`, `"mean"` or `"sqrtn"`: how the values of a categorical column become one.

    Returns:
        The sums, a float32 tensor of shape `[batch size, units]`; the weights of the columns; the bias.

    Raises:
        ValueError: A column is neither dense nor categorical, or two have the same name.
    """
    columns = _in_order(feature_columns)
    cache, variables = _columns.FeatureTransformationCache(dict(features)), _Variables()
    with v1.variable_scope("linear_model"):
        sums, weights = [], []
        for column in columns:
            # A bucketized column is dense, too.
            is_categorical = hasattr(column, "num_buckets")
            if not is_categorical and not isinstance(column, _columns.DenseColumn):
                raise ValueError(
                    "Items of feature_columns must be either a DenseColumn or CategoricalColumn."
                    f" Given: {column}"
                )
            size = column.num_buckets if is_categorical else column.variable_shape.num_elements()
            with v1.variable_scope(_scope_name(column)):
                column.create_state(variables)
                weight = variables.create_variable(
                    column, "weights", (size, units), initializer=tf.zeros_initializer()
                )
                if is_categorical:
                    sparse = column.get_sparse_tensors(cache, variables)
                    sums.append(_sparse_sum(sparse, weight, sparse_combiner))
                else:
                    dense = _flat(column, column.get_dense_tensor(cache, variables))
                    sums.append(tf.matmul(dense, weight, name="weighted_sum"))
            weights.append(weight)
        bias = variables.create_variable(None, "bias_weights", (units,), initializer=tf.zeros_initializer())
        return tf.nn.bias_add(tf.add_n(sums), bias, name="weighted_sum"), weights, bias


def _in_order(feature_columns: Iterable[Any]) -> list[Any]:
    """Returns columns, checked, in the order of their names.

    Raises:
        ValueError: There is none, or two have the same name.
    """
    columns = sorted(feature_columns, key=lambda column: str(column.name))
    if not columns:
        raise ValueError("feature_columns must not be empty.")
    for first, second in itertools.pairwise(columns):
        if first.name == second.name:
            raise ValueError(
                f"Duplicate feature column name found for columns: {first} and {second}. Either one must be"
                " discarded, or a copy of the feature must be given another name."
            )
    return columns


def _scope_name(column: Any) -> str:
    return re.sub(r"[^A-Za-z0-9_.\\-]", "_", str(column.name))


def _flat(column: Any, tensor: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tensor, [tf.shape(tensor)[0], column.variable_shape.num_elements()])


def _sparse_sum(sparse: Any, weight: Any, combiner: str) -> tf.Tensor:
    """Returns the combined weights of the categories of each example."""

    def in_rows(tensor: tf.SparseTensor) -> tf.SparseTensor:
        return tf.sparse.reshape(tensor, [tf.shape(tensor)[0], -1])

    weights = None if sparse.weight_tensor is None else in_rows(sparse.weight_tensor)
    return v1.nn.safe_embedding_lookup_sparse(
        weight, in_rows(sparse.id_tensor), weights, combiner=combiner, name="weighted_sum"
    )
