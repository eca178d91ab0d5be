"""Describes the outputs of a model that a SavedModel serves, each as a signature.

The kinds of outputs are those of TensorFlow Serving: a classification, a regression, any prediction. Those
for training and evaluation are for programs that load a SavedModel to go on with it.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

_saved_model = tf.compat.v1.saved_model

# The keys of the signatures of a SavedModel's graphs, and the methods of those that are not served. These
# have no public names.
SERVING_KEY = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
TRAIN_KEY = "train"
EVAL_KEY = "eval"
_TRAIN_METHOD = "tensorflow/supervised/training"
_EVAL_METHOD = "tensorflow/supervised/eval"


class ExportOutput(abc.ABC):
    """Describes an output of a model that can be served.

    The subclasses say what it is; a model function returns them by name as `EstimatorSpec.export_outputs`.
    """

    @abc.abstractmethod
    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        """Returns the signature that computes this output.

        Args:
            receiver_tensors: The tensors that are fed, by name.

        Returns:
            A `SignatureDef`.

        Raises:
            ValueError: The output cannot be served from these inputs.
        """


class ClassificationOutput(ExportOutput):
    """Describes a classification, as TensorFlow Serving's `Classify` returns it.

    With `classes` only, these are the best classes, in descending order. With `scores` only, there is a score
    for every class, in the order of the class ids. With both, each score belongs to the class at its index.

    Args:
        scores: Float scores, shape `[batch_size, number of scores]`; `None` if there are `classes`.
        classes: Labels as strings, shape `[batch_size, number of classes]`; `None` if there are `scores`.

    Raises:
        ValueError: Neither is given, or one is not a tensor of its type.
    """

    def __init__(self, scores: Any = None, classes: Any = None):
        if scores is not None and not _is_float(scores):
            raise ValueError(f"Classification scores must be a float32 Tensor; got {scores}")
        if classes is not None and not (isinstance(classes, tf.Tensor) and classes.dtype == tf.string):
            raise ValueError(f"Classification classes must be a string Tensor; got {classes}")
        if scores is None and classes is None:
            raise ValueError(
                "Cannot create a ClassificationOutput with empty arguments. At least one of `scores` and"
                " `classes` must be defined."
            )
        self._scores = scores
        self._classes = classes

    @property
    def scores(self) -> Any:
        """Returns the tensor of scores, or `None`."""
        return self._scores

    @property
    def classes(self) -> Any:
        """Returns the tensor of labels, or `None`."""
        return self._classes

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        examples = _only_examples("Classification", receiver_tensors)
        outputs = {}
        if self.classes is not None:
            outputs[tf.saved_model.CLASSIFY_OUTPUT_CLASSES] = self.classes
        if self.scores is not None:
            _check_float32("Classification scores", self.scores)
            outputs[tf.saved_model.CLASSIFY_OUTPUT_SCORES] = self.scores
        inputs = {tf.saved_model.CLASSIFY_INPUTS: examples}
        return _signature(tf.saved_model.CLASSIFY_METHOD_NAME, inputs, outputs)


class RegressionOutput(ExportOutput):
    """Describes a regression, as TensorFlow Serving's `Regress` returns it.

    Args:
        value: The predicted values, a float tensor of shape `[batch_size]` or `[batch_size, 1]`.

    Raises:
        ValueError: `value` is not a float tensor.
    """

    def __init__(self, value: Any):
        if not _is_float(value):
            raise ValueError(f"Regression output value must be a float32 Tensor; got {value}")
        self._value = value

    @property
    def value(self) -> Any:
        """Returns the tensor of predicted values."""
        return self._value

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        inputs = {tf.saved_model.REGRESS_INPUTS: _only_examples("Regression", receiver_tensors)}
        _check_float32("Regression output", self.value)
        outputs = {tf.saved_model.REGRESS_OUTPUTS: self.value}
        return _signature(tf.saved_model.REGRESS_METHOD_NAME, inputs, outputs)


class PredictOutput(ExportOutput):
    """Describes any prediction, as TensorFlow Serving's `Predict` returns it.

    Args:
        outputs: A tensor, which is called "output", or tensors by name. Parts of a name may be in a tuple.

    Raises:
        ValueError: A name is not a string, or a value not a tensor.
    """

    def __init__(self, outputs: Any):
        self._outputs = _named_tensors(outputs, "output", "Prediction")

    @property
    def outputs(self) -> dict[str, Any]:
        """Returns the tensors by name."""
        return self._outputs

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        if not self.outputs:
            raise ValueError("Prediction `outputs` cannot be None or empty.")
        return _signature(tf.saved_model.PREDICT_METHOD_NAME, receiver_tensors, self.outputs)


class _SupervisedOutput(ExportOutput):
    """Describes a step of training or evaluation. Every name gets the prefix of its kind.

    Args:
        loss: The loss: a tensor, or tensors by name.
        predictions: The predictions: a tensor, or tensors by name.
        metrics: A metric, or metrics by name: each a pair `(value, update_op)` as of `tf.compat.v1.metrics`,
            or an object that has `result()` and one operation in `updates`.

    Raises:
        ValueError: A name is not a string, a value not a tensor, or an update neither tensor nor operation.
    """

    method: str

    def __init__(self, loss: Any = None, predictions: Any = None, metrics: Any = None):
        self._loss = None if loss is None else _prefixed("loss", loss)
        self._predictions = None if predictions is None else _prefixed("predictions", predictions)
        self._metrics = None if metrics is None else _metric_tensors(metrics)

    @property
    def loss(self) -> dict[str, Any] | None:
        """Returns the tensors of the loss by name."""
        return self._loss

    @property
    def predictions(self) -> dict[str, Any] | None:
        """Returns the tensors of the predictions by name."""
        return self._predictions

    @property
    def metrics(self) -> dict[str, Any] | None:
        """Returns the value and the update of every metric, by name."""
        return self._metrics

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        outputs = {**(self.loss or {}), **(self.predictions or {}), **(self.metrics or {})}
        return _signature(self.method, receiver_tensors, outputs)


class TrainOutput(_SupervisedOutput):
    __doc__ = (_SupervisedOutput.__doc__ or "").replace("of training or evaluation", "of training")

    method = _TRAIN_METHOD


class EvalOutput(_SupervisedOutput):
    __doc__ = (_SupervisedOutput.__doc__ or "").replace("of training or evaluation", "of evaluation")

    method = _EVAL_METHOD


def with_default_output(export_outputs: Any, predictions: Any) -> dict[str, ExportOutput]:
    """Returns the outputs to serve, one of which is the default.

    Args:
        export_outputs: `EstimatorSpec.export_outputs`; `None` for the predictions only.
        predictions: The predictions: a tensor, or tensors by name.

    Raises:
        TypeError: `export_outputs` is not a dict of `ExportOutput`s.
        ValueError: It has many outputs, none of which is the default.
    """
    if export_outputs is None:
        return {SERVING_KEY: PredictOutput(predictions)}
    if not isinstance(export_outputs, dict):
        raise TypeError(f"`export_outputs` must be dict, received: {export_outputs}.")
    if not all(isinstance(output, ExportOutput) for output in export_outputs.values()):
        raise TypeError(
            f"Values in `export_outputs` must be ExportOutput objects, received: {export_outputs}."
        )
    if len(export_outputs) == 1:
        return {**export_outputs, SERVING_KEY: next(iter(export_outputs.values()))}
    if export_outputs and SERVING_KEY not in export_outputs:
        raise ValueError(
            "Multiple `export_outputs` were provided, but none of them are specified as the default. Use"
            " `tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY` to specify a default."
        )
    return dict(export_outputs)


def _is_float(value: Any) -> bool:
    return isinstance(value, tf.Tensor) and value.dtype.is_floating


def _only_examples(kind: str, receiver_tensors: Mapping[str, Any]) -> Any:
    """Returns the only tensor that is fed, of serialised `Example`s."""
    values = list(receiver_tensors.values())
    if len(values) != 1 or values[0].dtype != tf.string:
        raise ValueError(
            f"{kind} signatures can only accept a single tensor input of type tf.string. Please check to make"
            " sure that you have structured the serving_input_receiver_fn so that it creates a single string"
            " placeholder. If your model function expects multiple inputs, then use `tf.io.parse_example()`"
            f" to parse the string into multiple tensors.\n Received: {receiver_tensors}"
        )
    return values[0]


def _named_tensors(tensors: Any, default_name: str, kind: str) -> dict[str, Any]:
    """Returns tensors by name; a single one gets the default name."""
    named = tensors if isinstance(tensors, dict) else {default_name: tensors}
    checked = {_checked_name(name, kind): value for name, value in named.items()}
    for value in checked.values():
        _check_tensor(value, kind)
    return checked


def _checked_name(name: Any, kind: str) -> str:
    """Returns a name of an output; one of a model with many heads may be a tuple."""
    if isinstance(name, tuple):
        name = "/".join(name)
    if not isinstance(name, str):
        raise ValueError(f"{kind} output key must be a string; got {name}.")
    return name


def _check_tensor(value: Any, kind: str) -> None:
    if not isinstance(value, tf.Tensor):
        raise ValueError(f"{kind} output value must be a Tensor; got {value}.")


def _prefixed(kind: str, tensors: Any) -> dict[str, Any]:
    return {_with_prefix(kind, name): value for name, value in _named_tensors(tensors, kind, kind).items()}


def _with_prefix(prefix: str, name: str) -> str:
    return name if name.startswith(prefix) else f"{prefix}/{name}"


def _metric_tensors(metrics: Any) -> dict[str, Any]:
    """Returns two tensors for each metric: its value and its update."""
    tensors = {}
    for key, metric in (metrics if isinstance(metrics, dict) else {"metrics": metrics}).items():
        name = _with_prefix("metrics", _checked_name(key, "metrics"))
        value, update = metric if isinstance(metric, tuple) else _value_and_update(metric)
        _check_tensor(value, name)
        if not isinstance(update, (tf.Tensor, tf.Operation, tf.Variable)):
            raise ValueError(f"{name} update_op must be a Tensor or Operation; got {update}.")
        if not isinstance(update, tf.Tensor):  # a signature has tensors only
            with tf.control_dependencies([update]):
                update = tf.constant([], name="metric_op_wrapper")
        tensors[f"{name}/value"] = value
        tensors[f"{name}/update_op"] = update
    return tensors


def _value_and_update(metric: Any) -> tuple[Any, Any]:
    """Returns the result of a metric object, and its only update."""
    updates = getattr(metric, "updates", None)
    if not updates or len(updates) != 1:
        raise ValueError(
            f"metrics must be (value, update_op) pairs, or objects with one update op; got {metric}."
        )
    return metric.result(), updates[0]


def _check_float32(kind: str, tensor: tf.Tensor) -> None:
    if tensor.dtype != tf.float32:
        raise ValueError(f"{kind} must be a float Tensor to be served; it is {tensor.dtype.name}.")


def _signature(method: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
    if not inputs:
        raise ValueError(f"{method} `inputs` cannot be None or empty.")
    return _saved_model.build_signature_def(
        inputs={name: _info(tensor) for name, tensor in inputs.items()},
        outputs={name: _info(tensor) for name, tensor in outputs.items()},
        method_name=method,
    )


def _info(tensor: Any) -> Any:
    """Returns the `TensorInfo` of a tensor."""
    if not isinstance(tensor, tf.Tensor):  # a sparse or ragged one
        return _saved_model.build_tensor_info(tensor)
    # TensorFlow's own function warns that it is deprecated.
    return tf.compat.v1.TensorInfo(
        name=tensor.name, dtype=tensor.dtype.as_datatype_enum, tensor_shape=tensor.shape.as_proto()
    )
