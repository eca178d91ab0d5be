"""What is computed of one batch, and several metrics put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.metrics.streaming import Metric


def accuracy(predictions: Any, labels: Any, weights: Any = None, name: str | None = None) -> tf.Tensor:
    """Returns how many predictions of a batch are right; stands for `tf.contrib.metrics.accuracy`.

    Args:
        predictions: The predictions, of the dtype and shape of `labels`.
        labels: Integers, booleans or strings.
        weights: A number, or one for each prediction.
        name: The scope of the ops.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: The labels have another dtype, or predictions and labels differ in it.
    """
    predictions, labels = tf.convert_to_tensor(predictions), tf.convert_to_tensor(labels)
    if not (labels.dtype.is_integer or labels.dtype in (tf.bool, tf.string)):
        raise ValueError(f"labels must be integers, booleans or strings; their dtype is {labels.dtype!r}.")
    if not labels.dtype.is_compatible_with(predictions.dtype):
        raise ValueError(
            "predictions and labels must have one dtype; they have"
            f" {predictions.dtype!r} and {labels.dtype!r}."
        )
    with tf.compat.v1.name_scope(name, "accuracy", [predictions, labels]):
        is_right = tf.cast(tf.equal(predictions, labels), tf.float32)
        if weights is None:
            return tf.reduce_mean(is_right)
        is_right *= weights
        return tf.reduce_sum(is_right) / tf.reduce_sum(weights * tf.ones_like(is_right))


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: tf.DType = tf.int32,
    name: str | None = None,
    weights: Any = None,
) -> tf.Tensor:
    """Returns how often each class is taken for each; stands for `tf.contrib.metrics.confusion_matrix`.

    Args:
        labels: The classes, integers of shape `[batch_size]`.
        predictions: The predicted classes, of the same shape.
        num_classes: How many classes there are; by default the largest number and one more.
        dtype: The dtype of the counts.
        name: The scope of the ops.
        weights: One for each prediction.

    Returns:
        The counts, `[num_classes, num_classes]`; a row for each label, a column for each prediction.
    """
    return tf.math.confusion_matrix(labels, predictions, num_classes, weights, dtype, name)


def aggregate_metrics(*value_update_tuples: Metric) -> tuple[list[Any], list[Any]]:
    """Returns the values and the update ops of metrics; stands for `tf.contrib.metrics.aggregate_metrics`.

    Args:
        value_update_tuples: Pairs of a value and an update op.

    Returns:
        The list of the values, and that of the update ops.

    Raises:
        ValueError: There is no pair.
    """
    if not value_update_tuples:
        raise ValueError("Give at least one pair of a value and an update op.")
    values, updates = zip(*value_update_tuples, strict=True)
    return list(values), list(updates)


def aggregate_metric_map(names_to_tuples: Mapping[str, Metric]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the values and the update ops of metrics by name.

    Stands for `tf.contrib.metrics.aggregate_metric_map`.

    ```python
    with tf.Graph().as_default():
        predictions = labels = tf.constant([1, 0])
        names_to_values, names_to_updates = aggregate_metric_map({
            "accuracy": tf.compat.v1.metrics.accuracy(labels, predictions),
            "precision": tf.compat.v1.metrics.precision(labels, predictions),
        })
    ```

    Args:
        names_to_tuples: By name, pairs of a value and an update op.

    Returns:
        The values by name, and the update ops by name.
    """
    pairs = dict(names_to_tuples)
    return {name: value for name, (value, _) in pairs.items()}, {name: op for name, (_, op) in pairs.items()}
