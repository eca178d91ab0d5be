"""Makes logits, by a linear layer if they are not given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


def as_logits(logits: Any, logits_input: Any, dimension: int) -> tf.Tensor:
    """Returns the logits, of a linear layer if only its input is given.

    Raises:
        ValueError: Both or neither are given, or the logits have another dimension.
    """
    if logits is not None and logits_input is not None:
        raise ValueError("Both logits and logits_input supplied.")
    if logits is None and logits_input is None:
        raise ValueError("Neither logits nor logits_input supplied.")
    if logits is None:
        with v1.variable_scope("logits"):
            return linear_layer(tf.convert_to_tensor(logits_input), dimension)
    logits = tf.convert_to_tensor(logits, name="logits")
    if logits.shape.ndims is not None and not logits.shape[-1:].is_compatible_with([dimension]):
        raise ValueError(f"logits must have {dimension} columns; they have the shape {logits.shape}.")
    return logits


def linear_layer(
    inputs: tf.Tensor, units: int, collections: Sequence[str] | None = None, trainable: bool = True
) -> tf.Tensor:
    """Returns the outputs of a fully connected layer, its variables being `weights` and `biases`.

    Args:
        inputs: A tensor of shape `[batch_size, number of inputs]`.
        units: Number of outputs.
        collections: Collections that the variables are added to, besides those of all variables.
        trainable: Whether the variables are trained.
    """
    every = [v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.MODEL_VARIABLES, *(collections or ())]
    weights = v1.get_variable(
        "weights",
        [inputs.shape[-1], units],
        inputs.dtype,
        v1.glorot_uniform_initializer(),
        trainable=trainable,
        collections=every,
    )
    biases = v1.get_variable(
        "biases", [units], inputs.dtype, v1.zeros_initializer(), trainable=trainable, collections=every
    )
    return tf.nn.bias_add(tf.matmul(inputs, weights), biases)
