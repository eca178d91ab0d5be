"""Estimators of `tf.contrib.learn`: they train, evaluate and use a model that a function builds.

They run as those of `tf.estimator` do, by `keras_legacy_train.estimator`.
"""

from __future__ import annotations

from typing import Any

from keras_legacy_train import estimator as core
from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.model_fn import parameters
from keras_legacy_train.learn.base_estimator import BaseEstimator
from keras_legacy_train.learn.metric_spec import make_metric_ops
from keras_legacy_train.learn.model_fn_ops import ModelFnOps
from keras_legacy_train.learn.types import FeatureEngineeringFn, ModelFn, Path


class Estimator(BaseEstimator):
    """Trains, evaluates and uses a model that a function builds; stands for `tf.contrib.learn.Estimator`.

    `fit`, `evaluate` and `predict` each call the model function in a new graph. Training goes on from the
    newest checkpoint in `model_dir`.

    ```python
    import numpy as np
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import learn

    def model_fn(features, labels, mode, params):
        predictions = tf.get_variable("weight", []) * features[:, 0]
        if mode == learn.ModeKeys.INFER:
            return learn.ModelFnOps(mode, predictions)
        loss = tf.reduce_mean(tf.square(predictions - labels))
        optimizer = tf.train.GradientDescentOptimizer(params["learning_rate"])
        train_op = optimizer.minimize(loss, tf.train.get_global_step())
        return learn.ModelFnOps(mode, predictions, loss, train_op)

    x, y = np.float32([1.0, 2.0, 3.0]), np.float32([2.0, 4.0, 6.0])
    estimator = learn.Estimator(model_fn, output_dir, params={"learning_rate": 0.1})
    estimator.fit(x, y, steps=100)
    results = estimator.evaluate(x, y)
    outputs = list(estimator.predict(x))
    ```

    Args:
        model_fn: Builds the model. It is called with features and labels, and those of `mode`, `params`,
            `config` and `model_dir` that it takes. It returns a `ModelFnOps`, or predictions, loss and
            training operation.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        config: A `RunConfig`.
        params: Passed on to `model_fn`.
        feature_engineering_fn: Makes of features and labels those that `model_fn` gets.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        model_fn: ModelFn | None = None,
        model_dir: Path | None = None,
        config: core.RunConfig | None = None,
        params: Any = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
    ):
        super().__init__(model_dir, config)
        if model_fn is not None:
            takes_params = "params" in parameters(model_fn)
            if params is not None and not takes_params:
                raise ValueError(
                    f"Estimator's model_fn ({model_fn}) does not have a params argument, but params"
                    f" ({params}) were passed to the Estimator's constructor."
                )
            if params is None and takes_params:
                log.warning(
                    "Estimator's model_fn (%s) includes params argument, but params are not passed to"
                    " Estimator.",
                    model_fn,
                )
        self._model_fn = model_fn
        self.params = params
        self._feature_engineering_fn = feature_engineering_fn

    def _call_model_fn(
        self, features: Any, labels: Any, mode: str, metrics: Any = None, config: Any = None
    ) -> ModelFnOps:
        if self._model_fn is None:
            raise ValueError("model_fn must be given to the Estimator's constructor.")
        if self._feature_engineering_fn is not None:
            features, labels = self._feature_engineering_fn(features, labels)
        given = {
            "mode": mode,
            "params": self.params,
            "config": config or self.config,
            "model_dir": self.model_dir,
        }
        taken = parameters(self._model_fn)
        named = {name: value for name, value in given.items() if name in taken}
        result = self._model_fn(features, labels, **named)
        ops = result if isinstance(result, ModelFnOps) else _as_ops(mode, result)
        if metrics:
            ops.eval_metric_ops.update(make_metric_ops(metrics, features, labels, ops.predictions))
        return ops


def _as_ops(mode: str, result: Any) -> ModelFnOps:
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        raise ValueError("Unrecognized value returned by model_fn, please return ModelFnOps.")
    predictions, loss, train_op = result
    return ModelFnOps(mode=mode, predictions=predictions, loss=loss, train_op=train_op)
