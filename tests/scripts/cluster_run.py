"""Trains a graph as a task of the cluster in TF_CONFIG, or serves; prints what the task has done.

python cluster_run.py OUTPUT_DIR MAX_STEPS [TIMEOUT]
"""

import json
import logging
import sys

import tensorflow.compat.v1 as tf

from keras_legacy_train import cluster, train
from keras_legacy_train.cluster.tf_config import read_tf_config

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")


class Counter(tf.train.SessionRunHook):
    """Reads how many steps this process has run, when it ends, if the server has not been killed by then."""

    def __init__(self, own_steps: tf.Variable, global_step: tf.Variable):
        self.steps = [own_steps, global_step]
        self.own = self.shared = None

    def end(self, session: tf.Session) -> None:
        try:
            self.own, self.shared = map(int, session.run(self.steps))
        except tf.errors.UnavailableError as error:
            print(f"The server is gone: {error}")


def main(output_dir: str, max_steps: str, timeout: str = "60") -> None:
    task = cluster.this_task()
    assert task is not None
    if task.type == "ps":
        cluster.serve()
    local = [tf.GraphKeys.LOCAL_VARIABLES]
    own_steps = tf.get_variable("own", [], tf.int64, tf.zeros_initializer(), collections=local)
    spec = tf.train.ClusterSpec(read_tf_config()["cluster"])
    with tf.device(tf.train.replica_device_setter(cluster=spec)):
        global_step = tf.train.get_or_create_global_step()
        x = tf.random_uniform([8, 4], seed=task.index + 1)
        weights = tf.get_variable("weights", [4, 1], initializer=tf.zeros_initializer())
        bias = tf.get_variable("bias", [1], initializer=tf.zeros_initializer())
        loss = tf.reduce_mean(tf.square(x @ weights + bias - tf.reduce_sum(x, 1, keepdims=True)))
        minimize = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step)
    with tf.control_dependencies([minimize]):
        train_op = own_steps.assign_add(1)
    counter = Counter(own_steps, global_step)
    final_loss = train(
        tf.get_default_graph(),
        output_dir,
        train_op,
        loss,
        log_every_steps=50,
        supervisor_is_chief=task.is_chief,
        supervisor_save_model_secs=1,
        monitors=[counter],
        max_steps=int(max_steps),
        cluster_timeout=float(timeout),
    )
    loss_value = None if final_loss is None else float(final_loss)  # there was no step left to run
    print(json.dumps({"loss": loss_value, "own": counter.own, "shared": counter.shared}), flush=True)


with tf.Graph().as_default():
    main(*sys.argv[1:])
