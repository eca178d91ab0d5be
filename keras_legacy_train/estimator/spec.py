"""Holds what a model function returns, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.estimator.export.outputs import ExportOutput, with_default_output
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.graph.saving.savers import ancestors

# How the types of operations begin that take the next part of the input.
_INPUTS = ("IteratorGetNext", "QueueDequeue")


class _Fields(NamedTuple):
    mode: str
    predictions: Any
    loss: Any
    train_op: Any
    eval_metric_ops: dict[str, Any]
    export_outputs: dict[str, ExportOutput] | None
    training_chief_hooks: tuple[tf.compat.v1.train.SessionRunHook, ...]
    training_hooks: tuple[tf.compat.v1.train.SessionRunHook, ...]
    scaffold: tf.compat.v1.train.Scaffold
    evaluation_hooks: tuple[tf.compat.v1.train.SessionRunHook, ...]
    prediction_hooks: tuple[tf.compat.v1.train.SessionRunHook, ...]


class EstimatorSpec(_Fields):
    """Holds what a model function returns; stands for `tf.estimator.EstimatorSpec`.

    Training needs `loss` and `train_op`, evaluation `loss`, prediction `predictions`. A model function may
    give more than its mode needs.

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import estimator

    def model_fn(features, labels, mode):
        predictions = tf.get_variable("weight", []) * features
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(mode, predictions)
        loss = tf.reduce_mean(tf.square(predictions - labels))
        train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
        return estimator.EstimatorSpec(mode, predictions, loss, train_op)
    ```

    Args:
        mode: One of `ModeKeys`.
        predictions: A tensor, or a dict of tensors.
        loss: The loss, a tensor of shape `[]` or `[1]`.
        train_op: The operation or tensor that performs a training step.
        eval_metric_ops: The metrics by name: each a pair `(value, update_op)` as `tf.compat.v1.metrics` makes
            it, or a `keras.metrics.Metric` whose `update_state` was called.
        export_outputs: What an exported model offers: `ExportOutput`s by the names of their signatures. By
            default a `PredictOutput` of `predictions`.
        training_chief_hooks: `SessionRunHook`s for training, on the chief only.
        training_hooks: `SessionRunHook`s for training.
        scaffold: A `tf.compat.v1.train.Scaffold`: initialisation, `Saver` and summaries of the model's own.
        evaluation_hooks: `SessionRunHook`s for evaluation.
        prediction_hooks: `SessionRunHook`s for prediction.

    Raises:
        ValueError: A field that the mode needs is missing, the loss is not one number, or a tensor is of
            another graph.
        TypeError: A field has another type.
        NotImplementedError: The saver of `scaffold` is a `tf.train.Checkpoint`.
    """

    __slots__ = ()

    def __new__(
        cls,
        mode: str,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metric_ops: dict[str, Any] | None = None,
        export_outputs: dict[str, ExportOutput] | None = None,
        training_chief_hooks: Iterable[tf.compat.v1.train.SessionRunHook] | None = None,
        training_hooks: Iterable[tf.compat.v1.train.SessionRunHook] | None = None,
        scaffold: tf.compat.v1.train.Scaffold | None = None,
        evaluation_hooks: Iterable[tf.compat.v1.train.SessionRunHook] | None = None,
        prediction_hooks: Iterable[tf.compat.v1.train.SessionRunHook] | None = None,
    ) -> EstimatorSpec:
        train_op = check_train_op(train_op, mode)
        loss = check_loss(loss, mode)
        predictions = check_predictions(predictions, mode)
        if mode == ModeKeys.PREDICT:
            export_outputs = with_default_output(export_outputs, predictions)
        return super().__new__(
            cls,
            mode=mode,
            predictions=predictions,
            loss=loss,
            train_op=train_op,
            eval_metric_ops=_check_metrics(eval_metric_ops),
            export_outputs=export_outputs,
            training_chief_hooks=check_hooks(training_chief_hooks),
            training_hooks=check_hooks(training_hooks),
            scaffold=_check_scaffold(scaffold),
            evaluation_hooks=check_hooks(evaluation_hooks),
            prediction_hooks=check_hooks(prediction_hooks),
        )

    def _replace(self, **changes: Any) -> EstimatorSpec:
        """Returns a spec with some fields changed, checked again.

        Args:
            changes: The fields.

        Raises:
            ValueError: The mode is changed, or a field cannot be right.
            TypeError: A field has another type.
        """
        if changes.get("mode", self.mode) != self.mode:
            raise ValueError("mode of EstimatorSpec cannot be changed.")
        return EstimatorSpec(**{**self._asdict(), **changes})


def check_train_op(train_op: Any, mode: str) -> Any:
    """Returns the training operation of a spec, checked; a variable stands for its op.

    Raises:
        ValueError: It is missing where the mode needs it, or is of another graph.
        TypeError: It is neither an operation nor a tensor.
    """
    if train_op is None:
        if mode == ModeKeys.TRAIN:
            raise ValueError("Missing train_op.")
        return None
    if not isinstance(train_op, (tf.Operation, tf.Tensor, tf.Variable)):
        raise TypeError(f"train_op must be Operation or Tensor, given: {train_op}")
    if isinstance(train_op, tf.Variable):
        train_op = train_op.op
    _check_graph("train_op", train_op)
    return train_op


def check_loss(loss: Any, mode: str) -> Any:
    """Returns the loss of a spec, checked, with shape `[]`.

    Raises:
        ValueError: It is missing where the mode needs it, is not one number, or is of another graph.
        TypeError: It is no tensor.
    """
    if loss is None:
        if mode in (ModeKeys.TRAIN, ModeKeys.EVAL):
            raise ValueError("Missing loss.")
        return None
    _check_tensor("loss", loss)
    if loss.shape.num_elements() not in (None, 1):
        raise ValueError(f"Loss must be scalar, given: {loss}")
    _check_graph("loss", loss)
    return loss if loss.shape.is_compatible_with([]) else tf.reshape(loss, [])


def check_predictions(predictions: Any, mode: str) -> Any:
    """Returns the predictions of a spec, checked; an empty dict for none.

    Raises:
        ValueError: They are missing where the mode needs them, or are of another graph.
        TypeError: They are neither a tensor nor a dict of tensors.
    """
    if predictions is None:
        if mode == ModeKeys.PREDICT:
            raise ValueError("Missing predictions.")
        return {}
    if not isinstance(predictions, Mapping):
        _check_tensor("predictions", predictions)
        _check_graph("prediction values", predictions)
        return predictions
    for key, value in predictions.items():
        _check_tensor(f"predictions[{key}]", value)
    for key, value in predictions.items():
        _check_graph("prediction values", value, f"{key}: ")
    return dict(predictions)


def check_hooks(hooks: Any) -> tuple[tf.compat.v1.train.SessionRunHook, ...]:
    """Returns the hooks of a spec, checked.

    Raises:
        TypeError: One is no `SessionRunHook`.
    """
    checked: tuple[Any, ...] = tuple(hooks or ())
    for hook in checked:
        if not isinstance(hook, tf.compat.v1.train.SessionRunHook):
            raise TypeError(f"All hooks must be SessionRunHook instances, given: {hook}")
    return checked


def _check_metrics(metrics: Any) -> dict[str, Any]:
    """Returns the metrics of a spec, checked, each as a pair of its value and what updates it."""
    if metrics is None:
        return {}
    if not isinstance(metrics, dict):
        raise TypeError(f"eval_metric_ops must be a dict, given: {metrics}")
    for key, value in metrics.items():
        if isinstance(value, keras.metrics.Metric):
            if not _updates(value):
                raise ValueError(f'Please call update_state(...) on the "{value.name}" metric')
        elif not isinstance(value, tuple) or len(value) != 2:
            raise TypeError(
                "Values of eval_metric_ops must be (metric_value, update_op) tuples,"
                f" given: {value} for key: {key}"
            )
    pairs = {
        key: _value_and_update(value) if isinstance(value, keras.metrics.Metric) else value
        for key, value in metrics.items()
    }
    for key, pair in pairs.items():
        for part in tf.nest.flatten(pair):
            _check_graph("eval_metric_ops", part, f"{key}: ")
    return pairs


def _updates(metric: keras.metrics.Metric) -> list[tf.Operation]:
    """Returns the operations by which `update_state` has changed the variables of a Keras metric."""
    if tf.executing_eagerly():
        return []
    found = []
    for variable in metric.variables:
        made = variable.value
        users = made.handle.consumers()
        found += [op for op in users if op.type.startswith("Assign") and op is not made.initializer]
    return found


def _value_and_update(metric: keras.metrics.Metric) -> tuple[tf.Tensor, tf.Operation]:
    """Returns what a Keras metric computes, as `tf.compat.v1.metrics` does; makes its variables local."""
    graph, keys = tf.compat.v1.get_default_graph(), tf.compat.v1.GraphKeys
    updates = _updates(metric)
    # Keras orders updates in functions only. Else the count of a mean goes on where the input has ended.
    _tensorflow.run_after(updates, [op for op in ancestors(updates) if op.type.startswith(_INPUTS)])
    names = {variable.value.name for variable in metric.variables}
    global_variables = graph.get_collection_ref(keys.GLOBAL_VARIABLES)
    for variable in [each for each in global_variables if each.name in names]:
        global_variables[:] = [each for each in global_variables if each is not variable]
        graph.add_to_collection(keys.LOCAL_VARIABLES, variable)
        graph.add_to_collection(keys.METRIC_VARIABLES, variable)
    return tf.convert_to_tensor(metric.result()), tf.group(*updates)


def _check_scaffold(scaffold: Any) -> tf.compat.v1.train.Scaffold:
    scaffold = scaffold or tf.compat.v1.train.Scaffold()
    if not isinstance(scaffold, tf.compat.v1.train.Scaffold):
        raise TypeError(f"scaffold must be tf.train.Scaffold. Given: {scaffold}")
    if isinstance(scaffold.saver, (tf.train.Checkpoint, tf.compat.v1.train.Checkpoint)):
        raise NotImplementedError(
            "scaffold: a tf.train.Checkpoint as saver is not supported, since variables are saved by name."
            " Leave it out, or use a tf.compat.v1.train.Saver."
        )
    arguments.check_methods("scaffold.saver", scaffold.saver, "build", "save", "restore")
    return scaffold


def _check_tensor(name: str, value: Any) -> None:
    if not isinstance(value, (tf.Tensor, tf.Variable)):
        raise TypeError(f"{name} must be Tensor, given: {value}")


def _check_graph(field: str, value: Any, key: str = "") -> None:
    """Raises ValueError for a value that is not of the default graph."""
    if tf.executing_eagerly() or getattr(value, "graph", None) is tf.compat.v1.get_default_graph():
        return
    name = key + str(getattr(value, "name", value))
    raise ValueError(
        f'{field} with "{name}" must be from the default graph. Possible causes of this error include: \n\n'
        f"1) {field} was created outside the context of the default graph.\n\n"
        "2) The object passed through to EstimatorSpec was not created in the most recent call to"
        ' "model_fn".'
    )
