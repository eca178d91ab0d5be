"""Reads the batches in a loop inside a `tf.function`, and trains nothing: what no training can go below."""

from __future__ import annotations

import time
from collections.abc import Callable

import tensorflow as tf

from clock import Clock
from workloads import graphs

_SECONDS = 0.5


def train(name: str, clock: Clock, output_dir: str) -> None:
    """Reads a workload's batches until the clock stops it."""
    clock.start()
    read = reader(graphs.dataset(name))
    done, size = 0, 1
    while True:
        began = time.perf_counter()
        read(tf.constant(size))
        took = time.perf_counter() - began
        done += size
        if clock.tell(done):
            return
        size = min(int(_SECONDS / took * size) + 1, 8 * size, clock.target - done)


def reader(dataset: tf.data.Dataset) -> Callable[[tf.Tensor], list[tf.Tensor]]:
    """Returns a function that reads as many batches, pairs of tensors, as it is told."""
    iterator = iter(dataset)

    def loop(steps: tf.Tensor) -> list[tf.Tensor]:
        # The sizes are used, so that TensorFlow does not leave the reading out.
        ends: list[tf.Tensor] = tf.while_loop(
            lambda step, _: step < steps,
            lambda step, sizes: (step + 1, sizes + tf.size(next(iterator)[1])),
            [0, 0],
            parallel_iterations=1,
        )
        return ends

    read: Callable[[tf.Tensor], list[tf.Tensor]] = tf.function(loop)
    return read
