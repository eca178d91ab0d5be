"""Trains on a shuffled dataset up to step 12, saving each step; is killed by SIGKILL after step KILL_AT.

python killed_input_run.py OUTPUT_DIR [KILL_AT]
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow.compat.v1 as tf

from helpers import KillAt
from keras_legacy_train import train


def main(output_dir: str, kill_at: int | None = None) -> None:
    with tf.Graph().as_default() as graph:
        dataset = tf.data.Dataset.range(10).shuffle(7, seed=1).repeat().map(lambda x: x * x).batch(3)
        x = tf.cast(tf.data.make_one_shot_iterator(dataset.prefetch(2)).get_next(), tf.float32)
        w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
        loss = tf.reduce_mean(tf.square(w - x))
        step = tf.train.get_or_create_global_step()
        train_op = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, step)
    train(
        graph,
        output_dir,
        train_op,
        loss,
        monitors=[KillAt(kill_at)],
        max_steps=12,
        supervisor_save_model_secs=1e-6,
        save_input_state=True,
    )


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
