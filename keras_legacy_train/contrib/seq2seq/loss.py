"""Has the loss of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    sum_over_timesteps: bool = False,
    sum_over_batch: bool = False,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> tf.Tensor:
    """Returns the weighted cross entropy of sequences; stands for `tf.contrib.seq2seq.sequence_loss`.

    Args:
        logits: A tensor of shape `[batch, time, classes]`.
        targets: An integer tensor of shape `[batch, time]`, the true classes.
        weights: A float tensor of shape `[batch, time]`: 0 where there is no target.
        average_across_timesteps: Whether the loss is summed over time, and divided by the weights.
        average_across_batch: Whether it is summed over the batch, and divided by the weights.
        sum_over_timesteps: Whether it is summed over time, and divided by the number of weights but 0.
        sum_over_batch: Whether it is summed over the batch, and divided by the number of these.
        softmax_loss_function: A function of `labels` and `logits`; by default
            `tf.nn.sparse_softmax_cross_entropy_with_logits`.
        name: The name scope of the ops.

    Returns:
        A float tensor: a scalar, or a vector or matrix where a dimension is neither averaged nor summed over.

    Raises:
        ValueError: A tensor has another rank, or a dimension is to be averaged and summed over.
    """
    if len(logits.shape) != 3:
        raise ValueError("Logits must be a [batch_size x sequence_length x logits] tensor")
    if len(targets.shape) != 2:
        raise ValueError("Targets must be a [batch_size x sequence_length] tensor")
    if len(weights.shape) != 2:
        raise ValueError("Weights must be a [batch_size x sequence_length] tensor")
    if average_across_timesteps and sum_over_timesteps:
        raise ValueError(
            "average_across_timesteps and sum_over_timesteps cannot be set to True at same time."
        )
    if average_across_batch and sum_over_batch:
        raise ValueError("average_across_batch and sum_over_batch cannot be set to True at same time.")
    with v1.name_scope(name, "sequence_loss", [logits, targets, weights]):
        entropy = softmax_loss_function or v1.nn.sparse_softmax_cross_entropy_with_logits
        flat = entropy(labels=tf.reshape(targets, [-1]), logits=tf.reshape(logits, [-1, tf.shape(logits)[2]]))
        flat *= tf.reshape(weights, [-1])
        if (average_across_timesteps and average_across_batch) or (sum_over_timesteps and sum_over_batch):
            axis = None
        elif average_across_timesteps or average_across_batch:
            axis = 0 if average_across_batch else 1
        elif sum_over_timesteps or sum_over_batch:
            axis = 0 if sum_over_batch else 1
        else:
            return tf.reshape(flat, tf.shape(logits)[:2])
        losses = flat if axis is None else tf.reshape(flat, tf.shape(logits)[:2])
        if average_across_timesteps or average_across_batch:
            total = tf.reduce_sum(weights, axis)
        else:
            total = tf.cast(tf.math.count_nonzero(weights, axis), losses.dtype)
        return tf.math.divide_no_nan(tf.reduce_sum(losses, axis), total)
