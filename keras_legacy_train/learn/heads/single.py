"""Has what heads with logits of their own share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from keras_legacy_train.learn.heads.base import Head, TrainOpFn, check_mode
from keras_legacy_train.learn.heads.logits import as_logits
from keras_legacy_train.learn.heads.losses import LossFn
from keras_legacy_train.learn.heads.metrics import Metric
from keras_legacy_train.learn.keys import MetricKey, ModeKeys
from keras_legacy_train.learn.model_fn_ops import ModelFnOps, OutputAlternative

v1 = tf.compat.v1

Predictions = dict[Any, tf.Tensor]


class HeadOptions(NamedTuple):
    """Holds what every head can be told; see `regression_head`."""

    label_name: str | None
    weight_column_name: str | None
    enable_centered_bias: bool
    head_name: str | None


class SingleHead(Head):
    """Makes one head's part of a graph; subclasses say what is particular to it.

    Args:
        logits_dimension: Number of logits of an example.
        loss_fn: Makes the loss of labels and logits.
        options: What every head can be told.
    """

    # The variable scope of a head without a name.
    _default_scope: str
    # One of `ProblemType`.
    _problem_type: int

    def __init__(self, logits_dimension: int, loss_fn: LossFn, options: HeadOptions):
        if logits_dimension is None or logits_dimension < 1:
            raise ValueError(f"Invalid logits_dimension {logits_dimension}.")
        self._logits_dimension = logits_dimension
        self._loss_fn = loss_fn
        self.label_name = options.label_name
        self.weight_column_name = options.weight_column_name
        self.head_name = options.head_name
        self._enable_centered_bias = options.enable_centered_bias

    @property
    def logits_dimension(self) -> int:
        return self._logits_dimension

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: TrainOpFn | None = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        check_mode(mode, train_op_fn)
        with v1.variable_scope(scope, default_name=self.head_name or self._default_scope):
            is_labelled = mode != ModeKeys.INFER and labels is not None
            if is_labelled:
                labels = self._labels(labels)
            logits = as_logits(logits, logits_input, self.logits_dimension)
            bias = None
            if self._enable_centered_bias:
                bias = self._centered_bias()
                logits = tf.nn.bias_add(logits, bias)
            with tf.name_scope("predictions"):
                predictions = self._predictions(logits)
            loss = train_op = None
            metric_ops: dict[str, Metric] = {}
            if is_labelled:
                weights = _weights(features, self.weight_column_name)
                loss, reported_loss = self._loss(labels, logits, weights)
                with v1.name_scope(""):
                    v1.summary.scalar(self._key(MetricKey.LOSS), tf.identity(reported_loss))
                if mode == ModeKeys.TRAIN and train_op_fn is not None:
                    train_op = self._train_op(loss, labels, train_op_fn, bias, tf.shape(logits)[0], weights)
                with tf.name_scope("metrics"):
                    made = {
                        MetricKey.LOSS: v1.metrics.mean(reported_loss),
                        **self._metrics(predictions, labels, weights),
                    }
                metric_ops = {self._key(name): metric for name, metric in made.items()}
            alternatives: dict[str | None, OutputAlternative] = {
                self.head_name: (self._problem_type, self._exported(predictions))
            }
            return ModelFnOps(
                mode=mode,
                predictions=predictions,
                loss=loss,
                train_op=train_op,
                eval_metric_ops=metric_ops,
                output_alternatives=alternatives,
            )

    def _labels(self, labels: Any) -> Any:
        """Returns the labels in the form that loss and metrics take."""
        labels = named_labels(labels, self.label_name)
        if isinstance(labels, tf.SparseTensor):
            raise ValueError("SparseTensor is not supported.")
        return labels

    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss to train with and the loss to report."""
        return self._loss_fn(labels, logits, weights)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        raise NotImplementedError

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        """Returns the metrics besides the loss."""
        return {}

    def _exported(self, predictions: Predictions) -> Predictions:
        """Returns what an exported model offers."""
        return predictions

    def _key(self, name: str) -> str:
        return f"{name}/{self.head_name}" if self.head_name else name

    def _centered_bias(self) -> tf.Variable:
        bias = v1.Variable(tf.zeros([self.logits_dimension]), name="centered_bias_weight", trainable=True)
        for index in range(self.logits_dimension):
            v1.summary.scalar(self._key(f"centered_bias/bias_{index}"), bias[index])
        return bias

    def _train_op(
        self,
        loss: tf.Tensor,
        labels: Any,
        train_op_fn: TrainOpFn,
        bias: tf.Variable | None,
        batch_size: tf.Tensor,
        weights: Any,
    ) -> Any:
        if bias is None:
            with tf.name_scope("train_op"):
                return train_op_fn(loss)
        # The bias alone learns to predict the labels, by an optimizer of its own.
        with tf.name_scope("centered_bias_step"):
            alone = tf.tile(bias[tf.newaxis], [batch_size, 1])
            alone.set_shape([None, self.logits_dimension])
            bias_loss = tf.reduce_mean(self._loss(labels, alone, weights))
        bias_step = v1.train.AdagradOptimizer(0.1).minimize(bias_loss, var_list=[bias])
        with tf.name_scope("train_op"):
            return tf.group(train_op_fn(loss), bias_step)


def named_labels(labels: Any, name: str | None) -> Any:
    """Returns the labels of a name, or those without names, as a tensor.

    Raises:
        ValueError: There are none of this name.
    """
    if isinstance(labels, Mapping):
        if name not in labels:
            raise ValueError(
                f"The labels are a dict of {sorted(labels)}, and the head's label_name is {name!r}."
            )
        labels = labels[name]
    return v1.convert_to_tensor_or_sparse_tensor(labels)


def _weights(features: Any, name: str | None) -> tf.Tensor | None:
    """Returns the weights of the examples, of shape `[batch_size, 1]` if they are a vector."""
    if not name:
        return None
    if not isinstance(features, Mapping) or name not in features:
        raise ValueError(f"Weights {name} missing from features.")
    weights = tf.cast(features[name], tf.float32)
    return tf.reshape(weights, [-1, 1]) if weights.shape.ndims == 1 else weights
