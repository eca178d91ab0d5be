"""Predicts numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.export.outputs import ExportOutput, PredictOutput, RegressionOutput
from keras_legacy_train.estimator.heads import checks, keys
from keras_legacy_train.estimator.heads.base import SingleHead
from keras_legacy_train.estimator.heads.keys import MetricKeys, PredictionKeys
from keras_legacy_train.estimator.heads.metrics import Mean, Metric
from keras_legacy_train.types import TensorLike


class RegressionHead(SingleHead):
    """Predicts numbers, by squared error; stands for `tf.estimator.RegressionHead`.

    Logits and labels have shape `[D0, ..., DN, label_dimension]`; labels may be `[D0, ..., DN]` if it is 1.

    Args:
        label_dimension: How many numbers are predicted for an example.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples, or of each of their numbers.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. The latter ones ask for the summaries of
            TensorFlow 1, too.
        loss_fn: A function of `labels`, `logits` and, if it takes them, `features`, in place of the loss. It
            returns a loss for each number.
        inverse_link_fn: Makes predictions of logits.
        name: Ends the names of metrics and summaries.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        label_dimension: int = 1,
        weight_column: Any = None,
        loss_reduction: str = "sum_over_batch_size",
        loss_fn: Callable[..., tf.Tensor] | None = None,
        inverse_link_fn: Callable[[tf.Tensor], tf.Tensor] | None = None,
        name: str | None = None,
    ):
        if label_dimension < 1:
            raise ValueError(f"Invalid label_dimension {label_dimension}.")
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        self._loss_dimension = label_dimension
        self._inverse_link_fn = inverse_link_fn

    @property
    def logits_dimension(self) -> int:
        return self._loss_dimension

    def _processed_labels(self, logits: tf.Tensor, labels: Any) -> tf.Tensor:
        return tf.cast(checks.check_labels(labels, logits, self.logits_dimension), tf.float32)

    def _default_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        return tf.math.squared_difference(logits, labels)

    def predictions(self, logits: TensorLike, keys: Sequence[str] | None = None) -> dict[Any, tf.Tensor]:
        logits = checks.check_logits(logits, self.logits_dimension)
        predictions = {PredictionKeys.PREDICTIONS: logits}
        if self._inverse_link_fn is not None:
            with tf.name_scope("predictions"):
                values = self._inverse_link_fn(logits)
            predictions = {PredictionKeys.PREDICTIONS: values, PredictionKeys.LOGITS: logits}
        checks.check_prediction_keys(keys or (), predictions)
        return {key: predictions[key] for key in keys or predictions}

    def _metrics(self) -> dict[str, Metric]:
        return {key: Mean(key) for key in (MetricKeys.PREDICTION_MEAN, MetricKeys.LABEL_MEAN)}

    def _update(
        self, metrics: dict[str, Any], logits: tf.Tensor, labels: tf.Tensor, weights: TensorLike
    ) -> None:
        predicted = self.predictions(logits)[PredictionKeys.PREDICTIONS]
        metrics[MetricKeys.PREDICTION_MEAN].update_state(predicted, weights)
        metrics[MetricKeys.LABEL_MEAN].update_state(labels, weights)

    def _export_outputs(self, predictions: dict[str, tf.Tensor]) -> dict[str, ExportOutput]:
        values = RegressionOutput(predictions[PredictionKeys.PREDICTIONS])
        return {
            keys.DEFAULT_SERVING: values,
            keys.REGRESS_SERVING: values,
            keys.PREDICT_SERVING: PredictOutput(predictions),
        }


class PoissonRegressionHead(RegressionHead):
    """Predicts counts; stands for `tf.estimator.PoissonRegressionHead`.

    Logits are the logarithms of what is predicted.

    Args:
        label_dimension: How many counts are predicted for an example.
        weight_column: See `RegressionHead`.
        loss_reduction: See `RegressionHead`.
        compute_full_loss: Whether the loss has the term that does not depend on the logits, too.
        name: Ends the names of metrics and summaries.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        label_dimension: int = 1,
        weight_column: Any = None,
        loss_reduction: str = "sum_over_batch_size",
        compute_full_loss: bool = True,
        name: str | None = None,
    ):
        def poisson_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
            return tf.nn.log_poisson_loss(labels, logits, compute_full_loss)

        super().__init__(label_dimension, weight_column, loss_reduction, poisson_loss, tf.math.exp, name)


class LogisticRegressionHead(RegressionHead):
    """Predicts probabilities from labels between 0 and 1; stands for `tf.estimator.LogisticRegressionHead`.

    Args:
        weight_column: See `RegressionHead`.
        loss_reduction: See `RegressionHead`.
        name: Ends the names of metrics and summaries.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        weight_column: Any = None,
        loss_reduction: str = "sum_over_batch_size",
        name: str | None = None,
    ):
        def logistic_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
            labels = checks.check_range(labels, 2, "Labels must be in range [0, 1]")
            return tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)

        super().__init__(1, weight_column, loss_reduction, logistic_loss, tf.math.sigmoid, name)
