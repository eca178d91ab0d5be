"""Tells the batch size of sequences, and swaps their batch and time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def transpose_batch_time(x: Any) -> Any:
    """Returns a tensor with batch and time swapped; stands for `tf.contrib.rnn.transpose_batch_time`.

    Args:
        x: A tensor. One of a rank below 2 is returned as it is.
    """
    if x.shape.rank is None:
        return tf.transpose(x, tf.concat([[1, 0], tf.range(2, tf.rank(x))], 0))
    return x if x.shape.rank < 2 else tf.transpose(x, [1, 0, *range(2, x.shape.rank)])


def best_effort_input_batch_size(flat_input: Sequence[Any]) -> Any:
    """Returns the batch size; stands for `tf.contrib.rnn.best_effort_input_batch_size`.

    Args:
        flat_input: Tensors of shape `[time, batch, …]`.

    Returns:
        An integer if the shape of one tensor says it, otherwise a scalar tensor.

    Raises:
        ValueError: The rank of a tensor is below 2.
    """
    for each in flat_input:
        if each.shape.rank is None:
            continue
        if each.shape.rank < 2:
            raise ValueError(f"Expected input tensor {each.name} to have rank at least 2")
        batch_size = each.shape.as_list()[1]
        if batch_size is not None:
            return batch_size
    return tf.shape(flat_input[0])[1]
