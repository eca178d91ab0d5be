"""Classifies examples into two classes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.export.outputs import ExportOutput, RegressionOutput
from keras_legacy_train.estimator.heads import checks, keys
from keras_legacy_train.estimator.heads.base import ClassHead
from keras_legacy_train.estimator.heads.keys import MetricKeys, PredictionKeys
from keras_legacy_train.estimator.heads.metrics import (
    AUC,
    Accuracy,
    AccuracyBaseline,
    Mean,
    Metric,
    Precision,
    Recall,
)
from keras_legacy_train.types import TensorLike


class BinaryClassHead(ClassHead):
    """Classifies into two classes, by sigmoid cross entropy; stands for `tf.estimator.BinaryClassHead`.

    Logits have shape `[D0, ..., DN, 1]`, labels the same or `[D0, ..., DN]`.

    Args:
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        thresholds: Probabilities between 0 and 1: accuracy, precision and recall are computed at each.
        label_vocabulary: The two labels, if they are strings. Without, they are numbers from 0 to 1.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. The latter ones ask for the metrics and summaries
            of TensorFlow 1, too.
        loss_fn: A function of `labels`, `logits` and, if it takes them, `features`, in place of the loss. It
            returns a loss for each example, shape `[D0, ..., DN, 1]`.
        name: Ends the names of metrics and summaries.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        weight_column: Any = None,
        thresholds: Iterable[float] | None = None,
        label_vocabulary: Sequence[str] | None = None,
        loss_reduction: str = "sum_over_batch_size",
        loss_fn: Callable[..., tf.Tensor] | None = None,
        name: str | None = None,
    ):
        super().__init__(2, label_vocabulary, weight_column, loss_reduction, loss_fn, name)
        self._thresholds = checks.check_thresholds(thresholds)

    @property
    def logits_dimension(self) -> int:
        return 1

    def _processed_labels(self, logits: tf.Tensor, labels: Any) -> tf.Tensor:
        labels = checks.check_labels(labels, logits, 1)
        if self._label_vocabulary is not None:
            labels = self._ids_of(labels)
        return checks.check_range(tf.cast(labels, tf.float32), 2)

    def _default_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

    def predictions(self, logits: TensorLike, keys: Sequence[str] | None = None) -> dict[Any, tf.Tensor]:
        logits = checks.check_logits(logits, 1)
        two_logits = functools.cache(
            lambda: tf.concat([tf.zeros_like(logits), logits], -1, name="two_class_logits")
        )
        class_ids = functools.cache(
            lambda: tf.argmax(two_logits(), -1, name=PredictionKeys.CLASS_IDS)[..., tf.newaxis]
        )
        makers: dict[str, Callable[[], tf.Tensor]] = {
            PredictionKeys.LOGITS: lambda: logits,
            PredictionKeys.LOGISTIC: lambda: tf.sigmoid(logits, name=PredictionKeys.LOGISTIC),
            PredictionKeys.PROBABILITIES: lambda: tf.nn.softmax(
                two_logits(), name=PredictionKeys.PROBABILITIES
            ),
            PredictionKeys.CLASS_IDS: class_ids,
            PredictionKeys.CLASSES: lambda: self._names_of(class_ids()),
            PredictionKeys.ALL_CLASS_IDS: lambda: self._all_class_ids(logits),
            PredictionKeys.ALL_CLASSES: lambda: self._all_classes(logits),
        }
        return self._selected(makers, keys)

    def _metrics(self) -> dict[str, Metric]:
        label_mean = Mean(MetricKeys.LABEL_MEAN)
        metrics: dict[str, Metric] = {
            MetricKeys.ACCURACY: Accuracy(MetricKeys.ACCURACY),
            MetricKeys.PRECISION: Precision(MetricKeys.PRECISION),
            MetricKeys.RECALL: Recall(MetricKeys.RECALL),
            MetricKeys.PREDICTION_MEAN: Mean(MetricKeys.PREDICTION_MEAN),
            MetricKeys.LABEL_MEAN: label_mean,
            MetricKeys.ACCURACY_BASELINE: AccuracyBaseline(MetricKeys.ACCURACY_BASELINE, label_mean),
            MetricKeys.AUC: AUC(MetricKeys.AUC, trapezoidal=self._as_tf1),
            MetricKeys.AUC_PR: AUC(MetricKeys.AUC_PR, "PR", trapezoidal=self._as_tf1),
        }
        metrics.update(threshold_metrics(self._thresholds, self._as_tf1))
        return metrics

    def _update(
        self, metrics: dict[str, Any], logits: tf.Tensor, labels: tf.Tensor, weights: TensorLike
    ) -> None:
        wanted = [PredictionKeys.CLASS_IDS, PredictionKeys.LOGISTIC]
        predictions = self.predictions(logits, wanted)
        class_ids, logistic = (predictions[key] for key in wanted)
        for key in (MetricKeys.ACCURACY, MetricKeys.PRECISION, MetricKeys.RECALL):
            metrics[key].update_state(labels, class_ids, weights)
        metrics[MetricKeys.PREDICTION_MEAN].update_state(logistic, weights)
        metrics[MetricKeys.LABEL_MEAN].update_state(labels, weights)
        for key in (MetricKeys.AUC, MetricKeys.AUC_PR, *threshold_keys(self._thresholds)):
            metrics[key].update_state(labels, logistic, weights)

    def _export_outputs(self, predictions: dict[str, tf.Tensor]) -> dict[str, ExportOutput]:
        probability = RegressionOutput(predictions[PredictionKeys.LOGISTIC])
        return {**super()._export_outputs(predictions), keys.REGRESS_SERVING: probability}


def threshold_metrics(thresholds: Iterable[float], as_tf1: bool) -> dict[str, Metric]:
    """Makes accuracy, precision and recall at each threshold, by name.

    Args:
        thresholds: Probabilities between 0 and 1.
        as_tf1: Whether a probability at the threshold counts as above it, for the accuracy.
    """
    metrics: dict[str, Metric] = {}
    for threshold in thresholds:
        accuracy, precision, recall = threshold_keys([threshold])
        metrics[accuracy] = Accuracy(accuracy, threshold, inclusive=as_tf1)
        metrics[precision] = Precision(precision, threshold)
        metrics[recall] = Recall(recall, threshold)
    return metrics


def threshold_keys(thresholds: Iterable[float]) -> list[str]:
    """Returns the names of accuracy, precision and recall at each threshold."""
    forms = (
        MetricKeys.ACCURACY_AT_THRESHOLD,
        MetricKeys.PRECISION_AT_THRESHOLD,
        MetricKeys.RECALL_AT_THRESHOLD,
    )
    return [form % threshold for threshold in thresholds for form in forms]
