"""Gives a model of one's own the metrics of a classifier of two classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train.learn.estimator import Estimator
from keras_legacy_train.learn.keys import MetricKey, ModeKeys, ProblemType
from keras_legacy_train.learn.model_fn_ops import ModelFnOps
from keras_legacy_train.learn.types import FeatureEngineeringFn, Path

v1 = tf.compat.v1


def LogisticRegressor(
    model_fn: Callable[..., Any],
    thresholds: Sequence[float] | None = None,
    model_dir: Path | None = None,
    config: core.RunConfig | None = None,
    feature_engineering_fn: FeatureEngineeringFn | None = None,
) -> Estimator:
    """Returns an Estimator with the metrics of a classifier of two classes.

    Stands for `tf.contrib.learn.LogisticRegressor`.

    Args:
        model_fn: Makes of features, labels and mode the predictions, which are probabilities, the loss and
            the training operation.
        thresholds: Where accuracy, precision and recall are measured; by default at 0.5.
        model_dir: See `Estimator`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def with_metrics(features: Any, labels: Any, mode: str, params: Mapping[str, Any]) -> ModelFnOps:
        predictions, loss, train_op = model_fn(features, labels, mode)
        metrics = None
        if mode == ModeKeys.EVAL:
            metrics = _logistic_metrics(labels, predictions, params["thresholds"] or [0.5])
        return ModelFnOps(
            mode=mode,
            predictions=predictions,
            loss=loss,
            train_op=train_op,
            eval_metric_ops=metrics,
            output_alternatives={"head": (ProblemType.LOGISTIC_REGRESSION, {"predictions": predictions})},
        )

    params = {"thresholds": thresholds}
    return Estimator(with_metrics, model_dir, config, params, feature_engineering_fn)


def _logistic_metrics(labels: Any, predictions: tf.Tensor, thresholds: Sequence[float]) -> dict[str, Any]:
    if isinstance(labels, Mapping) and len(labels) == 1:
        (labels,) = labels.values()
    metrics = {
        MetricKey.PREDICTION_MEAN: v1.metrics.mean(predictions),
        MetricKey.LABEL_MEAN: v1.metrics.mean(labels),
        MetricKey.ACCURACY_BASELINE: v1.metrics.mean(labels),
        MetricKey.AUC: v1.metrics.auc(labels, predictions),
    }
    for threshold in thresholds:
        decided = tf.cast(predictions >= threshold, tf.float32)
        metrics[MetricKey.ACCURACY_MEAN % threshold] = v1.metrics.accuracy(labels, decided)
        metrics[MetricKey.PRECISION_MEAN % threshold] = v1.metrics.precision(labels, decided)
        metrics[MetricKey.RECALL_MEAN % threshold] = v1.metrics.recall(labels, decided)
    return metrics
