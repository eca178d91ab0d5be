"""Has the heads that tell classes apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.learn.heads import metrics
from keras_legacy_train.learn.heads.losses import LossFn, hinge_loss
from keras_legacy_train.learn.heads.metrics import Metric
from keras_legacy_train.learn.heads.single import HeadOptions, Predictions, SingleHead, named_labels
from keras_legacy_train.learn.keys import MetricKey, PredictionKey, ProblemType

v1 = tf.compat.v1


class BinaryHead(SingleHead):
    """Tells two classes apart by logistic regression."""

    _default_scope = "binary_logistic_head"
    _problem_type = ProblemType.LOGISTIC_REGRESSION

    def __init__(self, loss_fn: LossFn, thresholds: Sequence[float] | None, options: HeadOptions):
        super().__init__(1, loss_fn, options)
        self._thresholds = thresholds or (0.5,)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        both = _both_logits(logits)
        return {
            PredictionKey.LOGITS: logits,
            PredictionKey.LOGISTIC: tf.sigmoid(logits, name=PredictionKey.LOGISTIC),
            PredictionKey.PROBABILITIES: tf.nn.softmax(both, name=PredictionKey.PROBABILITIES),
            PredictionKey.CLASSES: tf.argmax(both, 1, name=PredictionKey.CLASSES),
        }

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        logistic = predictions[PredictionKey.LOGISTIC]
        made = {
            MetricKey.ACCURACY: v1.metrics.accuracy(labels, predictions[PredictionKey.CLASSES], weights),
            MetricKey.PREDICTION_MEAN: metrics.mean(logistic, weights),
            MetricKey.LABEL_MEAN: metrics.mean(labels, weights),
            MetricKey.ACCURACY_BASELINE: metrics.mean(labels, weights),
            MetricKey.AUC: metrics.auc(logistic, labels, weights),
            MetricKey.AUC_PR: metrics.auc(logistic, labels, weights, curve="PR"),
        }
        for threshold in self._thresholds:
            made[MetricKey.ACCURACY_MEAN % threshold] = metrics.accuracy_at(
                threshold, logistic, labels, weights
            )
            for key, function in (
                (MetricKey.PRECISION_MEAN, v1.metrics.precision_at_thresholds),
                (MetricKey.RECALL_MEAN, v1.metrics.recall_at_thresholds),
            ):
                values = function(labels, logistic, (threshold,), weights)
                made[key % threshold] = (tf.squeeze(values[0]), tf.squeeze(values[1]))
        return made

    def _exported(self, predictions: Predictions) -> Predictions:
        return _probabilities_by_class(predictions)


class MultiClassHead(SingleHead):
    """Tells more than two classes apart."""

    _default_scope = "multi_class_head"
    _problem_type = ProblemType.CLASSIFICATION

    def __init__(
        self,
        n_classes: int,
        loss_fn: LossFn,
        metric_class_ids: Sequence[int] | None,
        label_keys: Sequence[str] | None,
        options: HeadOptions,
    ):
        super().__init__(n_classes, loss_fn, options)
        self._metric_class_ids = _class_ids(metric_class_ids, n_classes)
        self._label_keys = None if not label_keys else list(label_keys)

    def _labels(self, labels: Any) -> Any:
        """Returns the labels as they are given, and as numbers."""
        labels = super()._labels(labels)
        if self._label_keys is None:
            return labels, labels
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(self._label_keys), tf.range(self.logits_dimension, dtype=tf.int64)
            ),
            default_value=-1,
        )
        return labels, table.lookup(labels)

    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        return self._loss_fn(labels[1], logits, weights)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        classes = tf.argmax(logits, 1, name=PredictionKey.CLASSES)
        if self._label_keys is not None:
            classes = tf.gather(tf.constant(self._label_keys), classes)
        return {
            PredictionKey.LOGITS: logits,
            PredictionKey.PROBABILITIES: tf.nn.softmax(logits, name=PredictionKey.PROBABILITIES),
            PredictionKey.CLASSES: classes,
        }

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        given, numbers = labels
        classes = predictions[PredictionKey.CLASSES]
        made = {MetricKey.ACCURACY: v1.metrics.accuracy(given, classes, weights)}
        if self._label_keys is not None:
            return made
        for number in self._metric_class_ids:
            for key, values in (
                (MetricKey.CLASS_PREDICTION_MEAN, tf.equal(tf.cast(classes, tf.int32), number)),
                (MetricKey.CLASS_LABEL_MEAN, tf.equal(tf.cast(numbers, tf.int32), number)),
            ):
                made[key % number] = v1.metrics.mean(tf.cast(values, tf.float32), weights)
            for key, values in (
                (MetricKey.CLASS_PROBABILITY_MEAN, predictions[PredictionKey.PROBABILITIES]),
                (MetricKey.CLASS_LOGITS_MEAN, predictions[PredictionKey.LOGITS]),
            ):
                made[key % number] = metrics.mean(values, weights, number)
        return made

    def _exported(self, predictions: Predictions) -> Predictions:
        return _probabilities_by_class(predictions, self._label_keys)


class SvmHead(SingleHead):
    """Tells two classes apart by a support vector machine."""

    _default_scope = "binary_svm_head"
    _problem_type = ProblemType.LOGISTIC_REGRESSION

    def __init__(self, options: HeadOptions):
        super().__init__(1, hinge_loss, options)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        classes = tf.argmax(_both_logits(logits), 1, name=PredictionKey.CLASSES)
        return {PredictionKey.LOGITS: logits, PredictionKey.CLASSES: classes}

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        classes = predictions[PredictionKey.CLASSES]
        return {MetricKey.ACCURACY: v1.metrics.accuracy(labels, classes, weights)}


class MultiLabelHead(SingleHead):
    """Tells each class apart from the others: an example may be of several."""

    _default_scope = "multi_label_head"
    _problem_type = ProblemType.CLASSIFICATION

    def __init__(
        self, n_classes: int, loss_fn: LossFn, metric_class_ids: Sequence[int] | None, options: HeadOptions
    ):
        super().__init__(n_classes, loss_fn, options)
        self._metric_class_ids = _class_ids(metric_class_ids, n_classes)

    def _labels(self, labels: Any) -> Any:
        labels = named_labels(labels, self.label_name)
        if isinstance(labels, tf.SparseTensor):
            indicators = v1.sparse_to_indicator(labels, self.logits_dimension)
            return tf.cast(indicators, tf.int64)
        return labels

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        return {
            PredictionKey.LOGITS: logits,
            PredictionKey.PROBABILITIES: tf.sigmoid(logits, name=PredictionKey.PROBABILITIES),
            PredictionKey.CLASSES: tf.cast(logits > 0, tf.int64, name=PredictionKey.CLASSES),
        }

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        probabilities = predictions[PredictionKey.PROBABILITIES]
        classes = predictions[PredictionKey.CLASSES]
        made = {
            MetricKey.ACCURACY: v1.metrics.accuracy(labels, classes, weights),
            MetricKey.AUC: metrics.auc(probabilities, labels, weights),
            MetricKey.AUC_PR: metrics.auc(probabilities, labels, weights, curve="PR"),
        }
        for number in self._metric_class_ids:
            for key, values in (
                (MetricKey.CLASS_PREDICTION_MEAN, classes),
                (MetricKey.CLASS_LABEL_MEAN, labels),
                (MetricKey.CLASS_PROBABILITY_MEAN, probabilities),
                (MetricKey.CLASS_LOGITS_MEAN, predictions[PredictionKey.LOGITS]),
            ):
                made[key % number] = metrics.mean(values, weights, number)
            for key, curve in ((MetricKey.CLASS_AUC, "ROC"), (MetricKey.CLASS_AUC_PR, "PR")):
                made[key % number] = metrics.auc(probabilities, labels, weights, number, curve)
        return made

    def _exported(self, predictions: Predictions) -> Predictions:
        return _probabilities_by_class(predictions)


def _class_ids(given: Sequence[int] | None, n_classes: int) -> tuple[int, ...]:
    numbers = tuple(given or ())
    for number in numbers:
        if not 0 <= number < n_classes:
            raise ValueError(f"Class ID {number} not in [0, {n_classes}).")
    return numbers


def _both_logits(logits: tf.Tensor) -> tf.Tensor:
    """Returns the logits of both classes, of those of the second."""
    return tf.concat([tf.zeros_like(logits), logits], 1)


def _probabilities_by_class(predictions: Predictions, label_keys: Sequence[str] | None = None) -> Predictions:
    """Returns probabilities and the names of their classes, which TensorFlow Serving wants as strings."""
    probabilities = predictions[PredictionKey.PROBABILITIES]
    size, number = tf.unstack(tf.shape(probabilities), 2)
    names = tf.strings.as_string(tf.range(number)) if label_keys is None else tf.constant(label_keys)
    classes = tf.tile(names[tf.newaxis], [size, 1], name="classes_tensor")
    return {PredictionKey.PROBABILITIES: probabilities, PredictionKey.CLASSES: classes}
