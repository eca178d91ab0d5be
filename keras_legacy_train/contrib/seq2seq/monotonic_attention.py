"""Makes alignments that never go back: https://arxiv.org/abs/1704.00784."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

_MODES = ("recursive", "parallel", "hard")


def safe_cumprod(x: Any, *args: Any, **kwargs: Any) -> tf.Tensor:
    """Returns cumulative products, computed by logarithms; stands for `tf.contrib.seq2seq.safe_cumprod`.

    Args:
        x: A tensor of numbers between 0 and 1.
        *args: Further arguments of `tf.cumsum`.
        **kwargs: Further arguments of `tf.cumsum`.
    """
    with v1.name_scope(None, "SafeCumprod", [x]):
        x = tf.convert_to_tensor(x, name="x")
        tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
        return tf.exp(tf.cumsum(tf.math.log(tf.clip_by_value(x, tiny, 1)), *args, **kwargs))


def monotonic_attention(p_choose_i: Any, previous_attention: Any, mode: str) -> tf.Tensor:
    """Returns alignments; stands for `tf.contrib.seq2seq.monotonic_attention`.

    Args:
        p_choose_i: The probability to stop at each position, of shape `[batch, positions]`.
        previous_attention: The alignments of the step before: at the first step 1 at the first position.
        mode: "recursive" is exact, "parallel" is fast and not exact for long memories, "hard" is fast and
            exact for probabilities that are 0 or 1.

    Returns:
        A tensor of shape `[batch, positions]`.

    Raises:
        ValueError: The mode is unknown.
    """
    stop = tf.convert_to_tensor(p_choose_i, name="p_choose_i")
    previous = tf.convert_to_tensor(previous_attention, name="previous_attention")
    if mode == "recursive":
        batch_size = stop.shape.as_list()[0] or tf.shape(stop)[0]
        go_on = tf.concat([tf.ones([batch_size, 1], stop.dtype), 1 - stop[:, :-1]], 1)
        reached = tf.scan(
            lambda before, each: tf.reshape(each[0] * before + each[1], [batch_size]),
            [tf.transpose(go_on), tf.transpose(previous)],
            tf.zeros([batch_size], stop.dtype),
        )
        return stop * tf.transpose(reached)
    if mode == "parallel":
        passed = safe_cumprod(1 - stop, axis=1, exclusive=True)
        return stop * passed * tf.cumsum(previous / tf.clip_by_value(passed, 1e-10, 1.0), axis=1)
    if mode == "hard":
        stop *= tf.cumsum(previous, axis=1)  # 0 before the position of the step before
        return stop * tf.math.cumprod(1 - stop, axis=1, exclusive=True)
    raise ValueError("mode must be 'recursive', 'parallel', or 'hard'.")


def monotonic_probabilities(
    sigmoid_noise: float, mode: str, seed: int | None
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Returns the function from scores and previous alignments to alignments.

    Args:
        sigmoid_noise: The standard deviation of noise that is added to scores.
        mode: As for `monotonic_attention`.
        seed: The seed of the noise.

    Raises:
        ValueError: The mode is unknown.
    """
    if mode not in _MODES:
        raise ValueError("mode must be 'recursive', 'parallel', or 'hard'.")

    def probabilities(score: tf.Tensor, previous: tf.Tensor) -> tf.Tensor:
        if sigmoid_noise > 0:
            score += sigmoid_noise * tf.random.normal(tf.shape(score), dtype=score.dtype, seed=seed)
        stop = tf.cast(score > 0, score.dtype) if mode == "hard" else tf.sigmoid(score)
        return monotonic_attention(stop, previous, mode)

    return probabilities
