"""Says how to parse `Example`s for classifiers and regressors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf


def classifier_parse_example_spec(
    feature_columns: Iterable[Any],
    label_key: str,
    label_dtype: tf.DType = tf.int64,
    label_default: Any = None,
    weight_column: Any = None,
) -> dict[str, Any]:
    """Returns the features of `Example`s for a classifier; stands for the function of `tf.estimator`.

    ```python
    columns = [tf.feature_column.numeric_column("age")]
    spec = classifier_parse_example_spec(columns, label_key="income", label_dtype=tf.string)
    assert spec == {
        "age": tf.io.FixedLenFeature((1,), tf.float32),
        "income": tf.io.FixedLenFeature((1,), tf.string),
    }
    ```

    Args:
        feature_columns: The feature columns of the classifier.
        label_key: Name of the label in the `Example`s.
        label_dtype: The label's type: `tf.string` with a label vocabulary, `tf.float32` for two classes only.
        label_default: The label of an `Example` without one; `None` makes that an error.
        weight_column: Name of the weight in the `Example`s, or a `tf.feature_column.numeric_column`; `None`
            for no weights.

    Returns:
        What `tf.io.parse_example` takes: `FixedLenFeature`s and their like, by name.

    Raises:
        ValueError: Label or weight are among the features, or a column is not one.
    """
    label = tf.io.FixedLenFeature((1,), label_dtype, label_default)
    return _with_label_and_weight(feature_columns, label_key, label, weight_column)


def regressor_parse_example_spec(
    feature_columns: Iterable[Any],
    label_key: str,
    label_dtype: tf.DType = tf.float32,
    label_default: Any = None,
    label_dimension: int = 1,
    weight_column: Any = None,
) -> dict[str, Any]:
    """Returns the features of `Example`s for a regressor; stands for the function of `tf.estimator`.

    Args:
        feature_columns: The feature columns of the regressor.
        label_key: Name of the label in the `Example`s.
        label_dtype: The label's type.
        label_default: The label of an `Example` without one; `None` makes that an error.
        label_dimension: How many numbers a label has.
        weight_column: Name of the weight in the `Example`s, or a `tf.feature_column.numeric_column`; `None`
            for no weights.

    Returns:
        What `tf.io.parse_example` takes: `FixedLenFeature`s and their like, by name.

    Raises:
        ValueError: Label or weight are among the features, or a column is not one.
    """
    label = tf.io.FixedLenFeature((label_dimension,), label_dtype, label_default)
    return _with_label_and_weight(feature_columns, label_key, label, weight_column)


def _with_label_and_weight(
    feature_columns: Iterable[Any], label_key: str, label: Any, weight_column: Any
) -> dict[str, Any]:
    spec: dict[str, Any] = tf.feature_column.make_parse_example_spec(feature_columns)
    if label_key is None:
        raise ValueError("label_key must be the name of the label in the Examples; it is None.")
    if label_key in spec:
        raise ValueError(
            f"label should not be used as feature. label_key: {label_key}, features: {list(spec)}"
        )
    spec[label_key] = label
    if weight_column is None:
        return spec
    if isinstance(weight_column, str):
        weight_column = tf.feature_column.numeric_column(weight_column)
    weight = _spec_of_weight(weight_column)
    for key in weight:
        if key in spec:
            raise ValueError(
                f"weight_column should not be used as feature. weight_column: {key}, features: {list(spec)}"
            )
    return {**spec, **weight}


def _spec_of_weight(weight_column: Any) -> dict[str, Any]:
    if not isinstance(weight_column, type(tf.feature_column.numeric_column("weight"))):
        raise ValueError(
            "weight_column should be an instance of tf.feature_column.numeric_column. Given type:"
            f" {type(weight_column)} value: {weight_column}"
        )
    spec: dict[str, Any] = weight_column.parse_example_spec
    return spec
