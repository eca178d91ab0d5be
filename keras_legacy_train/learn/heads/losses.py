"""Makes the losses of heads: one to train with, the other to report."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.learn.heads.metrics import check_weights

v1 = tf.compat.v1

# Makes of labels, logits and weights the loss to train with and the loss to report.
LossFn = Callable[[Any, tf.Tensor, tf.Tensor | None], tuple[tf.Tensor, tf.Tensor]]


def _weighted(losses: tf.Tensor, weights: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean of the weighted losses, and the weighted mean."""
    if weights is None:
        loss = tf.reduce_mean(losses)
        return loss, loss
    weights = check_weights(weights, losses)
    weighted = losses * weights
    return tf.reduce_mean(weighted), tf.reduce_sum(weighted) / tf.reduce_sum(weights)


def mean_squared_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the squared difference of labels and logits."""
    labels, logits = _columns(labels, logits)
    return _weighted(tf.math.squared_difference(logits, tf.cast(labels, tf.float32)), weights)


def poisson_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the loss of logits that are logarithms of Poisson means."""
    labels, logits = _columns(labels, logits)
    targets = tf.cast(labels, logits.dtype)
    return _weighted(tf.nn.log_poisson_loss(targets, logits, compute_full_loss=True), weights)


def log_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the cross entropy of two classes."""
    labels = tf.cast(labels, tf.float32)
    if labels.shape.ndims == 1:
        labels = labels[:, tf.newaxis]
    return _weighted(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits), weights)


def hinge_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the loss of a support vector machine."""
    losses = v1.losses.hinge_loss(tf.reshape(labels, [-1, 1]), logits, reduction=v1.losses.Reduction.NONE)
    return _weighted(losses, weights)


def sigmoid_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the cross entropy of classes, of which an example may have several."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, tf.float32), logits)
    return _weighted(losses, weights)


def softmax_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the cross entropy of classes, of which each example has one."""
    if not labels.dtype.is_integer:
        raise ValueError(f"Labels dtype should be integer Instead got {labels.dtype}.")
    is_column = labels.shape.ndims == 2
    flat = tf.squeeze(labels, axis=[1]) if is_column else labels
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(flat, logits)
    return _weighted(losses[:, tf.newaxis] if is_column else losses, weights)


def _columns(labels: tf.Tensor, logits: tf.Tensor) -> list[tf.Tensor]:
    """Returns vectors as columns, and other tensors as they are.

    Raises:
        ValueError: The shapes differ.
    """
    columns = [tensor[:, tf.newaxis] if tensor.shape.ndims == 1 else tensor for tensor in (labels, logits)]
    columns[1].shape.assert_is_compatible_with(columns[0].shape)
    return columns


def custom_loss(loss_fn: Callable[..., tf.Tensor]) -> LossFn:
    """Returns the loss that a user's function makes.

    Raises:
        ValueError: It does not take `labels`, `logits` and `weights`.
    """
    parameters: Mapping[str, Any] = {}
    with contextlib.suppress(ValueError):  # a callable without a signature
        parameters = inspect.signature(loss_fn).parameters
    for name in ("labels", "logits", "weights"):
        if name not in parameters:
            raise ValueError(f"Argument {name} not found in loss_fn.")

    def loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        made = loss_fn(labels, logits) if weights is None else loss_fn(labels, logits, weights)
        return made, made

    return loss
