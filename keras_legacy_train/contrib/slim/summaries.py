"""Adds summaries that bear the names of their tensors; stands for `tf.contrib.slim.summaries`."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

__all__ = [
    "add_histogram_summaries",
    "add_histogram_summary",
    "add_image_summaries",
    "add_image_summary",
    "add_scalar_summaries",
    "add_scalar_summary",
    "add_zero_fraction_summaries",
    "add_zero_fraction_summary",
]

__getattr__ = module_getattr(__name__, __all__)

_summary = tf.compat.v1.summary


def _tag(tensor: tf.Tensor, name: str | None, prefix: str | None) -> str:
    name = name or tensor.op.name
    return f"{prefix}/{name}" if prefix else name


def _printing(summary: tf.Tensor, tensor: tf.Tensor, tag: str) -> tf.Tensor:
    """Returns a summary that is printed, with its tensor, whenever it is computed."""
    with tf.control_dependencies([tf.print(tag, tensor)]):
        summary = tf.identity(summary)
    tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.SUMMARIES, summary)
    return summary


def add_histogram_summary(tensor: tf.Tensor, name: str | None = None, prefix: str | None = None) -> tf.Tensor:
    """Adds the summary of a histogram; stands for `tf.contrib.slim.summaries.add_histogram_summary`.

    Args:
        tensor: The tensor.
        name: The tag; by default the name of its op.
        prefix: What comes before the tag.

    Returns:
        The summary op.
    """
    return _summary.histogram(_tag(tensor, name, prefix), tensor)


def add_image_summary(
    tensor: tf.Tensor, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> tf.Tensor:
    """Adds the summary of images; stands for `tf.contrib.slim.summaries.add_image_summary`.

    Args:
        tensor: The images, `[batch_size, height, width, channels]`.
        name: The tag; by default the name of its op.
        prefix: What comes before the tag.
        print_summary: Whether the tensor is printed, too.

    Returns:
        The summary op.
    """
    tag = _tag(tensor, name, prefix)
    summary = _summary.image(tag, tensor, collections=[] if print_summary else None)
    return _printing(summary, tensor, tag) if print_summary else summary


def add_scalar_summary(
    tensor: tf.Tensor, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> tf.Tensor:
    """Adds the summary of a number; stands for `tf.contrib.slim.summaries.add_scalar_summary`.

    Args:
        tensor: A scalar.
        name: The tag; by default the name of its op.
        prefix: What comes before the tag.
        print_summary: Whether the number is printed, too.

    Returns:
        The summary op.
    """
    tag = _tag(tensor, name, prefix)
    summary = _summary.scalar(tag, tensor, collections=[] if print_summary else None)
    return _printing(summary, tensor, tag) if print_summary else summary


def add_zero_fraction_summary(
    tensor: tf.Tensor, name: str | None = None, prefix: str | None = None, print_summary: bool = False
) -> tf.Tensor:
    """Adds the share of zeros; stands for `tf.contrib.slim.summaries.add_zero_fraction_summary`.

    Args:
        tensor: The tensor.
        name: The tag without its end, `/Fraction_of_Zero_Values`; by default the name of its op.
        prefix: What comes before the tag.
        print_summary: Whether the share is printed, too.

    Returns:
        The summary op.
    """
    tag = f"{_tag(tensor, name, prefix)}/Fraction_of_Zero_Values"
    return add_scalar_summary(tf.math.zero_fraction(tensor), tag, print_summary=print_summary)


def add_histogram_summaries(tensors: Iterable[tf.Tensor], prefix: str | None = None) -> list[tf.Tensor]:
    """Adds histograms of several tensors; stands for `tf.contrib.slim.summaries.add_histogram_summaries`.

    Args:
        tensors: The tensors.
        prefix: What comes before the tags.

    Returns:
        The summary ops.
    """
    return [add_histogram_summary(tensor, prefix=prefix) for tensor in tensors]


def add_image_summaries(tensors: Iterable[tf.Tensor], prefix: str | None = None) -> list[tf.Tensor]:
    """Adds images of several tensors; stands for `tf.contrib.slim.summaries.add_image_summaries`.

    Args:
        tensors: The tensors.
        prefix: What comes before the tags.

    Returns:
        The summary ops.
    """
    return [add_image_summary(tensor, prefix=prefix) for tensor in tensors]


def add_scalar_summaries(
    tensors: Iterable[tf.Tensor], prefix: str | None = None, print_summary: bool = False
) -> list[tf.Tensor]:
    """Adds several numbers; stands for `tf.contrib.slim.summaries.add_scalar_summaries`.

    Args:
        tensors: Scalars.
        prefix: What comes before the tags.
        print_summary: Whether they are printed, too.

    Returns:
        The summary ops.
    """
    return [add_scalar_summary(tensor, None, prefix, print_summary) for tensor in tensors]


def add_zero_fraction_summaries(tensors: Iterable[tf.Tensor], prefix: str | None = None) -> list[tf.Tensor]:
    """Adds the shares of zeros of several tensors.

    Stands for `tf.contrib.slim.summaries.add_zero_fraction_summaries`.

    Args:
        tensors: The tensors.
        prefix: What comes before the tags.

    Returns:
        The summary ops.
    """
    return [add_zero_fraction_summary(tensor, prefix=prefix) for tensor in tensors]
