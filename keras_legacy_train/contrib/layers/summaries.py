"""Makes summaries of tensors, variables and activations."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


def summarize_tensor(tensor: Any, tag: str | None = None) -> Any:
    """Makes a summary of a tensor: a number if it is a scalar, else a histogram.

    Stands for `tf.contrib.layers.summarize_tensor`.

    Args:
        tensor: A tensor or a variable.
        tag: The name of the summary; by default one made from that of the op.

    Returns:
        The summary, a string tensor; `None` for strings and bools, which have no summary.
    """
    if tensor.dtype.base_dtype in (tf.string, tf.bool):
        return None
    summary = v1.summary.scalar if tensor.shape.rank == 0 else v1.summary.histogram
    return summary(tag or f"{tensor.op.name}_summary", tensor)


def summarize_activation(op: Any) -> Any:
    """Makes a histogram of an activation, and numbers that tell how much of it is cut off.

    Stands for `tf.contrib.layers.summarize_activation`.

    Args:
        op: The output of an activation function.

    Returns:
        The summary of the histogram, a string tensor.
    """
    name = op.op.name
    if op.op.type in ("Relu", "Softplus", "Relu6"):
        before = op.op.inputs[0]
        below = tf.cast(before < tf.cast(0.0, before.dtype), tf.float32)
        v1.summary.scalar(f"{name}/zeros", tf.reduce_mean(below))
        if op.op.type == "Relu6":
            above = tf.cast(before > tf.cast(6.0, before.dtype), tf.float32)
            v1.summary.scalar(f"{name}/sixes", tf.reduce_mean(above))
    return v1.summary.histogram(f"{name}/activation", op)


def summarize_tensors(
    tensors: Iterable[Any], summarizer: Callable[[Any], Any] = summarize_tensor
) -> list[Any]:
    """Makes summaries of tensors; stands for `tf.contrib.layers.summarize_tensors`.

    Args:
        tensors: Tensors or variables.
        summarizer: Makes the summary of one.

    Returns:
        The summaries.
    """
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(
    collection: str, name_filter: str | None = None, summarizer: Callable[[Any], Any] = summarize_tensor
) -> list[Any]:
    """Makes summaries of the tensors in a collection; stands for `tf.contrib.layers.summarize_collection`.

    Args:
        collection: The name of the collection.
        name_filter: A regular expression that the beginning of a name must match; `None` for all.
        summarizer: Makes the summary of one.

    Returns:
        The summaries.
    """
    tensors = v1.get_collection(collection)
    if name_filter is not None:
        tensors = [tensor for tensor in tensors if re.match(name_filter, tensor.op.name)]
    return summarize_tensors(tensors, summarizer)


def summarize_activations(
    name_filter: str | None = None, summarizer: Callable[[Any], Any] = summarize_activation
) -> list[Any]:
    """Makes summaries of the `ACTIVATIONS` collection; stands for `tf.contrib.layers.summarize_activations`.

    Args:
        name_filter: See `summarize_collection`.
        summarizer: Makes the summary of one.

    Returns:
        The summaries.
    """
    return summarize_collection(v1.GraphKeys.ACTIVATIONS, name_filter, summarizer)


summarize_variables = functools.partial(summarize_collection, v1.GraphKeys.GLOBAL_VARIABLES)
summarize_weights = functools.partial(summarize_collection, v1.GraphKeys.WEIGHTS)
summarize_biases = functools.partial(summarize_collection, v1.GraphKeys.BIASES)
