"""Metrics made of the confusion matrix at one threshold or at many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.metrics.local_sums import (
    aligned,
    broadcast_weights,
    collected,
    metric_variable,
)
from keras_legacy_train.contrib.metrics.streaming import Metric

_EPSILON = 1e-7
_NAMES = {"tp": "true_positives", "fn": "false_negatives", "tn": "true_negatives", "fp": "false_positives"}


def _confusion(
    predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any, wanted: Iterable[str] = _NAMES
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Counts right and wrong predictions at each threshold.

    Args:
        predictions: Any numbers.
        labels: Cast to bool.
        thresholds: The thresholds. What is greater than one is predicted positive.
        weights: The weights, or `None`.
        wanted: Which of `tp`, `fn`, `tn`, `fp`.

    Returns:
        The sums so far, and after the batch, by those keys; each of shape `[num_thresholds]`.
    """
    predictions, labels, weights = aligned(predictions, labels, weights)
    if weights is not None:
        weights = tf.reshape(broadcast_weights(weights, predictions), [1, -1])
    limits = tf.constant(thresholds, dtype=predictions.dtype)[:, None]
    is_positive = tf.reshape(predictions, [1, -1]) > limits
    label = tf.reshape(tf.cast(labels, tf.bool), [1, -1])
    meets = {
        "tp": lambda: label & is_positive,
        "fn": lambda: label & ~is_positive,
        "tn": lambda: ~label & ~is_positive,
        "fp": lambda: ~label & is_positive,
    }
    values, updates = {}, {}
    for key in wanted:
        counts = tf.cast(meets[key](), tf.float32)
        if weights is not None:
            counts *= weights
        total = metric_variable(_NAMES[key], [len(thresholds)])
        updates[key] = tf.compat.v1.assign_add(total, tf.reduce_sum(counts, axis=1))
        values[key] = tf.convert_to_tensor(total)
    return values, updates


def _at_thresholds(
    key: str, predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any
) -> Metric:
    values, updates = _confusion(predictions, labels, thresholds, weights, [key])
    return values[key], updates[key]


def streaming_true_positives_at_thresholds(
    predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any = None
) -> Metric:
    """Counts true positives at each threshold.

    Stands for `tf.contrib.metrics.streaming_true_positives_at_thresholds`.

    Args:
        predictions: The predictions.
        labels: What they should be, cast to bool, of the same shape.
        thresholds: The thresholds. What is greater than one is predicted positive.
        weights: A number, or one for each prediction.

    Returns:
        The counts so far, and the op that takes in a batch and returns the counts after it.
    """
    return _at_thresholds("tp", predictions, labels, thresholds, weights)


def streaming_false_negatives_at_thresholds(
    predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any = None
) -> Metric:
    """Counts false negatives at each threshold.

    Stands for `tf.contrib.metrics.streaming_false_negatives_at_thresholds`.

    Args:
        predictions: See `streaming_true_positives_at_thresholds`, also for the other arguments.
        labels: What they should be.
        thresholds: The thresholds.
        weights: The weights.

    Returns:
        The counts so far, and the op that takes in a batch and returns the counts after it.
    """
    return _at_thresholds("fn", predictions, labels, thresholds, weights)


def streaming_true_negatives_at_thresholds(
    predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any = None
) -> Metric:
    """Counts true negatives at each threshold.

    Stands for `tf.contrib.metrics.streaming_true_negatives_at_thresholds`.

    Args:
        predictions: See `streaming_true_positives_at_thresholds`, also for the other arguments.
        labels: What they should be.
        thresholds: The thresholds.
        weights: The weights.

    Returns:
        The counts so far, and the op that takes in a batch and returns the counts after it.
    """
    return _at_thresholds("tn", predictions, labels, thresholds, weights)


def streaming_false_positives_at_thresholds(
    predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any = None
) -> Metric:
    """Counts false positives at each threshold.

    Stands for `tf.contrib.metrics.streaming_false_positives_at_thresholds`.

    Args:
        predictions: See `streaming_true_positives_at_thresholds`, also for the other arguments.
        labels: What they should be.
        thresholds: The thresholds.
        weights: The weights.

    Returns:
        The counts so far, and the op that takes in a batch and returns the counts after it.
    """
    return _at_thresholds("fp", predictions, labels, thresholds, weights)


def _grid(count: int) -> list[float]:
    """Returns thresholds from just below 0 to just above 1, as far apart."""
    inner = [step / (count - 1) for step in range(1, count - 1)]
    return [0.0 - _EPSILON, *inner, 1.0 + _EPSILON]


def _of_confusion(
    scope: str | None,
    default_name: str,
    compute: Callable[..., Any],
    arguments: tuple[Any, Any, Any],
    thresholds: Sequence[float],
    collections: tuple[Any, Any],
    wanted: Iterable[str] = _NAMES,
) -> Metric:
    """Returns a metric that is a function of the confusion matrix.

    Args:
        scope: The name that the user has given.
        default_name: The scope otherwise.
        compute: Called with the wanted sums by their keys, and with the `name` of the result.
        arguments: Predictions, labels and weights.
        thresholds: The thresholds.
        collections: Those of the value, and those of the op.
        wanted: Which of `tp`, `fn`, `tn`, `fp`.
    """
    predictions, labels, weights = arguments
    with tf.compat.v1.variable_scope(scope, default_name, arguments):
        values, updates = _confusion(predictions, labels, thresholds, weights, wanted)
        return collected(compute(**values, name="value"), compute(**updates, name="update_op"), *collections)


def _rate(
    scope: str | None,
    default_name: str,
    wrong: Callable[..., Metric],
    right: Callable[..., Metric],
    arguments: tuple[Any, Any, Any],
    collections: tuple[Any, Any],
) -> Metric:
    """Returns how many are wrong of those that are wrong or right.

    Args:
        scope: The name that the user has given.
        default_name: The scope otherwise.
        wrong: The metric that counts those that are wrong.
        right: The metric that counts those that are right.
        arguments: Labels, predictions and weights.
        collections: Those of the value, and those of the op.
    """
    with tf.compat.v1.variable_scope(scope, default_name, arguments):
        value, update_op = (
            tf.math.divide_no_nan(first, first + second, name=name)
            for first, second, name in zip(
                wrong(*arguments), right(*arguments), ("value", "update_op"), strict=True
            )
        )
        return collected(value, update_op, *collections)


def streaming_false_positive_rate(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes how many of the negatives are predicted positive.

    Stands for `tf.contrib.metrics.streaming_false_positive_rate`.

    Args:
        predictions: The predictions, cast to bool.
        labels: What they should be, cast to bool, of the same shape.
        weights: A number, or one for each prediction.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The value so far, 0 without negatives, and the op that takes in a batch and returns the value
        after it.
    """
    arguments, collections = (labels, predictions, weights), (metrics_collections, updates_collections)
    wrong, right = tf.compat.v1.metrics.false_positives, tf.compat.v1.metrics.true_negatives
    return _rate(name, "false_positive_rate", wrong, right, arguments, collections)


def streaming_false_negative_rate(
    predictions: Any,
    labels: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes how many of the positives are predicted negative.

    Stands for `tf.contrib.metrics.streaming_false_negative_rate`.

    Args:
        predictions: The predictions, cast to bool.
        labels: What they should be, cast to bool, of the same shape.
        weights: A number, or one for each prediction.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The value so far, 0 without positives, and the op that takes in a batch and returns the value
        after it.
    """
    arguments, collections = (labels, predictions, weights), (metrics_collections, updates_collections)
    wrong, right = tf.compat.v1.metrics.false_negatives, tf.compat.v1.metrics.true_positives
    return _rate(name, "false_negative_rate", wrong, right, arguments, collections)


def streaming_false_positive_rate_at_thresholds(
    predictions: Any,
    labels: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes at each threshold how many of the negatives are predicted positive.

    Stands for `tf.contrib.metrics.streaming_false_positive_rate_at_thresholds`.

    Args:
        predictions: The predictions.
        labels: What they should be, cast to bool, of the same shape.
        thresholds: The thresholds. What is greater than one is predicted positive.
        weights: A number, or one for each prediction.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The values so far, and the op that takes in a batch and returns the values after it.
    """

    def rate(fp: tf.Tensor, tn: tf.Tensor, name: str) -> tf.Tensor:
        return tf.divide(fp, _EPSILON + fp + tn, name=f"fpr_{name}")

    arguments, collections = (predictions, labels, weights), (metrics_collections, updates_collections)
    default_name = "false_positive_rate_at_thresholds"
    return _of_confusion(name, default_name, rate, arguments, thresholds, collections, ["fp", "tn"])


def streaming_false_negative_rate_at_thresholds(
    predictions: Any,
    labels: Any,
    thresholds: Sequence[float],
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes at each threshold how many of the positives are predicted negative.

    Stands for `tf.contrib.metrics.streaming_false_negative_rate_at_thresholds`.

    Args:
        predictions: The predictions.
        labels: What they should be, cast to bool, of the same shape.
        thresholds: The thresholds. What is greater than one is predicted positive.
        weights: A number, or one for each prediction.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The values so far, and the op that takes in a batch and returns the values after it.
    """

    def rate(fn: tf.Tensor, tp: tf.Tensor, name: str) -> tf.Tensor:
        return tf.divide(fn, _EPSILON + fn + tp, name=f"fnr_{name}")

    arguments, collections = (predictions, labels, weights), (metrics_collections, updates_collections)
    default_name = "false_negative_rate_at_thresholds"
    return _of_confusion(name, default_name, rate, arguments, thresholds, collections, ["fn", "tp"])


def streaming_curve_points(
    labels: Any = None,
    predictions: Any = None,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
) -> Metric:
    """Computes points of the ROC curve or of the curve of precision and recall.

    Stands for `tf.contrib.metrics.streaming_curve_points`.

    Args:
        labels: What predictions should be, cast to bool, of the same shape.
        predictions: The predicted probabilities.
        weights: A number, or one for each prediction.
        num_thresholds: How many points.
        metrics_collections: Collections that the points are added to.
        updates_collections: Collections that the op is added to.
        curve: `"ROC"` for (false positive rate, recall), `"PR"` for (recall, precision).
        name: The scope of the local variables.

    Returns:
        The points so far, `[num_thresholds, 2]`, and the op that takes in a batch.

    Raises:
        ValueError: There is no such curve.
    """
    if curve not in ("ROC", "PR"):
        raise ValueError(f"curve must be 'ROC' or 'PR'; it is {curve!r}.")
    small = 1e-6
    with tf.compat.v1.variable_scope(name, "curve_points", [labels, predictions, weights]):
        sums, updates = _confusion(predictions, labels, _grid(num_thresholds), weights)
        recall = (sums["tp"] + small) / (sums["tp"] + sums["fn"] + small)
        if curve == "ROC":
            points = [sums["fp"] / (sums["fp"] + sums["tn"] + small), recall]
        else:
            points = [recall, (sums["tp"] + small) / (sums["tp"] + sums["fp"] + small)]
        update_op = tf.group(*updates.values())
        return collected(tf.stack(points, axis=1), update_op, metrics_collections, updates_collections)


def recall_at_precision(
    labels: Any,
    predictions: Any,
    precision: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
    strict_mode: bool = False,
) -> Metric:
    """Computes the recall at the threshold whose precision is nearest to the given one.

    Stands for `tf.contrib.metrics.recall_at_precision`.

    Args:
        labels: What predictions should be, cast to bool, of the same shape.
        predictions: The predicted probabilities.
        precision: The precision, from 0 to 1.
        weights: A number, or one for each prediction.
        num_thresholds: How many thresholds are tried.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.
        strict_mode: Whether the precision at the threshold must not be less; the recall is 0 where it is at
            all thresholds.

    Returns:
        The value so far, and the op that takes in a batch and returns the value after it.

    Raises:
        ValueError: `precision` is not between 0 and 1.
    """
    if not 0 <= precision <= 1:
        raise ValueError(f"precision must be in the range [0, 1]; it is {precision!r}.")

    def recall(tp: tf.Tensor, fn: tf.Tensor, tn: tf.Tensor, fp: tf.Tensor, name: str) -> tf.Tensor:
        distances = tp / (tp + fp + _EPSILON) - precision
        closeness = 1.0 / (distances + _EPSILON) if strict_mode else -tf.abs(distances)
        best = tf.argmax(closeness)
        value = tp[best] / (tp[best] + fn[best] + _EPSILON)
        if strict_mode:
            value = tf.where(distances[best] >= 0.0, value, 0.0)
        return tf.identity(value, name=name)

    arguments, collections = (predictions, labels, weights), (metrics_collections, updates_collections)
    return _of_confusion(name, "recall_at_precision", recall, arguments, _grid(num_thresholds), collections)


def precision_at_recall(
    labels: Any,
    predictions: Any,
    target_recall: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes the precision at the highest threshold whose recall is at least the given one.

    Stands for `tf.contrib.metrics.precision_at_recall`.

    Args:
        labels: What predictions should be, cast to bool, of the same shape.
        predictions: The predicted probabilities.
        target_recall: The recall, from 0 to 1.
        weights: A number, or one for each prediction.
        num_thresholds: How many thresholds are tried.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The value so far, and the op that takes in a batch and returns the value after it.

    Raises:
        ValueError: `target_recall` is not between 0 and 1.
    """
    if not 0 <= target_recall <= 1:
        raise ValueError(f"target_recall must be in the range [0, 1]; it is {target_recall!r}.")

    def precision(tp: tf.Tensor, fn: tf.Tensor, tn: tf.Tensor, fp: tf.Tensor, name: str) -> tf.Tensor:
        recalls = tp / (tp + fn + _EPSILON)
        last = tf.reduce_sum(tf.cast(recalls >= target_recall, tf.int64)) - 1
        return tf.divide(tp[last] + _EPSILON, tp[last] + fp[last] + _EPSILON, name=name)

    arguments, collections = (predictions, labels, weights), (metrics_collections, updates_collections)
    return _of_confusion(
        name, "precision_at_recall", precision, arguments, _grid(num_thresholds), collections
    )


def f1_score(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Metric:
    """Computes the best harmonic mean of precision and recall over all thresholds.

    Stands for `tf.contrib.metrics.f1_score`.

    Args:
        labels: What predictions should be, cast to bool, of the same shape.
        predictions: The predicted probabilities.
        weights: A number, or one for each prediction.
        num_thresholds: How many thresholds are tried.
        metrics_collections: Collections that the value is added to.
        updates_collections: Collections that the op is added to.
        name: The scope of the local variables.

    Returns:
        The value so far, and the op that takes in a batch and returns the value after it.
    """

    def best(tp: tf.Tensor, fp: tf.Tensor, fn: tf.Tensor, name: str) -> tf.Tensor:
        precision = tp / (_EPSILON + tp + fp)
        recall = tp / (_EPSILON + tp + fn)
        return tf.reduce_max(2.0 * precision * recall / (precision + recall + _EPSILON), name=name)

    arguments, collections = (predictions, labels, weights), (metrics_collections, updates_collections)
    thresholds, wanted = _grid(num_thresholds), ["tp", "fp", "fn"]
    return _of_confusion(name, "f1", best, arguments, thresholds, collections, wanted)
