"""Draws the numbers of an old random op from its stream, whose position is kept in a variable.

A random op of TF 1 draws from the Philox generator: its key is `seed`, and its counter starts at
`seed2` * 2**64 and goes up by one for each block of four 32-bit numbers. The state variable is `int64[3]`, as
for TensorFlow's own stateful random ops: low and high word of the counter, then the key.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

# TensorFlow's number for the algorithm.
PHILOX = 1


class Stream(NamedTuple):
    """Holds a position to draw from: arguments that stateless random ops of version 2 and later share.

    Attributes:
        key: `uint64[1]`.
        counter: `uint64[2]`.
    """

    key: tf.Tensor
    counter: tf.Tensor

    @property
    def position(self) -> dict[str, Any]:
        """Returns the arguments of a stateless random op that say where to draw."""
        return {"key": self.key, "counter": self.counter, "alg": PHILOX}

    def bits(self, shape: Any, dtype: tf.DType) -> tf.Tensor:
        """Draws integers over the whole range of `dtype` (32 or 64 bits)."""
        return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, dtype=dtype, **self.position)

    def uniform(self, shape: Any) -> tf.Tensor:
        """Draws `float64` numbers in [0, 1)."""
        return tf.raw_ops.StatelessRandomUniformV2(shape=shape, dtype=tf.float64, **self.position)


def reserve(resource: tf.Tensor, portions: Any) -> Stream:
    """Returns the stream at the variable's position, and advances the position.

    Args:
        resource: The handle of the state variable.
        portions: How many times 256 blocks to advance, an integer scalar.
    """
    state = tf.raw_ops.RngReadAndSkip(resource=resource, alg=PHILOX, delta=tf.cast(portions, tf.uint64))
    state = tf.bitcast(state, tf.uint64)
    return Stream(key=state[2:], counter=state[:2])


def reserve_blocks(resource: tf.Tensor, blocks: Any) -> Stream:
    """Returns the stream at the variable's position, and advances the position by single blocks.

    `RngReadAndSkip` only skips multiples of 256 blocks, and no other op reads and advances at once. So the
    low word in the variable of such an op counts in 1/256 blocks.

    Args:
        resource: The handle of the state variable.
        blocks: How many blocks to advance, an integer scalar.
    """
    key, counter = reserve(resource, blocks)
    return Stream(key, counter // tf.constant([256, 1], tf.uint64))


def seed(resource: tf.Tensor) -> tf.Tensor:
    """Draws a fresh seed, `int64[2]`, for stateless ops that scramble theirs."""
    return reserve(resource, 1).bits([2], tf.int64)
