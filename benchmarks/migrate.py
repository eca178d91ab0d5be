"""Measures `migrate`: the seconds that it takes for 10,000 lines of a made-up project of TensorFlow 1.

python benchmarks/migrate.py [--lines 10000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from keras_legacy_train.codemod import find_files, migrate_file

MODULE = '''\
"""A model, part {number}."""

from __future__ import division

import os

import numpy as np
import tensorflow as tf
from tensorflow.contrib import learn

flags = tf.app.flags
FLAGS = flags.FLAGS
'''
FUNCTION = '''

def build_{number}(images, labels, is_training=True):
    """Builds the loss and the step of model {number}."""
    with tf.variable_scope("model_{number}", reuse=not is_training):
        net = images
        for depth in [32, 64]:
            net = tf.layers.conv2d(
                net, depth, 3, padding="same", activation=tf.nn.relu,  # as in the paper
                kernel_initializer=tf.truncated_normal_initializer(stddev=0.1))
            net = tf.layers.max_pooling2d(net, 2, 2)
        net = tf.reshape(net, [-1, int(np.prod(net.get_shape()[1:]))])
        cell = tf.nn.rnn_cell.BasicLSTMCell(128)
        outputs, state = tf.nn.dynamic_rnn(cell, tf.expand_dims(net, 1), dtype=tf.float32)
        logits = tf.layers.dense(tf.concat(1, [state.c, state.h]), 10)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    penalty = tf.mul(0.01, tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()]))
    tf.scalar_summary("loss_{number}", loss)
    optimizer = tf.train.AdamOptimizer(FLAGS.learning_rate)
    train_op = optimizer.minimize(loss + penalty, global_step=tf.train.get_global_step())
    mode = learn.ModeKeys.TRAIN if is_training else learn.ModeKeys.EVAL
    return learn.ModelFnOps(mode, {{"logits": logits}}, loss, train_op)
'''


def write_project(directory: Path, lines: int) -> int:
    """Writes modules with at least that many lines, and returns how many they have."""
    written = 0
    for number in range(lines):
        if written >= lines:
            break
        code = MODULE.format(number=number) + "".join(FUNCTION.format(number=i) for i in range(20))
        (directory / f"part_{number}.py").write_text(code)
        written += code.count("\n")
    return written


def main() -> None:
    """Prints the seconds for 10,000 lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        lines = write_project(directory, arguments.lines)
        migrate_file(directory / "part_0.py")  # loads TensorFlow and the rooms that are asked
        start = time.perf_counter()
        changes = sum(len(migrate_file(path).changes) for path in find_files([directory]))
        seconds = time.perf_counter() - start
    print(f"{lines} lines, {changes} changes: {seconds * 10_000 / lines:.2f} s for 10,000 lines")


if __name__ == "__main__":
    main()
