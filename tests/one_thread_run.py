"""Trains on one thread of TensorFlow's, with datasets of all kinds, of each of which a step takes a batch.

python one_thread_run.py OUTPUT_DIR
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow.compat.v1 as tf

from keras_legacy_train import train


def mapped(x: tf.Tensor) -> tf.Tensor:
    """A function of several operations, a branch and a loop among them."""
    x = tf.cond(tf.equal(x % 2, 0), lambda: x + 1, lambda: x * 2)
    matrix = tf.fill([64, 64], tf.cast(x, tf.float32))
    x += tf.cast(tf.reduce_sum(tf.matmul(matrix, matrix) + tf.matmul(matrix, matrix)), tf.int64)
    return tf.while_loop(lambda n: n > 9, lambda n: n // 2, [x])


def datasets() -> list[tf.data.Dataset]:
    numbers = tf.data.Dataset.range(100).shuffle(7, seed=1).repeat()
    without_autotuning = tf.data.Options()
    without_autotuning.autotune.enabled = False
    return [
        numbers.batch(4),
        numbers.map(mapped).batch(4),
        numbers.map(mapped, num_parallel_calls=4).batch(4).prefetch(2),
        numbers.batch(4).map(lambda x: tf.map_fn(mapped, x)).with_options(without_autotuning),
        numbers.interleave(lambda x: tf.data.Dataset.from_tensors(mapped(x)), 2, num_parallel_calls=2).batch(
            4
        ),
        numbers.filter(lambda x: mapped(x) < 8).batch(4),
        numbers.map(lambda x: tf.py_func(lambda n: n % 7, [x], tf.int64)).batch(4),
        tf.data.Dataset.from_generator(lambda: iter(range(10)), tf.int64, []).repeat().batch(4),
    ]


def main(output_dir: str) -> None:
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    with tf.Graph().as_default() as graph:
        batches = [tf.data.make_one_shot_iterator(dataset).get_next() for dataset in datasets()]
        w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
        loss = tf.reduce_mean(tf.square(w - tf.cast(tf.concat(batches, 0), tf.float32)))
        train_op = tf.train.GradientDescentOptimizer(0.01).minimize(
            loss, tf.train.get_or_create_global_step()
        )
    train(graph, output_dir, train_op, loss, steps=300, progress_bar=False)


if __name__ == "__main__":
    main(sys.argv[1])
