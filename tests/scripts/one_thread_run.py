"""Trains with one thread in TensorFlow. Each step takes a batch from each of several datasets.

python one_thread_run.py OUTPUT_DIR KIND
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow.compat.v1 as tf

from keras_legacy_train import train
from keras_legacy_train.monitors import BaseMonitor


def mapped(x: tf.Tensor) -> tf.Tensor:
    """Applies several operations, a branch and a loop among them."""
    x = tf.cond(tf.equal(x % 2, 0), lambda: x + 1, lambda: x * 2)
    matrix = tf.fill([64, 64], tf.cast(x, tf.float32))
    x += tf.cast(tf.reduce_sum(tf.matmul(matrix, matrix) + tf.matmul(matrix, matrix)), tf.int64)
    return tf.while_loop(lambda n: n > 9, lambda n: n // 2, [x])


def plain_datasets() -> list[tf.data.Dataset]:
    numbers = tf.data.Dataset.range(100).shuffle(7, seed=1).repeat()
    without_autotuning = tf.data.Options()
    without_autotuning.autotune.enabled = False
    return [
        numbers,
        numbers.map(mapped),
        numbers.map(mapped, num_parallel_calls=4).prefetch(2),
        numbers.batch(2).map(lambda x: tf.map_fn(mapped, x)).unbatch().with_options(without_autotuning),
        numbers.interleave(lambda x: tf.data.Dataset.from_tensors(mapped(x)), 2, num_parallel_calls=2),
        numbers.filter(lambda x: mapped(x) < 8),
    ]


def queue_datasets() -> list[tf.data.Dataset]:
    """Returns a dataset that reads from a queue."""
    queue = tf.train.range_input_producer(100, shuffle=False)
    return [tf.data.Dataset.range(100).repeat().map(lambda x: tf.cast(queue.dequeue(), tf.int64))]


def python_datasets() -> list[tf.data.Dataset]:
    """Returns datasets whose values Python computes."""
    increment = tf.function(lambda x: x + 1)

    def generate() -> Iterator[int]:
        while True:
            yield int(increment(tf.constant(1)))

    return [
        tf.data.Dataset.from_generator(generate, tf.int64, []),
        tf.data.Dataset.range(100).repeat().map(lambda x: tf.py_func(lambda n: n % 7, [x], tf.int64)),
    ]


KINDS = {"plain": plain_datasets, "queue": queue_datasets, "python": python_datasets}


class Reinitializer(BaseMonitor):
    """Gives the iterator a dataset that calls Python, which is not in the graph before."""

    def __init__(self, iterator: tf.data.Iterator, graph: tf.Graph):
        super().__init__()
        self.iterator, self.graph = iterator, graph

    def step_begin(self, step: int) -> list[str]:
        super().step_begin(step)
        return ["w:0"] if step % 50 == 1 else []

    def post_step(self, step: int, session: Any) -> None:
        if step == 51:
            with self.graph.as_default():
                initializer = self.iterator.make_initializer(python_datasets()[0].batch(4))
            session.run(initializer)


def train_on_a_later_dataset(output_dir: str) -> None:
    with tf.Graph().as_default() as graph:
        iterator = tf.data.Iterator.from_structure(tf.int64, [None])
        first = iterator.make_initializer(tf.data.Dataset.range(100).repeat().batch(4))
        tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, first)
        w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
        loss = tf.reduce_mean(tf.square(w - tf.cast(iterator.get_next(), tf.float32)))
        train_op = tf.train.GradientDescentOptimizer(0.01).minimize(
            loss, tf.train.get_or_create_global_step()
        )
    monitors = [Reinitializer(iterator, graph)]
    train(graph, output_dir, train_op, loss, steps=300, monitors=monitors, progress_bar=False)


def main(output_dir: str, kind: str) -> None:
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    if kind == "later":
        train_on_a_later_dataset(output_dir)
        return
    with tf.Graph().as_default() as graph:
        iterators = [tf.data.make_initializable_iterator(dataset.batch(4)) for dataset in KINDS[kind]()]
        for iterator in iterators:
            tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
        batches = [iterator.get_next() for iterator in iterators]
        w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
        loss = tf.reduce_mean(tf.square(w - tf.cast(tf.concat(batches, 0), tf.float32)))
        train_op = tf.train.GradientDescentOptimizer(0.01).minimize(
            loss, tf.train.get_or_create_global_step()
        )
    train(graph, output_dir, train_op, loss, steps=300, progress_bar=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
