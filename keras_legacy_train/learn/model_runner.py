"""Runs the graphs of an Estimator of `tf.contrib.learn` as those of `tf.estimator`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train.estimator import log
from keras_legacy_train.learn.keys import MetricKey, ModeKeys
from keras_legacy_train.learn.model_fn_ops import ModelFnOps
from keras_legacy_train.learn.outputs import reading
from keras_legacy_train.learn.types import InputFn, Path

# Makes of features, labels, mode and metrics the operations of a model.
BuildFn = Callable[[Any, Any, str, Any], ModelFnOps]

# Name of a model's own metric of the loss: with weights it is not the mean of the batches' losses.
_REPORTED_LOSS = "learn/reported_loss"


class ModelRunner(core.Estimator):
    """Trains and evaluates a model of `tf.contrib.learn` as `tf.estimator` does one of its own.

    Args:
        build: Builds the model of features, labels, mode, and the metrics of an evaluation.
        model_dir: Directory of checkpoints and event files.
        config: The configuration.
    """

    def __init__(self, build: BuildFn, model_dir: Path | None, config: core.RunConfig):
        self._build = build
        self._metrics: Any = None
        super().__init__(_no_model_fn, model_dir, config)

    def fit(self, input_fn: InputFn, hooks: Sequence[Any], steps: int | None, max_steps: int | None) -> None:
        """Trains the model; see `BaseEstimator.fit`."""
        self._check_task()
        if max_steps is not None and self.latest_checkpoint() and max_steps <= self._saved_step():
            log.info("Skipping training since max_steps has already saved.")
            return
        loss = self._train_model(input_fn, hooks, steps=steps, max_steps=max_steps)
        log.info("Loss for final step: %s.", loss)

    def run_evaluation(
        self,
        input_fn: InputFn,
        steps: int | None,
        metrics: Any,
        checkpoint: str,
        hooks: Sequence[tf.compat.v1.train.SessionRunHook],
        log_progress: bool,
    ) -> dict[str, Any]:
        """Returns the results of an evaluation; see `BaseEstimator.evaluate`."""
        master = self._config.evaluation_master
        if master not in ("", "local"):
            raise NotImplementedError(
                f"evaluation_master of RunConfig is {master!r}, and evaluations in other processes are not"
                " supported. Leave it out to evaluate in this process."
            )
        self._metrics = metrics
        evaluation = self._build_evaluation(input_fn, hooks, checkpoint)
        restore = self._restoring(evaluation, checkpoint)
        results, can_be_repeated = evaluation.run(restore, steps or None, log_progress)
        if can_be_repeated:
            self._kept_evaluation = evaluation
        if _REPORTED_LOSS in results:
            results[MetricKey.LOSS] = results.pop(_REPORTED_LOSS)
        return results

    def _call_input_fn(self, input_fn: InputFn, mode: str) -> Any:
        return input_fn()

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: Any) -> core.EstimatorSpec:
        ops = self._build(features, labels, mode, self._metrics)
        if mode == ModeKeys.EVAL:
            metrics = {
                _REPORTED_LOSS if name == MetricKey.LOSS else name: _with_update(metric)
                for name, metric in ops.eval_metric_ops.items()
            }
            loss = reading(features, ops.loss)
            return core.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics, scaffold=ops.scaffold)
        return core.EstimatorSpec(
            mode,
            loss=ops.loss,
            train_op=ops.train_op,
            training_chief_hooks=ops.training_chief_hooks,
            training_hooks=ops.training_hooks,
            scaffold=ops.scaffold,
        )


def _no_model_fn(features: Any) -> core.EstimatorSpec:
    raise NotImplementedError("ModelRunner builds its models by _call_model_fn.")


def _with_update(metric: Any) -> tuple[Any, ...]:
    """Returns a metric as value and update; one without an update is computed at the end."""
    return tuple(metric) if isinstance(metric, (tuple, list)) else (metric, tf.no_op())
