"""Trains a graph of TensorFlow 1 in a cluster: a parameter server, a chief and two workers.

One command starts all of them on this machine. `replica_device_setter` puts the variables on the parameter
server; the chief and the workers train them at the same time, each on batches of its own. The chief saves.

    python examples/cluster/legacy_graph.py --output-dir /tmp/graphs --steps 300
    python examples/cluster/legacy_graph.py --output-dir /tmp/graphs --steps 600      # goes on at step 301
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile

from local_cluster import run_tasks, task_name

TASKS = {"ps": 1, "chief": 1, "worker": 2}
HELD_OUT = 250
BATCH_SIZE = 50


def run_task(output_dir: str, steps: int, at_least: float) -> None:
    """Does the work of this process's task in `TF_CONFIG`."""
    # They load TensorFlow, which the process that starts the tasks need not do.
    import numpy as np
    import sklearn.datasets
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import cluster, train

    task = cluster.this_task()
    assert task is not None
    if task.type == "ps":
        cluster.serve()  # until it is ended from outside

    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(labels))
    images, labels = (images[order] / 16).astype(np.float32), labels[order].astype(np.int64)

    cluster_spec = tf.train.ClusterSpec(json.loads(os.environ["TF_CONFIG"])["cluster"])
    device = tf.train.replica_device_setter(
        worker_device=f"/job:{task.type}/task:{task.index}", cluster=cluster_spec
    )
    with tf.Graph().as_default() as graph, tf.device(device):
        data = tf.data.Dataset.from_tensor_slices((images[HELD_OUT:], labels[HELD_OUT:]))
        data = data.shuffle(len(labels)).repeat().batch(BATCH_SIZE)
        batch_images, batch_labels = tf.data.make_one_shot_iterator(data).get_next()
        weights = tf.get_variable("weights", [64, 10], initializer=tf.zeros_initializer())
        biases = tf.get_variable("biases", [10], initializer=tf.zeros_initializer())
        loss = tf.losses.sparse_softmax_cross_entropy(batch_labels, batch_images @ weights + biases)
        global_step = tf.train.get_or_create_global_step()
        train_op = tf.train.AdamOptimizer(0.01).minimize(loss, global_step)

    train(
        graph,
        output_dir,
        train_op,
        loss,
        log_every_steps=100,
        supervisor_is_chief=task.is_chief,
        max_steps=steps,
    )
    if task.is_chief:
        saved = tf.train.load_checkpoint(output_dir)
        logits = images[:HELD_OUT] @ saved.get_tensor("weights") + saved.get_tensor("biases")
        accuracy = np.mean(logits.argmax(axis=1) == labels[:HELD_OUT])
        step = saved.get_tensor("global_step")
        print(f"Accuracy on {HELD_OUT} held-out digits after step {step}: {accuracy:.1%}")
        if accuracy < at_least:
            sys.exit(f"That is less than {at_least:.1%}.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains a graph in a cluster on this machine.")
    parser.add_argument("--output-dir", default=os.path.join(tempfile.gettempdir(), "graph_cluster"))
    parser.add_argument("--steps", type=int, default=300, help="train up to this global step")
    parser.add_argument("--at-least", type=float, default=0.9, help="fail if the accuracy is lower")
    return parser.parse_args()


def main() -> int:
    options = parse_arguments()
    task = task_name()
    if task is None:
        return run_tasks(sys.argv, TASKS)
    logging.basicConfig(level=logging.INFO, format=f"{task}: %(message)s")
    run_task(options.output_dir, options.steps, options.at_least)
    return 0


if __name__ == "__main__":
    sys.exit(main())
