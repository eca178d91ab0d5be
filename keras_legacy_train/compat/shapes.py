"""Has functions whose results know the shapes that they knew in TensorFlow 1."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

_today = tf.compat.v1.nn.conv2d_transpose


@functools.wraps(_today)
def conv2d_transpose(
    value: Any = None, filter: Any = None, output_shape: Any = None, *args: Any, **kwargs: Any
) -> Any:
    """Returns a transposed convolution, whose static shape is `output_shape` as far as that is known.

    TensorFlow 2 forgets the size of the batch if that of the input is not known. Scripts reshape to the
    static shape.
    """
    result = _today(value, filter, output_shape, *args, **kwargs)
    if output_shape is not None:
        result.set_shape(_static_shape(output_shape))
    return result


def _static_shape(shape: Any) -> tf.TensorShape:
    if tf.is_tensor(shape):
        sizes = tf.get_static_value(shape, partial=True)
        return tf.TensorShape(None if sizes is None else sizes.tolist())
    return tf.TensorShape([tf.get_static_value(size) if tf.is_tensor(size) else size for size in shape])
