"""Makes losses of weights."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import tensorflow as tf

v1 = tf.compat.v1

Regularizer: TypeAlias = Callable[[Any], Any]
"""A function from a variable to its loss, a scalar, or to `None` for no loss."""


def l1_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """Returns a function that makes a loss of the absolute values of weights.

    Stands for `tf.contrib.layers.l1_regularizer`.

    Args:
        scale: Factor of the loss, a float or a scalar tensor; 0.0 for no loss.
        scope: The name of the loss.

    Raises:
        ValueError: `scale` is an integer, or negative.
    """
    return _scaled("scale", scale, scope or "l1_regularizer", lambda weights: tf.reduce_sum(tf.abs(weights)))


def l2_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """Returns a function that makes a loss of half the sum of squares of weights.

    Stands for `tf.contrib.layers.l2_regularizer`.

    Args:
        scale: Factor of the loss, a float or a scalar tensor; 0.0 for no loss.
        scope: The name of the loss.

    Raises:
        ValueError: `scale` is an integer, or negative.
    """
    return _scaled("scale", scale, scope or "l2_regularizer", tf.nn.l2_loss)


def l1_l2_regularizer(
    scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None
) -> Regularizer | None:
    """Returns a function that adds the losses of `l1_regularizer` and `l2_regularizer`.

    Stands for `tf.contrib.layers.l1_l2_regularizer`.

    Args:
        scale_l1: Factor of the loss of absolute values.
        scale_l2: Factor of the loss of squares.
        scope: The name of the loss.

    Raises:
        ValueError: A factor is an integer, or negative.
    """
    for name, scale in (("scale_l1", scale_l1), ("scale_l2", scale_l2)):
        _check_not_integer(name, scale)
    scope = scope or "l1_l2_regularizer"
    if _is_zero(scale_l1):
        return l2_regularizer(scale_l2, scope)
    if _is_zero(scale_l2):
        return l1_regularizer(scale_l1, scope)
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope)


def sum_regularizer(
    regularizer_list: Iterable[Regularizer | None], scope: str | None = None
) -> Regularizer | None:
    """Returns a function that adds the losses of several regularisers, or `None` if there are none.

    Stands for `tf.contrib.layers.sum_regularizer`.

    Args:
        regularizer_list: Functions from a variable to a loss; `None`s among them are left out.
        scope: The name of the sum.
    """
    regularizers = [regularizer for regularizer in regularizer_list if regularizer is not None]
    if not regularizers:
        return None

    def sum_of_losses(weights: Any) -> Any:
        with v1.name_scope(scope, "sum_regularizer", [weights]) as name:
            losses = [regularizer(weights) for regularizer in regularizers]
            losses = [loss for loss in losses if loss is not None]
            return tf.add_n(losses, name=name) if losses else None

    return sum_of_losses


def apply_regularization(regularizer: Regularizer, weights_list: Iterable[Any] | None = None) -> tf.Tensor:
    """Returns the sum of the losses of weights, and adds it to `REGULARIZATION_LOSSES`.

    Stands for `tf.contrib.layers.apply_regularization`.

    Args:
        regularizer: Function from a variable to a scalar, or to `None` for no loss.
        weights_list: The weights; `None` for those in the `WEIGHTS` collection.

    Raises:
        ValueError: There are no weights, or a loss is not a scalar.
    """
    weights = list(weights_list or v1.get_collection(v1.GraphKeys.WEIGHTS))
    if not weights:
        raise ValueError("No weights to regularize.")
    with v1.name_scope("get_regularization_penalty", values=weights) as scope:
        losses = [regularizer(each) for each in weights]
        losses = [tf.constant(0.0) if loss is None else loss for loss in losses]
        for loss in losses:
            if loss.shape.rank != 0:
                raise ValueError(
                    "regularizer must return a scalar Tensor instead of a Tensor with rank"
                    f" {loss.shape.rank}."
                )
        total = tf.add_n(losses, name=scope)
    v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, total)
    return total


def _scaled(argument: str, scale: Any, scope: str, loss_of: Callable[[Any], Any]) -> Regularizer:
    _check_not_integer(argument, scale)
    if isinstance(scale, numbers.Real) and scale < 0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale}")
    if _is_zero(scale):
        return lambda weights: None

    def loss(weights: Any) -> tf.Tensor:
        with v1.name_scope(scope, values=[weights]) as name:
            factor = tf.convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return tf.multiply(factor, loss_of(weights), name=name)

    return loss


def _check_not_integer(argument: str, scale: Any) -> None:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"{argument} cannot be an integer: {scale}")


def _is_zero(scale: Any) -> bool:
    return isinstance(scale, numbers.Real) and scale == 0
