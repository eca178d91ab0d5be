"""Makes the metrics that several heads have, of predictions, labels and weights."""

from __future__ import annotations

import logging
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1

_LOGGER = logging.getLogger("keras_legacy_train")

# A value and what updates it.
Metric = tuple[tf.Tensor, Any]


def check_weights(weights: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Returns weights in the shape of the values.

    Args:
        weights: A scalar, or a tensor of as many dimensions as the values, each of the same size or 1.
        values: What is weighted.

    Raises:
        ValueError: The weights have another shape.
    """
    shapes = weights.shape, values.shape
    ranks = [shape.ndims for shape in shapes]
    if ranks[0] != 0 and None not in ranks and ranks[0] != ranks[1]:
        raise ValueError(
            f"weights can not be broadcast to values. values.rank={ranks[1]}. weights.rank={ranks[0]}."
            f" values.shape={values.shape}. weights.shape={weights.shape}."
        )
    return weights * tf.ones_like(values, dtype=weights.dtype)


def mean(values: tf.Tensor, weights: tf.Tensor | None, class_id: int | None = None) -> Metric:
    """Returns the metric of a weighted mean.

    Args:
        values: The values, of any number type.
        weights: See `check_weights`; `None` for none.
        class_id: The column that is meant; `None` for all.
    """
    values = tf.cast(values, tf.float32)
    if weights is not None:
        weights = check_weights(weights, values)
    metric: Metric = v1.metrics.mean(_column(values, class_id), _column(weights, class_id))
    return metric


def auc(
    predictions: tf.Tensor,
    labels: tf.Tensor,
    weights: tf.Tensor | None,
    class_id: int | None = None,
    curve: str = "ROC",
) -> Metric:
    """Returns the metric of the area under a curve.

    Args:
        predictions: Probabilities.
        labels: Labels that are 0 or 1.
        weights: See `check_weights`; `None` for none.
        class_id: The column that is meant; `None` for all.
        curve: `"ROC"`, or `"PR"` for precision and recall.
    """
    predictions = tf.cast(predictions, tf.float32)
    labels = tf.cast(labels, tf.bool)
    if weights is not None:
        weights = check_weights(weights, predictions)
    metric: Metric = v1.metrics.auc(
        _column(labels, class_id), _column(predictions, class_id), _column(weights, class_id), curve=curve
    )
    return metric


def accuracy_at(
    threshold: float, predictions: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor | None
) -> Metric:
    """Returns the metric of how many labels are 1 where the prediction is at least the threshold, and 0 else.

    Args:
        threshold: The threshold.
        predictions: Probabilities.
        labels: Labels that are 0 or 1.
        weights: See `check_weights`; `None` for none.
    """
    metric: Metric = v1.metrics.accuracy(labels, tf.cast(predictions >= threshold, tf.float32), weights)
    return metric


def _column(values: Any, class_id: int | None) -> Any:
    return values if values is None or class_id is None else values[:, class_id]
