"""Draws the first values of weights, by the number of inputs and outputs of a layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


def xavier_initializer(
    uniform: bool = True, seed: int | None = None, dtype: tf.DType = tf.float32
) -> Callable[..., Any]:
    """Returns an initialiser that keeps the scale of values and gradients; `tf.contrib.layers` had it.

    See Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks".

    Args:
        uniform: Whether to draw from a uniform distribution rather than a truncated normal one.
        seed: The seed of the op; `None` for one by the graph's seed.
        dtype: The dtype of the values where the variable does not say it.

    Raises:
        TypeError: `dtype` is not a float dtype.
    """
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


xavier_initializer_conv2d = xavier_initializer


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: tf.DType = tf.float32,
) -> Callable[..., Any]:
    """Returns an initialiser of the variance `factor / n`; stands for that of `tf.contrib.layers`.

    Values of a normal distribution are cut off at two standard deviations, those of a uniform one are within
    `sqrt(3 * factor / n)`.

    Args:
        factor: Factor of the variance.
        mode: The meaning of `n`: "FAN_IN" for the number of inputs, "FAN_OUT" for that of outputs, "FAN_AVG"
            for the average of both.
        uniform: Whether to draw from a uniform distribution rather than a truncated normal one.
        seed: The seed of the op; `None` for one by the graph's seed.
        dtype: The dtype of the values where the variable does not say it.

    Raises:
        TypeError: `dtype` is not a float dtype, or `mode` is another.
    """
    if not tf.as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknown mode {mode} [FAN_IN, FAN_OUT, FAN_AVG]")

    def initializer(shape: Sequence[int], dtype: tf.DType = dtype, partition_info: Any = None) -> tf.Tensor:
        if not tf.as_dtype(dtype).is_floating:
            raise TypeError("Cannot create initializer for non-floating point type.")
        sizes = tf.TensorShape(shape).as_list()
        receptive_field = math.prod(sizes[:-2])
        fan_in, fan_out = (
            receptive_field * size for size in ((sizes[-2:][0], sizes[-1]) if sizes else (1, 1))
        )
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return v1.random_uniform(sizes, -limit, limit, dtype, seed=seed)
        # Cutting off makes the variance smaller; the factor makes up for it.
        return v1.truncated_normal(sizes, 0.0, math.sqrt(1.3 * factor / n), dtype, seed=seed)

    return initializer
