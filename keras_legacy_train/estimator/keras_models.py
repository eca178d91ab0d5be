"""Makes an Estimator of a Keras model: `model_to_estimator`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.export import ExportOutput, PredictOutput
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.run_config import RunConfig
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.programs.variables_model import shared_variable

_KEYS = tf.compat.v1.GraphKeys


def model_to_estimator(
    keras_model: keras.Model | None = None,
    keras_model_path: str | os.PathLike[str] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    model_dir: str | os.PathLike[str] | None = None,
    config: RunConfig | None = None,
    checkpoint_format: str | None = "saver",
    metric_names_map: Mapping[str, str] | None = None,
    export_outputs: Mapping[str, Callable[[Any], ExportOutput]] | None = None,
) -> Estimator:
    """Returns an Estimator that trains a compiled Keras model.

    It begins with the weights that the model has now, and leaves the model as it is. The variables in its
    checkpoints have the paths of the weights as names, such as `dense/kernel`, so
    `keras_legacy_train.load_tf1_weights(keras_model, estimator.model_dir)` reads them back.

    The input function's features and labels are tensors, lists in the order of the model's inputs and
    outputs, or dicts by their names. Sample weights come with the features, in a dict with the keys
    `"features"` and `"sample_weights"`.

    ```python
    import keras
    import tensorflow as tf

    from keras_legacy_train import estimator as tf_estimator

    def input_fn():
        return tf.data.Dataset.from_tensors(([[1.0], [2.0]], [[3.0], [5.0]])).repeat(50)

    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    estimator = tf_estimator.model_to_estimator(model, model_dir=f"{output_dir}/keras_estimator")
    estimator.train(input_fn)
    results = estimator.evaluate(input_fn, steps=1)  # loss, mae, global_step
    ```

    Args:
        keras_model: The model, compiled.
        keras_model_path: Where such a model was saved by `model.save`, instead.
        custom_objects: The classes and functions of the user's own in that model, by name.
        model_dir: Directory of checkpoints and event files; see `Estimator`.
        config: A `RunConfig`.
        checkpoint_format: `"saver"` or `None`: checkpoints have their values by the names of the variables.
        metric_names_map: New names of the metrics, by the names that the model gives them.
        export_outputs: Classes such as `export.RegressionOutput`, by the names of the model's outputs: what
            an exported model serves besides all predictions.

    Returns:
        The Estimator.

    Raises:
        ValueError: Both or neither of the first two arguments are given, the model is not compiled, or
            `checkpoint_format` is another one.
        TypeError: `keras_model` is no Keras model.
    """
    if keras_model is None and not keras_model_path:
        raise ValueError("Either `keras_model` or `keras_model_path` needs to be provided.")
    if keras_model is not None and keras_model_path:
        raise ValueError("Please specity either `keras_model` or `keras_model_path`, but not both.")
    if checkpoint_format == "checkpoint":
        raise ValueError(
            "checkpoint_format: object-based checkpoints are not supported, since Keras 3 does not read them."
            ' Use "saver"; keras_legacy_train.load_tf1_weights(keras_model, estimator.model_dir) then gives'
            " the model its weights."
        )
    if checkpoint_format not in (None, "saver"):
        raise ValueError(f'Checkpoint format must be one of "checkpoint" or "saver". Got {checkpoint_format}')
    if keras_model is None:
        log.info("Loading models from %s", keras_model_path)
        with _tensorflow.eager_mode():
            keras_model = keras.saving.load_model(keras_model_path, custom_objects=custom_objects)
    else:
        log.info("Using the Keras model provided.")
    if not isinstance(keras_model, keras.Model):
        raise TypeError(f"keras_model must be a keras.Model; it is {keras_model!r}.")
    if getattr(keras_model, "optimizer", None) is None:
        raise ValueError(
            "The given keras model has not been compiled yet. Please compile the model with"
            " `model.compile()` before calling `model_to_estimator()`."
        )
    with _tensorflow.eager_mode():
        model = _GraphBuilder(keras_model, custom_objects, metric_names_map, export_outputs)
    return Estimator(model.model_fn, model_dir, config)


class _GraphBuilder:
    """Builds a compiled Keras model in graphs of TensorFlow 1.

    The model itself is called there, with the graph's variables in the place of its own.

    Args:
        model: The model.
        custom_objects: The classes of the user's own that the optimizer needs.
        metric_names: See `model_to_estimator`.
        export_outputs: See `model_to_estimator`.
    """

    def __init__(
        self,
        model: keras.Model,
        custom_objects: Mapping[str, Any] | None,
        metric_names: Mapping[str, str] | None,
        export_outputs: Mapping[str, Callable[[Any], ExportOutput]] | None,
    ):
        self._model = model
        self._optimizer = keras.optimizers.serialize(model.optimizer)
        self._custom_objects = custom_objects
        self._metric_names = metric_names
        self._export_outputs = export_outputs or {}
        self._values = _values(model.variables) if model.built else None
        self._has_metrics = False

    def model_fn(self, features: Any, labels: Any, mode: str) -> EstimatorSpec:
        """Builds the model in the default graph; the model function of the Estimator."""
        model, training = self._model, mode == ModeKeys.TRAIN
        x, sample_weight = self._inputs(features)
        with _tensorflow.eager_mode():
            self._build(_zeros(x), None if mode == ModeKeys.PREDICT else labels)
        own = list(zip(model.variables, self._graph_variables(), strict=True))
        metrics = self._metric_variables() if mode == ModeKeys.EVAL else []
        # Training does not ask what they have come to.
        unread = [(each, tf.zeros(each.shape, each.dtype)) for each in self._metric_weights() if training]
        with keras.StatelessScope([*_reads(own), *_reads(metrics), *unread]) as scope:
            outputs = model(x, training=training)
            predictions = self._predictions(outputs)
            if mode == ModeKeys.PREDICT:
                return self._spec(mode, predictions, own)
            y = self._targets(labels, outputs)
            loss = model.compute_loss(x, y, outputs, sample_weight, training=training)
            if mode == ModeKeys.EVAL:
                model.compute_metrics(x, y, outputs, sample_weight)
        with tf.control_dependencies(tf.nest.flatten([loss, y, outputs])):
            # What does not depend on the batch must not be updated where there is no batch.
            updates = [
                variable.assign(scope.get_current_value(weight))
                for weight, variable in (metrics if mode == ModeKeys.EVAL else own)
                if mode == ModeKeys.EVAL or not weight.trainable
            ]
        if mode == ModeKeys.EVAL:
            results = self._results(metrics, tf.group(*updates))
            return self._spec(mode, predictions, own, loss=loss, eval_metric_ops=results)
        trained = [
            (variable, scope.get_current_value(weight)) for weight, variable in own if weight.trainable
        ]
        minimize = self._minimize(loss, trained)
        with tf.control_dependencies([minimize]):
            step = tf.compat.v1.assign_add(tf.compat.v1.train.get_global_step(), 1)
        return self._spec(mode, predictions, own, loss=loss, train_op=tf.group(step, *updates))

    def _build(self, x: Any, labels: Any) -> None:
        """Makes the variables of the model, its losses and metrics, where they are still missing."""
        model = self._model
        if not model.built or (labels is not None and not self._has_metrics):
            outputs = model(x)
        if self._values is None:
            self._values = _values(model.variables)
        if labels is not None and not self._has_metrics:
            y = self._targets(_zeros(labels), outputs)
            model.compute_loss(x, y, outputs, None)
            model.compute_metrics(x, y, outputs, None)
            model.reset_metrics()
            self._has_metrics = True

    def _spec(self, mode: str, predictions: Mapping[str, Any], own: Any, **fields: Any) -> EstimatorSpec:
        unknown = self._export_outputs.keys() - predictions.keys()
        if unknown:
            raise KeyError(
                f"export_outputs: the model has no outputs {sorted(unknown)}; it has {sorted(predictions)}."
            )
        served = {name: kind(predictions[name]) for name, kind in self._export_outputs.items()}
        served[tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY] = PredictOutput(predictions)
        initializers = [variable.initializer for _, variable in own]
        values = {
            initializer.inputs[1]: value
            for initializer, value in zip(initializers, self._values or (), strict=True)
        }
        scaffold = tf.compat.v1.train.Scaffold(
            init_fn=lambda scaffold, session: session.run(initializers, values)
        )
        return EstimatorSpec(mode, predictions, export_outputs=served, scaffold=scaffold, **fields)

    def _graph_variables(self) -> list[tf.Variable]:
        """Returns variables of the default graph, one for each of the model's, under their paths."""
        prefix = f"{self._model.name}/"  # it counts the models of the process
        taken: set[str] = set()
        variables = []
        for weight in self._model.variables:
            name = unique = weight.path.removeprefix(prefix)
            number = 0
            while unique in taken:
                number += 1
                unique = f"{name}_{number}"
            taken.add(unique)
            variables.append(_variable(unique, weight, trainable=weight.trainable))
        return variables

    def _minimize(self, loss: tf.Tensor, trained: Sequence[tuple[tf.Variable, tf.Tensor]]) -> tf.Operation:
        """Returns a step of the optimizer; its variables are made in the graph."""
        optimizer = keras.optimizers.deserialize(self._optimizer, self._custom_objects)
        weights = [shared_variable(variable) for variable, _ in trained]
        with tf.name_scope(optimizer.name):
            optimizer.build(weights)
        gradients = tf.gradients(optimizer.scale_loss(loss), [value for _, value in trained])

        def apply(gradients: Any) -> tf.Tensor:
            optimizer.apply(gradients, weights)
            return tf.constant(0)

        # In a function, reads see the assignments that come before them.
        return tf.function(apply, autograph=False)(gradients).op

    def _metric_variables(self) -> list[tuple[Any, tf.Variable]]:
        """Returns the variables of the model's metrics, each with one of the default graph."""
        collections = [_KEYS.LOCAL_VARIABLES, _KEYS.METRIC_VARIABLES]
        return [
            (
                weight,
                _variable(f"metrics/{index}/{weight.name}", weight, trainable=False, collections=collections),
            )
            for index, weight in enumerate(self._metric_weights())
        ]

    def _metric_weights(self) -> list[Any]:
        return [variable for metric in self._model.metrics for variable in metric.variables]

    def _results(self, metrics: Sequence[tuple[Any, tf.Variable]], update: tf.Operation) -> dict[str, Any]:
        """Returns the metrics as pairs of value and update, by name, without the losses."""
        losses = {"loss", *(f"{name}_loss" for name in self._output_names(len(self._model.outputs or ())))}
        with keras.StatelessScope(_reads(metrics)):
            values = {
                name: tf.identity(value)
                for name, value in self._model.get_metrics_result().items()
                if name not in losses
            }
        return {self._metric_name(name, values): (value, update) for name, value in values.items()}

    def _metric_name(self, name: str, names: Mapping[str, Any]) -> str:
        if self._metric_names is None:
            return name
        if self._metric_names.keys() != names.keys():
            raise ValueError(
                f"Invalid `metric_names_map`. Expected keys: {sorted(names)}, Received:"
                f" {sorted(self._metric_names)}"
            )
        return self._metric_names[name]

    def _inputs(self, features: Any) -> tuple[Any, Any]:
        """Returns the model's inputs and the sample weights, if there are any."""
        sample_weight = None
        if isinstance(features, Mapping) and features.keys() == {"features", "sample_weights"}:
            features, sample_weight = features["features"], features["sample_weights"]
        # Before Keras 3.6 a model that is not built raises an error.
        inputs = getattr(self._model, "inputs", None) if self._model.built else None
        if not isinstance(features, Mapping) or not inputs or isinstance(inputs, Mapping):
            return features, sample_weight
        return _in_order(features, [each.name for each in inputs], "features", "inputs"), sample_weight

    def _targets(self, labels: Any, outputs: Any) -> Any:
        """Returns the labels in the structure of the model's outputs."""
        if not isinstance(labels, Mapping) or isinstance(outputs, Mapping):
            return labels
        return _in_order(labels, self._output_names(len(tf.nest.flatten(outputs))), "labels", "outputs")

    def _predictions(self, outputs: Any) -> dict[str, Any]:
        if isinstance(outputs, Mapping):
            return dict(outputs)
        flat = tf.nest.flatten(outputs)
        return dict(zip(self._output_names(len(flat)), flat, strict=True))

    def _output_names(self, count: int) -> list[str]:
        if isinstance(self._model, keras.Sequential):
            return [self._model.layers[-1].name]
        names = getattr(self._model, "output_names", None)  # a functional model has them
        return list(names or (f"output_{number + 1}" for number in range(count)))


def _in_order(tensors: Mapping[str, Any], names: Sequence[str], kind: str, place: str) -> Any:
    """Returns the named tensors, a list if they are several."""
    missing = sorted(set(names) - tensors.keys())
    if missing:
        raise KeyError(
            f"The dictionary passed into {kind} does not cover requested {place} keys defined in the keras"
            f" model. Expected keys: {sorted(names)}, {kind} keys: {sorted(tensors)}, Missed keys: {missing}"
        )
    found = [tensors[name] for name in names]
    return found[0] if len(found) == 1 else found


def _values(variables: Sequence[Any]) -> list[np.ndarray]:
    return [np.array(variable.numpy()) for variable in variables]


def _variable(name: str, weight: Any, **arguments: Any) -> tf.Variable:
    """Returns a variable of the default graph with the shape and dtype of a Keras variable."""
    return tf.compat.v1.get_variable(
        name,
        list(weight.shape),
        weight.dtype,
        tf.compat.v1.zeros_initializer(),
        use_resource=True,
        **arguments,
    )


def _reads(variables: Sequence[tuple[Any, tf.Variable]]) -> list[tuple[Any, tf.Tensor]]:
    return [(weight, variable.read_value()) for weight, variable in variables]


def _zeros(tensors: Any) -> Any:
    """Returns zeros of the shapes of symbolic tensors, 1 for what is not known of them."""
    return tf.nest.map_structure(
        lambda tensor: tf.zeros([size or 1 for size in tensor.shape.as_list()], tensor.dtype), tensors
    )
