"""Makes inputs of networks, and sums of linear models, of feature columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import framework
from keras_legacy_train.feature_columns.base import FeatureColumn, Lookup, as_matrix
from keras_legacy_train.feature_columns.dense import RealValuedColumn, real_valued_column, restore

v1 = tf.compat.v1


def input_from_feature_columns(
    columns_to_tensors: Mapping[Any, Any],
    feature_columns: Iterable[FeatureColumn],
    weight_collections: Iterable[str] | None = None,
    trainable: bool = True,
    scope: Any = None,
    cols_to_outs: dict[Any, Any] | None = None,
) -> Any:
    """Returns the inputs of a network; stands for `tf.contrib.layers.input_from_feature_columns`.

    Args:
        columns_to_tensors: The features by key.
        feature_columns: Real-valued, bucketized, one-hot and embedding columns.
        weight_collections: Collections that embeddings are added to.
        trainable: Whether embeddings are trained.
        scope: The variable scope or its name; by default a new one, `input_from_feature_columns`.
        cols_to_outs: A dict that gets the input of each column.

    Returns:
        A tensor of shape `[batch, size]`: the columns, in the order of their keys.

    Raises:
        ValueError: Two columns are the same, a feature is missing, or networks do not take a column.
    """
    features = dict(columns_to_tensors)
    with v1.variable_scope(scope, "input_from_feature_columns", list(columns_to_tensors.values())):
        outputs = []
        for column in _ordered(feature_columns):
            with v1.variable_scope(None, column.name):
                output = column.input_layer(features, _listed(weight_collections), trainable)
            outputs.append(output)
            if cols_to_outs is not None:
                cols_to_outs[column] = output
        return tf.concat(outputs, 1)


def weighted_sum_from_feature_columns(
    columns_to_tensors: Mapping[Any, Any],
    feature_columns: Iterable[FeatureColumn],
    num_outputs: int,
    weight_collections: Iterable[str] | None = None,
    trainable: bool = True,
    scope: Any = None,
) -> tuple[Any, dict[Any, list[Any]], Any]:
    """Returns the outputs of a linear model; stands for that of `tf.contrib.layers`.

    The variables are `weight` of a column of numbers, `weights` of others, and `bias_weight`. They start at
    zero.

    Args:
        columns_to_tensors: The features by key.
        feature_columns: Real-valued, bucketized, sparse, weighted and crossed columns.
        num_outputs: How many sums there are.
        weight_collections: Collections that the variables are added to.
        trainable: Whether the variables are trained.
        scope: The variable scope or its name; by default a new one, `weighted_sum_from_feature_columns`.

    Returns:
        The sums, of shape `[batch, num_outputs]`; the variables by column, each in a list; the bias.

    Raises:
        ValueError: Two columns are the same, a feature is missing, or linear models do not take a column.
    """
    features = dict(columns_to_tensors)
    collections = _listed(weight_collections)
    with v1.variable_scope(scope, "weighted_sum_from_feature_columns", list(columns_to_tensors.values())):
        sums, variables = [], {}
        for column in _ordered(feature_columns):
            rows = column.lookup(features)
            with v1.variable_scope(None, column.name):
                if rows is None:
                    numbers = column.input_layer(features, None, trainable)
                    weights = _zeros("weight", [numbers.shape[1], num_outputs], trainable, collections)
                    output = tf.matmul(numbers, weights, name="matmul")
                else:
                    weights = _zeros("weights", [rows.vocab_size, num_outputs], trainable, collections)
                    output = _combined(weights, rows, f"{column.name}_weights")
            sums.append(tf.reshape(output, [-1, num_outputs]))
            variables[column] = _parts(weights)
            restore(column, weights)
        bias = _zeros("bias_weight", [num_outputs], trainable, collections)
        return tf.nn.bias_add(tf.add_n(sums), bias), variables, bias


def joint_weighted_sum_from_feature_columns(
    columns_to_tensors: Mapping[Any, Any],
    feature_columns: Iterable[FeatureColumn],
    num_outputs: int,
    weight_collections: Iterable[str] | None = None,
    trainable: bool = True,
    scope: Any = None,
) -> tuple[Any, list[Any], Any]:
    """Returns the outputs of a linear model whose weights are one variable, `linear_weights/weights`.

    Stands for `tf.contrib.layers.joint_weighted_sum_from_feature_columns`.

    Args:
        columns_to_tensors: The features by key.
        feature_columns: Bucketized, sparse and crossed columns whose combiner is "sum".
        num_outputs: See `weighted_sum_from_feature_columns`, also for the arguments below.
        weight_collections: Collections that the variables are added to.
        trainable: Whether the variables are trained.
        scope: The variable scope or its name; by default a new one,
            `joint_weighted_sum_from_feature_columns`.

    Returns:
        The sums, of shape `[batch, num_outputs]`; the parts of the variable; the bias.

    Raises:
        ValueError: Two columns are the same, a feature is missing, or a column cannot be joined.
    """
    features = dict(columns_to_tensors)
    collections = _listed(weight_collections)
    values = list(columns_to_tensors.values())
    with v1.variable_scope(scope, "joint_weighted_sum_from_feature_columns", values):
        size, parts = 0, []
        for column in _ordered(feature_columns):
            rows = column.lookup(features)
            if rows is None or rows.weights is not None or rows.combiner != "sum":
                raise ValueError(
                    f"Column {column.name} is of plain numbers, has weights, or a combiner other than sum."
                    " Please use weighted_sum_from_feature_columns instead."
                )
            ids = rows.ids
            moved = tf.cast(ids.values, tf.int64) + size
            parts.append(tf.SparseTensor(ids.indices, moved, ids.dense_shape))
            size += rows.vocab_size
        with v1.variable_scope(None, "linear_weights"):
            weights = _zeros("weights", [size, num_outputs], trainable, collections)
            joint = Lookup(tf.sparse.concat(1, parts), None, size, "sum")
            sums = _combined(weights, joint, "_weights")
        bias = _zeros("bias_weight", [num_outputs], trainable, collections)
        return tf.nn.bias_add(sums, bias), _parts(weights), bias


def create_feature_spec_for_parsing(feature_columns: Any) -> dict[str, Any]:
    """Returns how the features of columns are parsed from `tf.train.Example`s.

    Stands for `tf.contrib.layers.create_feature_spec_for_parsing`.

    Args:
        feature_columns: Columns, or a dict of them.

    Raises:
        TypeError: One is not a column of this module.
    """
    columns = feature_columns.values() if isinstance(feature_columns, Mapping) else feature_columns
    spec: dict[str, Any] = {}
    for column in columns:
        if not isinstance(column, FeatureColumn):
            raise TypeError(
                f"feature_columns should only contain columns of tf.contrib.layers. Given column is {column}"
            )
        spec.update(column.config)
    return spec


def parse_feature_columns_from_examples(
    serialized: Any,
    feature_columns: Iterable[FeatureColumn],
    name: str | None = None,
    example_names: Any = None,
) -> dict[Any, Any]:
    """Returns the features in serialised `tf.train.Example`s, and what columns make of them.

    Stands for `tf.contrib.layers.parse_feature_columns_from_examples`.

    Args:
        serialized: Serialised `tf.train.Example`s, strings of shape `[batch]`.
        feature_columns: The columns.
        name: The name of the op.
        example_names: Names of the examples, for errors.

    Returns:
        Tensors by key and by column.

    Raises:
        ValueError: Two columns are the same.
    """
    columns = _ordered(feature_columns)
    features: dict[Any, Any] = v1.parse_example(
        serialized, create_feature_spec_for_parsing(columns), name=name, example_names=example_names
    )
    for column in columns:
        column.transformed(features)
    return features


def transform_features(
    features: Mapping[Any, Any], feature_columns: Iterable[FeatureColumn]
) -> dict[FeatureColumn, Any]:
    """Returns what columns make of features; stands for `tf.contrib.layers.transform_features`.

    Args:
        features: Tensors by key.
        feature_columns: The columns.

    Raises:
        ValueError: Two columns are the same, or a feature is missing.
    """
    known = dict(features)
    return {column: column.transformed(known) for column in _ordered(feature_columns)}


def make_place_holder_tensors_for_base_features(feature_columns: Any) -> dict[str, Any]:
    """Returns placeholders for the features of columns; stands for that of `tf.contrib.layers`.

    Args:
        feature_columns: Columns, or a dict of them.
    """
    placeholders = {}
    for key, spec in create_feature_spec_for_parsing(feature_columns).items():
        name = f"Placeholder_{key}"
        if isinstance(spec, tf.io.VarLenFeature):
            placeholders[key] = v1.sparse_placeholder(spec.dtype, name=name)
        else:
            placeholders[key] = v1.placeholder(spec.dtype, (None, spec.shape[0]), name=name)
    return placeholders


def infer_real_valued_columns(features: Any) -> list[RealValuedColumn]:
    """Returns columns of numbers for features; stands for `tf.contrib.layers.infer_real_valued_columns`.

    Args:
        features: A tensor, or a dict of tensors, of shape `[batch, ...]`.

    Raises:
        ValueError: A feature is sparse, or not of integers or floats, or its size is not known.
    """
    if not isinstance(features, Mapping):
        features = {"": features}
    return [_inferred(name, tensor) for name, tensor in features.items()]


def check_feature_columns(feature_columns: Iterable[FeatureColumn]) -> None:
    """Checks that no two columns are the same; stands for `tf.contrib.layers.check_feature_columns`.

    Args:
        feature_columns: The columns.

    Raises:
        ValueError: Two are the same, or they are a dict.
    """
    _ordered(feature_columns)


def _ordered(columns: Iterable[FeatureColumn]) -> list[FeatureColumn]:
    if isinstance(columns, Mapping):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    by_key: dict[str, FeatureColumn] = {}
    for column in columns:
        if column.key in by_key:
            raise ValueError(
                f"Duplicate feature column key found for column: {column.name}. This usually means that the"
                " column is almost identical to another column, and one must be discarded."
            )
        by_key[column.key] = column
    return [by_key[key] for key in sorted(by_key)]


def _zeros(name: str, shape: list[Any], trainable: bool, collections: list[str] | None) -> Any:
    return framework.model_variable(
        name, shape=shape, initializer=v1.zeros_initializer(), trainable=trainable, collections=collections
    )


def _combined(weights: Any, rows: Lookup, name: str) -> Any:
    ids, factors = as_matrix(rows.ids), rows.weights
    return v1.nn.safe_embedding_lookup_sparse(
        weights,
        ids,
        None if factors is None else as_matrix(factors),
        combiner=rows.combiner,
        name=name,
    )


def _parts(variable: Any) -> list[Any]:
    return [variable] if isinstance(variable, tf.Variable) else list(variable)


def _listed(collections: Iterable[str] | None) -> list[str] | None:
    return None if collections is None else list(collections)


def _inferred(name: str, tensor: Any) -> RealValuedColumn:
    if isinstance(tensor, tf.SparseTensor):
        raise ValueError(
            "SparseTensor is not supported for auto detection. Please define corresponding FeatureColumn for"
            f" tensor {name} {tensor}."
        )
    if not (tensor.dtype.is_integer or tensor.dtype.is_floating):
        raise ValueError(
            "Non integer or non floating types are not supported for auto detection. Please define"
            f" corresponding FeatureColumn for tensor {name} {tensor}."
        )
    size = tensor.shape[1:].num_elements()
    if size is None:
        raise ValueError(f"The shape of a feature must be known but for its first dimension: {tensor}")
    return real_valued_column(name, dimension=size, dtype=tensor.dtype)
