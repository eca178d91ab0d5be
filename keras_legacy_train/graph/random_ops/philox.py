"""Numbers from the stream of an old random op, whose position is kept in a variable.

A random op of TF 1 draws from the Philox generator: its key is `seed`, and its counter starts at
`seed2` * 2**64 and goes up by one for each block of four 32-bit numbers. The state variable is `int64[3]`, as
for TensorFlow's own stateful random ops: low and high word of the counter, then the key.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

PHILOX = 1
"""TensorFlow's number for the algorithm."""


class Stream(NamedTuple):
    """Where to draw: the arguments that stateless random ops (version 2 and later) have in common."""

    key: tf.Tensor
    counter: tf.Tensor

    @property
    def position(self) -> dict[str, Any]:
        return {"key": self.key, "counter": self.counter, "alg": PHILOX}

    def bits(self, shape: Any, dtype: tf.DType) -> tf.Tensor:
        """Integers over the whole range of `dtype` (32 or 64 bits)."""
        return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, dtype=dtype, **self.position)

    def uniform(self, shape: Any) -> tf.Tensor:
        """`float64` numbers in [0, 1)."""
        return tf.raw_ops.StatelessRandomUniformV2(shape=shape, dtype=tf.float64, **self.position)


def reserve(resource: tf.Tensor, portions: Any) -> Stream:
    """The stream at the variable's position, which moves on by 256 blocks for each portion."""
    state = tf.raw_ops.RngReadAndSkip(resource=resource, alg=PHILOX, delta=tf.cast(portions, tf.uint64))
    state = tf.bitcast(state, tf.uint64)
    return Stream(key=state[2:], counter=state[:2])


def reserve_blocks(resource: tf.Tensor, blocks: Any) -> Stream:
    """As `reserve`, but moves on by single blocks: in this op's variable, the low word counts 1/256 blocks.

    RngReadAndSkip only skips multiples of 256, and nothing else reads and advances in one go.
    """
    key, counter = reserve(resource, blocks)
    return Stream(key, counter // tf.constant([256, 1], tf.uint64))


def seed(resource: tf.Tensor) -> tf.Tensor:
    """A fresh `int64[2]` seed, for stateless ops that scramble theirs."""
    return reserve(resource, 1).bits([2], tf.int64)
