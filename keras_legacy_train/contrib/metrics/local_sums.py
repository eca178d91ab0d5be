"""What metrics share: local variables that sum up, and arguments of fitting shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

_KEYS = tf.compat.v1.GraphKeys


def metric_variable(name: str, shape: Sequence[int] = (), dtype: tf.DType = tf.float32) -> tf.Variable:
    """Returns a new variable of zeros that neither training nor checkpoints touch.

    Args:
        name: Its name.
        shape: Its shape.
        dtype: Its dtype.
    """
    return tf.compat.v1.Variable(
        lambda: tf.zeros(shape, dtype),
        trainable=False,
        collections=[_KEYS.LOCAL_VARIABLES, _KEYS.METRIC_VARIABLES],
        name=name,
    )


def aligned(predictions: Any, labels: Any, weights: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
    """Returns them without a last dimension of 1 that only one of them has.

    Args:
        predictions: The predictions.
        labels: The labels.
        weights: The weights, or `None`.

    Raises:
        ValueError: The shapes of predictions and labels differ otherwise.
    """
    predictions, labels = tf.convert_to_tensor(predictions), tf.convert_to_tensor(labels)
    difference = _rank_difference(predictions, labels)
    if difference == 1 and predictions.shape.as_list()[-1] in (1, None):
        predictions = tf.squeeze(predictions, [-1])
    elif difference == -1 and labels.shape.as_list()[-1] in (1, None):
        labels = tf.squeeze(labels, [-1])
    predictions.shape.assert_is_compatible_with(labels.shape)
    if weights is None:
        return predictions, labels, None
    weights = tf.convert_to_tensor(weights)
    difference = _rank_difference(weights, predictions)
    if weights.shape.rank != 0 and difference == 1:
        weights = tf.squeeze(weights, [-1])
    elif weights.shape.rank != 0 and difference == -1:
        weights = tf.expand_dims(weights, -1)
    return predictions, labels, weights


def _rank_difference(first: tf.Tensor, second: tf.Tensor) -> int | None:
    ranks = first.shape.rank, second.shape.rank
    return None if None in ranks else ranks[0] - ranks[1]


def broadcast_weights(weights: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Returns one weight for each value."""
    weights = tf.cast(weights, tf.float32)
    return weights * tf.ones_like(values, dtype=tf.float32)


def collected(
    value: Any, update_op: Any, metrics_collections: Any, updates_collections: Any
) -> tuple[Any, Any]:
    """Adds a metric to the collections that the user has named; returns it.

    Args:
        value: The value so far.
        update_op: The op that takes in a batch.
        metrics_collections: A collection or several, for the value; `None` for none.
        updates_collections: A collection or several, for the op; `None` for none.
    """
    if metrics_collections:
        tf.compat.v1.add_to_collections(metrics_collections, value)
    if updates_collections:
        tf.compat.v1.add_to_collections(updates_collections, update_op)
    return value, update_op
