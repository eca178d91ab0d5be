"""Metrics of `tf.compat.v1.metrics` by their names and orders of arguments of before: predictions come first.

Each returns the value so far and the op that takes in a batch and returns the value after it. The sums are in
local variables.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import tensorflow as tf

Metric = tuple[Any, Any]

_tf_metrics = tf.compat.v1.metrics
_PAIR = ("predictions", "labels")
_REST = ("weights", "metrics_collections", "updates_collections", "name")


def _reordered(name: str, metric: Callable[..., Metric], *order: str) -> Callable[..., Metric]:
    """Returns a metric of today with its arguments in the order of before.

    Args:
        name: Its name of before.
        metric: The metric of today, whose defaults it keeps.
        order: The names of its arguments.
    """
    today = inspect.signature(metric).parameters
    parameters = [
        inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=today[each].default)
        for each in order
    ]
    signature = inspect.Signature(parameters)

    def streaming(*args: Any, **kwargs: Any) -> Metric:
        return metric(**signature.bind(*args, **kwargs).arguments)

    streaming.__name__ = streaming.__qualname__ = name
    of_today = f"`tf.compat.v1.metrics.{metric.__name__}`"
    streaming.__doc__ = (
        f"Computes {of_today} over batches; stands for `tf.contrib.metrics.{name}`.\n\n"
        f"Takes {', '.join(order)}, in this order. They are documented there.\n\n"
        "Returns:\n    The value so far, and the op that takes in a batch and returns the value after it."
    )
    setattr(streaming, "__signature__", signature)  # noqa: B010, for type checkers
    return streaming


streaming_true_positives = _reordered("streaming_true_positives", _tf_metrics.true_positives, *_PAIR, *_REST)
streaming_true_negatives = _reordered("streaming_true_negatives", _tf_metrics.true_negatives, *_PAIR, *_REST)
streaming_false_positives = _reordered(
    "streaming_false_positives", _tf_metrics.false_positives, *_PAIR, *_REST
)
streaming_false_negatives = _reordered(
    "streaming_false_negatives", _tf_metrics.false_negatives, *_PAIR, *_REST
)
streaming_mean = _reordered("streaming_mean", _tf_metrics.mean, "values", *_REST)
streaming_mean_tensor = _reordered("streaming_mean_tensor", _tf_metrics.mean_tensor, "values", *_REST)
streaming_accuracy = _reordered("streaming_accuracy", _tf_metrics.accuracy, *_PAIR, *_REST)
streaming_precision = _reordered("streaming_precision", _tf_metrics.precision, *_PAIR, *_REST)
streaming_recall = _reordered("streaming_recall", _tf_metrics.recall, *_PAIR, *_REST)
streaming_auc = _reordered(
    "streaming_auc",
    _tf_metrics.auc,
    *_PAIR,
    *("weights", "num_thresholds", "metrics_collections", "updates_collections", "curve", "name"),
)
streaming_specificity_at_sensitivity = _reordered(
    "streaming_specificity_at_sensitivity",
    _tf_metrics.specificity_at_sensitivity,
    *_PAIR,
    *("sensitivity", "weights", "num_thresholds", "metrics_collections", "updates_collections", "name"),
)
streaming_sensitivity_at_specificity = _reordered(
    "streaming_sensitivity_at_specificity",
    _tf_metrics.sensitivity_at_specificity,
    *_PAIR,
    *("specificity", "weights", "num_thresholds", "metrics_collections", "updates_collections", "name"),
)
streaming_precision_at_thresholds = _reordered(
    "streaming_precision_at_thresholds", _tf_metrics.precision_at_thresholds, *_PAIR, "thresholds", *_REST
)
streaming_recall_at_thresholds = _reordered(
    "streaming_recall_at_thresholds", _tf_metrics.recall_at_thresholds, *_PAIR, "thresholds", *_REST
)
streaming_sparse_recall_at_k = _reordered(
    "streaming_sparse_recall_at_k", _tf_metrics.recall_at_k, *_PAIR, "k", "class_id", *_REST
)
streaming_sparse_precision_at_k = _reordered(
    "streaming_sparse_precision_at_k", _tf_metrics.precision_at_k, *_PAIR, "k", "class_id", *_REST
)
streaming_sparse_average_precision_at_k = _reordered(
    "streaming_sparse_average_precision_at_k", _tf_metrics.average_precision_at_k, *_PAIR, "k", *_REST
)
streaming_mean_absolute_error = _reordered(
    "streaming_mean_absolute_error", _tf_metrics.mean_absolute_error, *_PAIR, *_REST
)
streaming_mean_relative_error = _reordered(
    "streaming_mean_relative_error", _tf_metrics.mean_relative_error, *_PAIR, "normalizer", *_REST
)
streaming_mean_squared_error = _reordered(
    "streaming_mean_squared_error", _tf_metrics.mean_squared_error, *_PAIR, *_REST
)
streaming_root_mean_squared_error = _reordered(
    "streaming_root_mean_squared_error", _tf_metrics.root_mean_squared_error, *_PAIR, *_REST
)
streaming_mean_cosine_distance = _reordered(
    "streaming_mean_cosine_distance", _tf_metrics.mean_cosine_distance, *_PAIR, "dim", *_REST
)
streaming_percentage_less = _reordered(
    "streaming_percentage_less", _tf_metrics.percentage_below, "values", "threshold", *_REST
)
streaming_mean_iou = _reordered("streaming_mean_iou", _tf_metrics.mean_iou, *_PAIR, "num_classes", *_REST)


def streaming_recall_at_k(
    predictions: Any,
    labels: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes how often the label is among the `k` largest predictions.

    Stands for `tf.contrib.metrics.streaming_recall_at_k`.

    Args:
        predictions: Logits or probabilities, `[batch_size, num_classes]`.
        labels: The classes, integers of shape `[batch_size]`.
        k: How many of the largest predictions count.
        weights: A number, or one for each example.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables, by default `recall_at_K`.

    Returns:
        The value so far, and the op that takes in a batch and returns the value after it.
    """
    in_top_k = tf.cast(tf.math.in_top_k(labels, predictions, k), tf.float32)
    pair: Metric = _tf_metrics.mean(
        in_top_k, weights, metrics_collections, updates_collections, name or f"recall_at_{k}"
    )
    return pair


def streaming_sparse_precision_at_top_k(
    top_k_predictions: Any,
    labels: Any,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes how many of the predicted classes are among the labels.

    Stands for `tf.contrib.metrics.streaming_sparse_precision_at_top_k`.

    Args:
        top_k_predictions: The classes predicted for each example, `[batch_size, k]`.
        labels: The classes, integers of shape `[batch_size, num_labels]`, or a sparse tensor.
        class_id: The only class that counts; by default all.
        weights: A number, or one for each example.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The value so far, and the op that takes in a batch and returns the value after it.
    """
    default = "precision_at_k" if class_id is None else f"precision_at_k_class{class_id}"
    with tf.compat.v1.name_scope(name, default, [top_k_predictions, labels, weights]) as scope:
        pair: Metric = _tf_metrics.precision_at_top_k(
            labels=labels,
            predictions_idx=top_k_predictions,
            class_id=class_id,
            weights=weights,
            metrics_collections=metrics_collections,
            updates_collections=updates_collections,
            name=scope,
        )
        return pair


def sparse_recall_at_top_k(
    labels: Any,
    top_k_predictions: Any,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes how many of the labels are among the predicted classes.

    Stands for `tf.contrib.metrics.sparse_recall_at_top_k`.

    Args:
        labels: The classes, integers of shape `[batch_size, num_labels]`, or a sparse tensor.
        top_k_predictions: The classes predicted for each example, `[batch_size, k]`.
        class_id: The only class that counts; by default all.
        weights: A number, or one for each example.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The value so far, and the op that takes in a batch and returns the value after it.
    """
    default = "recall_at_k" if class_id is None else f"recall_at_k_class{class_id}"
    with tf.compat.v1.name_scope(name, default, [top_k_predictions, labels, weights]) as scope:
        pair: Metric = _tf_metrics.recall_at_top_k(
            labels=labels,
            predictions_idx=top_k_predictions,
            class_id=class_id,
            weights=weights,
            metrics_collections=metrics_collections,
            updates_collections=updates_collections,
            name=scope,
        )
        return pair
