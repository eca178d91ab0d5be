"""Classifies examples that belong to any number of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.heads import checks
from keras_legacy_train.estimator.heads.base import ClassHead
from keras_legacy_train.estimator.heads.binary_class import threshold_keys, threshold_metrics
from keras_legacy_train.estimator.heads.keys import MetricKeys, PredictionKeys
from keras_legacy_train.estimator.heads.metrics import AUC, Mean, Metric
from keras_legacy_train.types import TensorLike


class MultiLabelHead(ClassHead):
    """Predicts for each class whether an example is of it; stands for `tf.estimator.MultiLabelHead`.

    Logits have shape `[D0, ..., DN, n_classes]`. Labels are integers 0 and 1 of this shape, or a
    `SparseTensor` of class ids or, with a vocabulary, of strings.

    Args:
        n_classes: How many classes there are, at least two.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        thresholds: Probabilities between 0 and 1: accuracy, precision and recall are computed at each.
        label_vocabulary: The labels, if they are strings.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. The latter ones ask for the metrics and summaries
            of TensorFlow 1, too.
        loss_fn: A function of `labels`, `logits` and, if it takes them, `features`, in place of the loss. It
            returns a loss for each example, shape `[D0, ..., DN, 1]`.
        classes_for_class_based_metrics: Ids of classes, or labels of the vocabulary, for which metrics of
            their own are computed.
        name: Ends the names of metrics and summaries.

    Raises:
        ValueError: An argument cannot be right.
    """

    _vocabulary_type = "label_vocabulary must be a list or tuple."

    def __init__(
        self,
        n_classes: int,
        weight_column: Any = None,
        thresholds: Iterable[float] | None = None,
        label_vocabulary: Sequence[str] | None = None,
        loss_reduction: str = "sum_over_batch_size",
        loss_fn: Callable[..., tf.Tensor] | None = None,
        classes_for_class_based_metrics: Iterable[int | str] | None = None,
        name: str | None = None,
    ):
        message = "n_classes must be > 1 for multi-label classification. Given"
        n_classes = checks.check_n_classes(n_classes, 2, message)
        super().__init__(n_classes, label_vocabulary, weight_column, loss_reduction, loss_fn, name)
        self._thresholds = checks.check_thresholds(thresholds)
        self._classes = self._ids_for_metrics(tuple(classes_for_class_based_metrics or ()))

    def _ids_for_metrics(self, classes: tuple[int | str, ...]) -> list[int]:
        ids = []
        for class_or_id in classes:
            if isinstance(class_or_id, str):
                if self._label_vocabulary is None:
                    raise ValueError(
                        "label_vocabulary must be provided when classes_for_class_based_metrics are strings."
                    )
                class_or_id = list(self._label_vocabulary).index(class_or_id)
            if not 0 <= class_or_id < self._n_classes:
                raise ValueError(
                    "All classes_for_class_based_metrics must be in range"
                    f" [0, {self._n_classes - 1}]. Given: {class_or_id}"
                )
            ids.append(class_or_id)
        return ids

    @property
    def logits_dimension(self) -> int:
        return self._n_classes

    def _processed_labels(self, logits: tf.Tensor, labels: Any) -> tf.Tensor:
        if isinstance(labels, tf.SparseTensor):
            labels = self._indicators(labels)
        elif labels is not None:
            labels = checks.check_range(
                tf.convert_to_tensor(labels),
                2,
                "labels must be an integer indicator Tensor with values in [0, 1]",
            )
        return checks.check_labels(labels, logits, self._n_classes)

    def _indicators(self, labels: tf.SparseTensor) -> tf.Tensor:
        """Returns whether each class is among the sparse ids or labels of an example, 0 or 1."""
        values = labels.values
        if labels.dtype == tf.string:
            if self._label_vocabulary is None:
                raise ValueError("label_vocabulary must be provided when labels are strings.")
            values = self._ids_of(values)
        elif not labels.dtype.is_integer:
            raise ValueError(f"Labels dtype should be integer. Instead got {labels.dtype}.")
        message = f"labels must be an integer SparseTensor with values in [0, {self._n_classes})"
        values = checks.check_range(tf.cast(values, tf.int64), self._n_classes, message)
        ids = tf.SparseTensor(labels.indices, values, labels.dense_shape)
        return tf.cast(tf.sparse.to_indicator(ids, self._n_classes), tf.int64)

    def _default_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        labels = tf.cast(labels, tf.float32)
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
        return tf.reduce_mean(losses, axis=-1, keepdims=True)

    def predictions(self, logits: TensorLike, keys: Sequence[str] | None = None) -> dict[Any, tf.Tensor]:
        logits = checks.check_logits(logits, self._n_classes)
        makers = {
            PredictionKeys.LOGITS: lambda: logits,
            PredictionKeys.PROBABILITIES: lambda: tf.sigmoid(logits, name=PredictionKeys.PROBABILITIES),
            PredictionKeys.CLASSES: lambda: self._all_classes(logits),
        }
        return self._selected(makers, keys)

    def _class_metrics(self, index: int) -> tuple[str, str, str]:
        """Returns the names of the metrics of one class: mean probability, and the areas under the curves."""
        if self._label_vocabulary is None:
            forms = MetricKeys.PROBABILITY_MEAN_AT_CLASS, MetricKeys.AUC_AT_CLASS, MetricKeys.AUC_PR_AT_CLASS
            return forms[0] % index, forms[1] % index, forms[2] % index
        label = self._label_vocabulary[index]
        forms = MetricKeys.PROBABILITY_MEAN_AT_NAME, MetricKeys.AUC_AT_NAME, MetricKeys.AUC_PR_AT_NAME
        return forms[0] % label, forms[1] % label, forms[2] % label

    def _metrics(self) -> dict[str, Metric]:
        metrics: dict[str, Metric] = {
            MetricKeys.AUC: AUC(MetricKeys.AUC, trapezoidal=self._as_tf1),
            MetricKeys.AUC_PR: AUC(MetricKeys.AUC_PR, "PR", trapezoidal=self._as_tf1),
        }
        metrics.update(threshold_metrics(self._thresholds, self._as_tf1))
        for index in self._classes:
            mean, auc, auc_pr = self._class_metrics(index)
            metrics[mean] = Mean(mean)
            metrics[auc] = AUC(auc, trapezoidal=self._as_tf1)
            metrics[auc_pr] = AUC(auc_pr, "PR", trapezoidal=self._as_tf1)
        return metrics

    def _update(
        self, metrics: dict[str, Any], logits: tf.Tensor, labels: tf.Tensor, weights: TensorLike
    ) -> None:
        probabilities = tf.sigmoid(logits)
        for key in (MetricKeys.AUC, MetricKeys.AUC_PR, *threshold_keys(self._thresholds)):
            metrics[key].update_state(labels, probabilities, weights)
        for index in self._classes:
            mean, auc, auc_pr = self._class_metrics(index)
            of_class = probabilities[..., index : index + 1]
            metrics[mean].update_state(of_class, weights)
            for key in (auc, auc_pr):
                metrics[key].update_state(labels[..., index : index + 1], of_class, weights)
