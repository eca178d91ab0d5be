"""Reads the batches in a loop inside a `tf.function`, and trains nothing: what no training can go below."""

from __future__ import annotations

import time

import tensorflow as tf

from clock import Clock
from workloads import graphs

_SECONDS = 0.5


def train(name: str, clock: Clock, output_dir: str) -> None:
    """Reads a workload's batches until the clock stops it."""
    clock.start()
    iterator = iter(graphs.dataset(name))

    def loop(steps: tf.Tensor) -> tf.Tensor:
        # The sizes are used, so that TensorFlow does not leave the reading out.
        return tf.while_loop(
            lambda step, _: step < steps,
            lambda step, sizes: (step + 1, sizes + tf.size(next(iterator)[1])),
            [0, 0],
            parallel_iterations=1,
        )

    read = tf.function(loop)
    done, size = 0, 1
    while True:
        began = time.perf_counter()
        read(tf.constant(size))
        took = time.perf_counter() - began
        done += size
        if clock.tell(done):
            return
        size = min(int(_SECONDS / took * size) + 1, 8 * size, clock.target - done)
