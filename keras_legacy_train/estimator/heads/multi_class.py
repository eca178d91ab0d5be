"""Classifies examples into more than two classes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.heads import checks
from keras_legacy_train.estimator.heads.base import ClassHead
from keras_legacy_train.estimator.heads.keys import MetricKeys, PredictionKeys
from keras_legacy_train.estimator.heads.metrics import Accuracy, Metric
from keras_legacy_train.types import TensorLike


class MultiClassHead(ClassHead):
    """Classifies into several classes, by softmax cross entropy; stands for `tf.estimator.MultiClassHead`.

    Logits have shape `[D0, ..., DN, n_classes]`, labels `[D0, ..., DN, 1]` or `[D0, ..., DN]`.

    Args:
        n_classes: How many classes there are, more than two; for two use `BinaryClassHead`.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        label_vocabulary: The labels, if they are strings. Without, they are integers from 0 to
            `n_classes` - 1.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. The latter ones ask for the summaries of
            TensorFlow 1, too.
        loss_fn: A function of `labels`, `logits` and, if it takes them, `features`, in place of the loss. It
            returns a loss for each example, shape `[D0, ..., DN, 1]`.
        name: Ends the names of metrics and summaries.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        n_classes: int,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        loss_reduction: str = "sum_over_batch_size",
        loss_fn: Callable[..., tf.Tensor] | None = None,
        name: str | None = None,
    ):
        if n_classes is None:
            raise ValueError("n_classes cannot be None")
        message = "For two classes use BinaryClassHead. n_classes must be > 2"
        n_classes = checks.check_n_classes(n_classes, 3, message)
        super().__init__(n_classes, label_vocabulary, weight_column, loss_reduction, loss_fn, name)

    @property
    def logits_dimension(self) -> int:
        return self._n_classes

    def _processed_labels(self, logits: tf.Tensor, labels: Any) -> tf.Tensor:
        labels = checks.check_labels(labels, logits, 1)
        if self._label_vocabulary is None:
            if not labels.dtype.is_integer:
                raise ValueError(f"Labels dtype should be integer. Instead got {labels.dtype}.")
        elif labels.dtype != tf.string:
            raise ValueError(
                f"Labels dtype should be string if there is a vocabulary. Instead got {labels.dtype}"
            )
        else:
            labels = self._ids_of(labels)
        return checks.check_range(labels, self._n_classes)

    def _default_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.squeeze(labels, -1), logits)
        return tf.expand_dims(losses, -1)

    def predictions(self, logits: TensorLike, keys: Sequence[str] | None = None) -> dict[Any, tf.Tensor]:
        logits = checks.check_logits(logits, self._n_classes)
        class_ids = functools.cache(
            lambda: tf.argmax(logits, -1, name=PredictionKeys.CLASS_IDS)[..., tf.newaxis]
        )
        makers: dict[str, Callable[[], tf.Tensor]] = {
            PredictionKeys.LOGITS: lambda: logits,
            PredictionKeys.PROBABILITIES: lambda: tf.nn.softmax(logits, name=PredictionKeys.PROBABILITIES),
            PredictionKeys.CLASS_IDS: class_ids,
            PredictionKeys.CLASSES: lambda: self._names_of(class_ids()),
            PredictionKeys.ALL_CLASS_IDS: lambda: self._all_class_ids(logits),
            PredictionKeys.ALL_CLASSES: lambda: self._all_classes(logits),
        }
        return self._selected(makers, keys)

    def _metrics(self) -> dict[str, Metric]:
        return {MetricKeys.ACCURACY: Accuracy(MetricKeys.ACCURACY)}

    def _update(
        self, metrics: dict[str, Any], logits: tf.Tensor, labels: tf.Tensor, weights: TensorLike
    ) -> None:
        class_ids = self.predictions(logits, [PredictionKeys.CLASS_IDS])[PredictionKeys.CLASS_IDS]
        metrics[MetricKeys.ACCURACY].update_state(labels, class_ids, weights)
