"""Has the summaries of TensorFlow 0.12 that `tf.contrib.deprecated` kept: their tags have no name scopes."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

v1 = tf.compat.v1

merge_all_summaries = v1.summary.merge_all
merge_summary = v1.summary.merge

__all__ = [
    "audio_summary",
    "histogram_summary",
    "image_summary",
    "merge_all_summaries",
    "merge_summary",
    "scalar_summary",
]

__getattr__ = module_getattr(__name__, __all__)


def scalar_summary(tags: Any, values: Any, collections: Any = None, name: str | None = None) -> tf.Tensor:
    """Returns the summary of scalars; stands for `tf.contrib.deprecated.scalar_summary`.

    Args:
        tags: The tags, a string or a tensor of strings.
        values: The values, a tensor of the same shape.
        collections: The collections to put it in; by default `SUMMARIES`.
        name: The name of the op.
    """
    with v1.name_scope(name, "ScalarSummary", [tags, values]) as scope:
        return _collected(v1.raw_ops.ScalarSummary(tags=tags, values=values, name=scope), collections)


def histogram_summary(tag: Any, values: Any, collections: Any = None, name: str | None = None) -> tf.Tensor:
    """Returns the summary of a histogram; stands for `tf.contrib.deprecated.histogram_summary`.

    Args:
        tag: The tag, a string.
        values: A tensor of numbers.
        collections: The collections to put it in; by default `SUMMARIES`.
        name: The name of the op.
    """
    with v1.name_scope(name, "HistogramSummary", [tag, values]) as scope:
        return _collected(v1.raw_ops.HistogramSummary(tag=tag, values=values, name=scope), collections)


def image_summary(
    tag: Any, tensor: Any, max_images: int = 3, collections: Any = None, name: str | None = None
) -> tf.Tensor:
    """Returns the summary of images; stands for `tf.contrib.deprecated.image_summary`.

    Args:
        tag: The tag, a string.
        tensor: A uint8 or float tensor of shape `[batch, height, width, channels]`.
        max_images: How many images are kept.
        collections: The collections to put it in; by default `SUMMARIES`.
        name: The name of the op.
    """
    with v1.name_scope(name, "ImageSummary", [tag, tensor]) as scope:
        summary = v1.raw_ops.ImageSummary(tag=tag, tensor=tensor, max_images=max_images, name=scope)
        return _collected(summary, collections)


def audio_summary(
    tag: Any,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int = 3,
    collections: Any = None,
    name: str | None = None,
) -> tf.Tensor:
    """Returns the summary of sounds; stands for `tf.contrib.deprecated.audio_summary`.

    Args:
        tag: The tag, a string.
        tensor: A float tensor of shape `[batch, frames, channels]` or `[batch, frames]`.
        sample_rate: Frames in a second.
        max_outputs: How many sounds are kept.
        collections: The collections to put it in; by default `SUMMARIES`.
        name: The name of the op.
    """
    with v1.name_scope(name, "AudioSummary", [tag, tensor]) as scope:
        rate = tf.convert_to_tensor(sample_rate, tf.float32)
        summary = v1.raw_ops.AudioSummaryV2(
            tag=tag, tensor=tensor, sample_rate=rate, max_outputs=max_outputs, name=scope
        )
        return _collected(summary, collections)


def _collected(summary: tf.Tensor, collections: Any) -> tf.Tensor:
    for key in [v1.GraphKeys.SUMMARIES] if collections is None else collections:
        v1.add_to_collection(key, summary)
    return summary
