"""Metrics that count values, or tell how they vary together."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.metrics.local_sums import (
    aligned,
    broadcast_weights,
    collected,
    metric_variable,
)
from keras_legacy_train.contrib.metrics.streaming import Metric


def count(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Counts values, or sums their weights; stands for `tf.contrib.metrics.count`.

    Args:
        values: The values.
        weights: A number, or one for each value.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The count so far, and the op that takes in a batch and returns the count after it.
    """
    with tf.compat.v1.variable_scope(name, "count", [values, weights]):
        total = metric_variable("count")
        values = tf.convert_to_tensor(values)
        if weights is None:
            number = tf.cast(tf.size(values), tf.float32)
        else:
            values, _, weights = aligned(values, values, weights)
            number = tf.reduce_sum(broadcast_weights(weights, values))
        with tf.control_dependencies([values]):
            update_op = tf.compat.v1.assign_add(total, number)
        return collected(tf.convert_to_tensor(total), update_op, metrics_collections, updates_collections)


def streaming_covariance(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes the unbiased covariance of predictions and labels.

    Stands for `tf.contrib.metrics.streaming_covariance`.

    Args:
        predictions: The predictions.
        labels: What they are compared with, of the same shape.
        weights: How often each pair counts: a number, or one for each pair.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The value so far, NaN for less than two pairs, and the op that takes in a batch and returns the value
        after it.
    """
    with tf.compat.v1.variable_scope(name, "covariance", [predictions, labels, weights]):
        predictions, labels, weights = aligned(predictions, labels, weights)
        total = metric_variable("count")
        means = metric_variable("mean_prediction"), metric_variable("mean_label")
        comoment = metric_variable("comoment")
        weights = broadcast_weights(tf.constant(1.0) if weights is None else weights, labels)

        number = tf.reduce_sum(weights)
        new_total = tf.compat.v1.assign_add(total, number)
        batch_means, old_means, updates = [], [], []
        for values, mean in zip((predictions, labels), means, strict=True):
            batch_mean = tf.math.divide_no_nan(tf.reduce_sum(values * weights), number)
            shift = tf.math.divide_no_nan((batch_mean - mean) * number, new_total)
            new_mean = tf.compat.v1.assign_add(mean, shift)
            batch_means.append(batch_mean)
            old_means.append(new_mean - shift)
            updates.append(new_mean)
        within = tf.reduce_sum((predictions - batch_means[0]) * (labels - batch_means[1]) * weights)
        between = (old_means[0] - batch_means[0]) * (old_means[1] - batch_means[1])
        share = tf.math.divide_no_nan((new_total - number) * number, new_total)
        new_comoment = tf.compat.v1.assign_add(comoment, within + between * share)

        def covariance(comoment: Any, count: Any, name: str) -> tf.Tensor:
            comoment, count = tf.convert_to_tensor(comoment), tf.convert_to_tensor(count)
            return tf.compat.v1.where(count <= 1.0, float("nan"), comoment / (count - 1.0), name=name)

        value = covariance(comoment, total, "covariance")
        with tf.control_dependencies(updates):
            update_op = covariance(new_comoment, new_total, "update_op")
        return collected(value, update_op, metrics_collections, updates_collections)


def streaming_pearson_correlation(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes Pearson's correlation of predictions and labels.

    Stands for `tf.contrib.metrics.streaming_pearson_correlation`.

    Args:
        predictions: The predictions.
        labels: What they are compared with, of the same shape.
        weights: How often each pair counts: a number, or one for each pair.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The value so far, and the op that takes in a batch and returns the value after it.
    """
    with tf.compat.v1.variable_scope(name, "pearson_r", [predictions, labels, weights]):
        predictions, labels, weights = aligned(predictions, labels, weights)
        together = streaming_covariance(predictions, labels, weights, name="covariance")
        first = streaming_covariance(predictions, predictions, weights, name="variance_predictions")
        second = streaming_covariance(labels, labels, weights, name="variance_labels")
        value, update_op = (
            tf.divide(covariance, tf.sqrt(variance_1) * tf.sqrt(variance_2), name=label)
            for covariance, variance_1, variance_2, label in zip(
                together, first, second, ("pearson_r", "update_op"), strict=True
            )
        )
        return collected(value, update_op, metrics_collections, updates_collections)
