"""Computes old random ops that have no stateful successor, by today's ops.

Each function stands for the op of its name: it takes the op's attributes, the handle of the state variable
and the op's inputs, and returns the op's outputs. It draws the very numbers of the op's CPU kernel, with two
exceptions:
- `random_poisson`, `parameterized_truncated_normal` and `sample_distorted_bounding_box` draw other numbers,
  of the same distribution: TensorFlow's stateless ops for them cannot start at any position of a stream.
- The kernel of `multinomial` shares a large batch among threads, and its numbers depend on how many there
  are. The numbers drawn here are those of one thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.graph.random_ops import philox

Attributes = Mapping[str, Any]


def multinomial(
    attributes: Attributes, resource: tf.Tensor, logits: tf.Tensor, num_samples: tf.Tensor
) -> tf.Tensor:
    """Draws `num_samples` classes for each row of `logits` [batch, classes], by the inverse of its CDF."""
    batch = tf.shape(logits)[0]
    stream = philox.reserve(resource, batch * ((num_samples + 3) // 4 * 4 * 2))
    finite = tf.math.is_finite(logits)
    highest = tf.reduce_max(tf.where(finite, logits, logits.dtype.min), axis=1, keepdims=True)
    weights = tf.exp(tf.cast(logits, tf.float64) - tf.cast(highest, tf.float64))
    cdf = tf.cumsum(tf.where(finite, weights, 0.0), axis=1)
    wanted = stream.uniform([batch, num_samples]) * cdf[:, -1:]
    return tf.raw_ops.UpperBound(sorted_inputs=cdf, values=wanted, out_type=attributes["output_dtype"])


def random_shuffle(attributes: Attributes, resource: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Shuffles the rows of `value`; draws nothing if there is nothing to shuffle."""
    rows = tf.concat([tf.shape(value), [1]], axis=0)[0]
    blocks = tf.where(tf.size(value) > 1, (rows + 2) // 4, 0)
    stream = philox.reserve_blocks(resource, blocks)
    return tf.raw_ops.StatelessShuffle(value=value, **stream.position)


def random_gamma(
    attributes: Attributes, resource: tf.Tensor, shape: tf.Tensor, alpha: tf.Tensor
) -> tf.Tensor:
    """Draws a tensor of `shape` for each element of `alpha`."""
    shape = _samples_shape(shape, alpha)
    stream = philox.reserve(resource, tf.reduce_prod(shape))
    return tf.raw_ops.StatelessRandomGammaV3(shape=shape, alpha=alpha, **stream.position)


def random_poisson(
    attributes: Attributes, resource: tf.Tensor, shape: tf.Tensor, rate: tf.Tensor
) -> tf.Tensor:
    """Draws a tensor of `shape` for each element of `rate`."""
    return tf.raw_ops.StatelessRandomPoisson(
        shape=_samples_shape(shape, rate),
        seed=philox.seed(resource),
        lam=rate,
        dtype=attributes["dtype"],
    )


def parameterized_truncated_normal(
    attributes: Attributes, resource: tf.Tensor, shape: tf.Tensor, *parameters: tf.Tensor
) -> tf.Tensor:
    """Draws a tensor of `shape`.

    The parameters are means, deviations, minima and maxima: scalars, or a value for each row.
    """
    means, deviations, minima, maxima = (tf.broadcast_to(each, shape[:1]) for each in parameters)
    # Today's op has the parameters along the last axes.
    drawn = tf.raw_ops.StatelessParameterizedTruncatedNormal(
        shape=tf.roll(shape, -1, axis=0),
        seed=philox.seed(resource),
        means=means,
        stddevs=deviations,
        minvals=minima,
        maxvals=maxima,
    )
    return tf.transpose(drawn, tf.roll(tf.range(tf.rank(drawn)), 1, axis=0))


def sample_distorted_bounding_box(
    attributes: Attributes,
    resource: tf.Tensor,
    image_size: tf.Tensor,
    bounding_boxes: tf.Tensor,
    *rest: tf.Tensor,
) -> Sequence[tf.Tensor]:
    """Draws begin, size and box of a random crop.

    The share of an object that the crop must keep is an attribute in version 1, an input in version 2.
    """
    min_object_covered = rest[0] if rest else tf.constant(attributes["min_object_covered"])
    crop: Sequence[tf.Tensor] = tf.raw_ops.StatelessSampleDistortedBoundingBox(
        image_size=image_size,
        bounding_boxes=bounding_boxes,
        min_object_covered=min_object_covered,
        seed=philox.seed(resource),
        aspect_ratio_range=attributes["aspect_ratio_range"],
        area_range=attributes["area_range"],
        max_attempts=attributes["max_attempts"],
        use_image_if_no_bounding_boxes=attributes["use_image_if_no_bounding_boxes"],
    )
    return crop


def _samples_shape(shape: tf.Tensor, parameter: tf.Tensor) -> tf.Tensor:
    """Returns the shape of samples of `shape` for each element of a parameter."""
    return tf.concat([shape, tf.shape(parameter, shape.dtype)], axis=0)
