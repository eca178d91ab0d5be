"""Adds metrics to an Estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.model_fn import parameters
from keras_legacy_train.estimator.spec import EstimatorSpec

_ARGUMENTS = frozenset({"features", "labels", "predictions", "config"})


def add_metrics(estimator: Estimator, metric_fn: Callable[..., Mapping[str, Any]]) -> Estimator:
    """Returns a new Estimator that evaluates more metrics.

    ```python
    import tensorflow as tf

    from keras_legacy_train import estimator as tf_estimator

    def metric_fn(labels, predictions):
        return {"bias": tf.compat.v1.metrics.mean(predictions["y"] - labels)}

    def model_fn(features, labels, mode):
        predictions = {"y": features * tf.compat.v1.get_variable("weight", [])}
        loss = tf.reduce_mean(tf.square(predictions["y"] - labels))
        return tf_estimator.EstimatorSpec(mode, predictions, loss)

    estimator = tf_estimator.Estimator(model_fn, f"{output_dir}/metrics")
    estimator = tf_estimator.add_metrics(estimator, metric_fn)
    results = estimator.evaluate(lambda: tf.data.Dataset.from_tensors(([1.0, 2.0], [3.0, 6.0])))
    ```

    Args:
        estimator: The Estimator. The new one has its model function, directory and configuration.
        metric_fn: Returns metrics by name, as `EstimatorSpec.eval_metric_ops` has them. It is called with
            those of `features`, `labels`, `predictions` and `config` that it takes. A metric that the model
            has by the same name is replaced.

    Returns:
        The new Estimator.

    Raises:
        ValueError: `metric_fn` takes another argument.
    """
    taken = parameters(metric_fn)
    unexpected = sorted(set(taken) - _ARGUMENTS)
    if unexpected:
        raise ValueError(f"metric_fn ({metric_fn}) has following not expected args: {unexpected}")

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        spec = estimator.model_fn(features, labels, mode, config)
        if mode != ModeKeys.EVAL:
            return spec
        given = {"features": features, "labels": labels, "predictions": spec.predictions, "config": config}
        added = metric_fn(**{name: given[name] for name in taken})
        return spec._replace(eval_metric_ops={**spec.eval_metric_ops, **added})

    return Estimator(
        model_fn, estimator.model_dir, estimator.config, warm_start_from=estimator._warm_start_settings
    )
