"""Last layers with their losses, for a `model_fn`; stands for `tf.contrib.learn.models`."""

from __future__ import annotations

import contextlib
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1

__all__ = [
    "linear_regression",
    "linear_regression_zero_init",
    "logistic_regression",
    "logistic_regression_zero_init",
]


def linear_regression(
    x: tf.Tensor, y: tf.Tensor, init_mean: float | None = None, init_stddev: float = 1.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds a linear layer and its mean squared error; stands for `learn.models.linear_regression`.

    Args:
        x: Features of shape `[batch, features]`.
        y: Labels of shape `[batch]` or `[batch, outputs]`.
        init_mean: Mean of the initial weights and biases; `None` for the initialiser of the scope.
        init_stddev: Their standard deviation.

    Returns:
        The predictions, of the shape of the labels, and the loss.
    """
    with v1.variable_scope("linear_regression"):
        outputs = 1 if y.shape.rank == 1 else y.shape[1]
        predictions = _layer(x, y, outputs, init_mean, init_stddev)
        if y.shape.rank == 1:
            predictions = tf.squeeze(predictions, [1])
        return predictions, v1.losses.mean_squared_error(y, predictions)


def linear_regression_zero_init(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds a linear layer that begins with zeros; stands for `learn.models.linear_regression_zero_init`.

    Args:
        x: Features of shape `[batch, features]`.
        y: Labels of shape `[batch]` or `[batch, outputs]`.

    Returns:
        The predictions, of the shape of the labels, and the loss.
    """
    return linear_regression(x, y, init_mean=0.0, init_stddev=0.0)


def logistic_regression(
    x: tf.Tensor,
    y: tf.Tensor,
    class_weight: tf.Tensor | None = None,
    init_mean: float | None = None,
    init_stddev: float = 1.0,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds a softmax layer and its cross entropy; stands for `learn.models.logistic_regression`.

    Args:
        x: Features of shape `[batch, features]`.
        y: Labels of shape `[batch, classes]`, one-hot.
        class_weight: Factors of the logits, of shape `[classes]`; by default the tensor `class_weight:0` of
            the graph, if it has one.
        init_mean: Mean of the initial weights and biases; `None` for the initialiser of the scope.
        init_stddev: Their standard deviation.

    Returns:
        The probabilities, of the shape of the labels, and the loss.
    """
    with v1.variable_scope("logistic_regression"):
        logits = _layer(x, y, y.shape[-1], init_mean, init_stddev)
        if class_weight is None:
            with contextlib.suppress(KeyError):
                class_weight = v1.get_default_graph().get_tensor_by_name("class_weight:0")
        if class_weight is not None:
            logits = tf.multiply(logits, class_weight)
        return tf.nn.softmax(logits), v1.losses.softmax_cross_entropy(y, logits)


def logistic_regression_zero_init(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds a softmax layer that begins with zeros; stands for `learn.models.logistic_regression_zero_init`.

    Args:
        x: Features of shape `[batch, features]`.
        y: Labels of shape `[batch, classes]`, one-hot.

    Returns:
        The probabilities, of the shape of the labels, and the loss.
    """
    return logistic_regression(x, y, init_mean=0.0, init_stddev=0.0)


def _layer(x: tf.Tensor, y: tf.Tensor, outputs: Any, mean: float | None, stddev: float) -> tf.Tensor:
    """Returns `x @ weights + bias`, with variables and summaries in the open scope."""
    scope = v1.get_variable_scope().name
    initializer = None if mean is None else v1.random_normal_initializer(mean, stddev)
    v1.summary.histogram(f"{scope}.x", x)
    v1.summary.histogram(f"{scope}.y", y)
    dtype = x.dtype.base_dtype
    weights = v1.get_variable("weights", [x.shape[1], outputs], dtype, initializer)
    bias = v1.get_variable("bias", [outputs], dtype, initializer)
    v1.summary.histogram(f"{scope}.weights", weights)
    v1.summary.histogram(f"{scope}.bias", bias)
    return v1.nn.xw_plus_b(x, weights, bias)
