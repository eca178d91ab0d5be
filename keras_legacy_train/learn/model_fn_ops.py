"""Holds what a model function of `tf.contrib.learn` returns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from keras_legacy_train import estimator
from keras_legacy_train.learn.keys import MetricKey, ModeKeys, PredictionKey, ProblemType

_LOGGER = logging.getLogger("keras_legacy_train")

_DEFAULT_SIGNATURE = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY

# A kind of problem, and its outputs by name.
OutputAlternative = tuple[int, dict[str, Any]]


class _Fields(NamedTuple):
    predictions: Any
    loss: tf.Tensor | None
    train_op: tf.Operation | None
    eval_metric_ops: dict[str, Any]
    output_alternatives: dict[str | None, OutputAlternative] | None
    training_chief_hooks: list[tf.compat.v1.train.SessionRunHook]
    training_hooks: list[tf.compat.v1.train.SessionRunHook]
    scaffold: tf.compat.v1.train.Scaffold | None
    mode: str


class ModelFnOps(_Fields):
    """Holds what a model function returns; stands for `tf.contrib.learn.ModelFnOps`.

    Training needs `loss` and `train_op`, evaluation `loss` and `predictions`, inference `predictions`. A
    model function may give more than its mode needs.

    Args:
        mode: One of `ModeKeys`.
        predictions: A tensor or a sparse tensor, or a dict of them.
        loss: The loss, a tensor of one number.
        train_op: The operation or tensor that performs a training step.
        eval_metric_ops: The metrics by name: each a pair `(value, update_op)` or a tensor.
        output_alternatives: What an exported model offers: for the name of each head its `ProblemType` and
            its outputs. By default the predictions, of an unspecified type.
        training_chief_hooks: `SessionRunHook`s for training, on the chief only.
        training_hooks: `SessionRunHook`s for training.
        scaffold: A `tf.compat.v1.train.Scaffold`.

    Raises:
        ValueError: A field that the mode needs is missing or cannot be right.
        TypeError: A hook is no `SessionRunHook`.
    """

    __slots__ = ()

    def __new__(
        cls,
        mode: str,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metric_ops: dict[str, Any] | None = None,
        output_alternatives: dict[str | None, OutputAlternative] | None = None,
        training_chief_hooks: Sequence[tf.compat.v1.train.SessionRunHook] | None = None,
        training_hooks: Sequence[tf.compat.v1.train.SessionRunHook] | None = None,
        scaffold: tf.compat.v1.train.Scaffold | None = None,
    ) -> ModelFnOps:
        ModeKeys.validate(mode)
        if train_op is None and mode == ModeKeys.TRAIN:
            raise ValueError("Missing train_op.")
        if loss is None and mode != ModeKeys.INFER:
            raise ValueError("Missing loss.")
        if predictions is None and mode != ModeKeys.TRAIN:
            raise ValueError("Missing predictions.")
        if eval_metric_ops is not None and not isinstance(eval_metric_ops, dict):
            raise ValueError("eval_metric_ops must be a dict.")
        chief_hooks, hooks = list(training_chief_hooks or ()), list(training_hooks or ())
        for hook in hooks + chief_hooks:
            if not isinstance(hook, tf.compat.v1.train.SessionRunHook):
                raise TypeError(
                    "All hooks returned from model_fn must be SessionRunHook instances, got instance of"
                    f" {type(hook)}: {hook}"
                )
        _check_graphs(predictions, loss, train_op)
        return super().__new__(
            cls,
            predictions=_as_predictions(predictions),
            loss=None if loss is None else _as_loss(loss),
            train_op=None if train_op is None else _as_operation(train_op),
            eval_metric_ops={} if eval_metric_ops is None else eval_metric_ops,
            output_alternatives=output_alternatives,
            training_chief_hooks=chief_hooks,
            training_hooks=hooks,
            scaffold=scaffold,
            mode=mode,
        )

    def estimator_spec(
        self, default_serving_output_alternative_key: str | None = None
    ) -> estimator.EstimatorSpec:
        """Returns what a model function of `tf.estimator` would have returned.

        Args:
            default_serving_output_alternative_key: Which of several output alternatives is served by default.

        Returns:
            The spec, without a metric named `loss`: there, Estimators add it themselves.

        Raises:
            ValueError: The type of an output alternative is unknown.
            KeyError: There is no such output alternative.
        """
        alternatives = dict(self.output_alternatives or {})
        if len(alternatives) > 1 and _DEFAULT_SIGNATURE not in alternatives:
            alternatives[_DEFAULT_SIGNATURE] = alternatives[default_serving_output_alternative_key]
        export_outputs: dict[Any, Any] = {key: _export_output(*value) for key, value in alternatives.items()}
        return estimator.EstimatorSpec(
            mode=self.mode,
            predictions=self.predictions,
            loss=self.loss,
            train_op=self.train_op,
            eval_metric_ops={
                key: value for key, value in self.eval_metric_ops.items() if key != MetricKey.LOSS
            },
            export_outputs=export_outputs or None,
            training_chief_hooks=self.training_chief_hooks,
            training_hooks=self.training_hooks,
            scaffold=self.scaffold,
        )


def scores_of(outputs: Mapping[str, Any]) -> Any:
    """Returns the scores among a classifier's outputs, or the probabilities; `None` if there are neither."""
    scores = outputs.get(PredictionKey.SCORES)
    return outputs.get(PredictionKey.PROBABILITIES) if scores is None else scores


def classes_of(outputs: Mapping[str, Any]) -> Any:
    """Returns the names of the classes among a classifier's outputs; `None` if they are no strings."""
    classes = outputs.get(PredictionKey.CLASSES)
    return classes if classes is not None and classes.dtype == tf.string else None


def _export_output(problem_type: int, outputs: dict[str, Any]) -> estimator.export.ExportOutput:
    if problem_type == ProblemType.LINEAR_REGRESSION:
        return estimator.export.RegressionOutput(scores_of(outputs))
    if problem_type in (ProblemType.CLASSIFICATION, ProblemType.LOGISTIC_REGRESSION):
        classes = classes_of(outputs)
        if classes is None:
            _LOGGER.warning("The classes are no strings, so the exported model gives no class ids.")
        return estimator.export.ClassificationOutput(scores=scores_of(outputs), classes=classes)
    if problem_type == ProblemType.UNSPECIFIED:
        return estimator.export.PredictOutput(outputs)
    raise ValueError(f"Unknown problem_type={problem_type}")


def _check_graphs(*values: Any) -> None:
    """Raises ValueError for tensors of several graphs."""
    first: Any = None
    for value in tf.nest.flatten(values):
        if getattr(value, "graph", None) is None:
            continue
        if first is None:
            first = value
        elif value.graph is not first.graph:
            raise ValueError(f"{value!r} must be from the same graph as {first!r}.")


def _as_predictions(predictions: Any) -> Any:
    if isinstance(predictions, dict):
        return {key: _as_tensor(value) for key, value in predictions.items()}
    return None if predictions is None else _as_tensor(predictions)


def _as_tensor(value: Any) -> Any:
    return tf.compat.v1.convert_to_tensor_or_sparse_tensor(value)


def _as_loss(loss: Any) -> tf.Tensor:
    loss = tf.convert_to_tensor(loss)
    if loss.shape.num_elements() not in (None, 1):
        raise ValueError(f"Loss must be scalar: {loss}.")
    return loss if loss.shape.is_compatible_with([]) else tf.reshape(loss, [])


def _as_operation(train_op: Any) -> tf.Operation:
    return train_op if isinstance(train_op, tf.Operation) else tf.convert_to_tensor(train_op).op
