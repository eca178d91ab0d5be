"""Trains an Estimator in a cluster: a parameter server, a chief, a worker and an evaluator.

One command starts all of them on this machine. The chief and the worker train the same network, whose
variables are on the parameter server; the chief saves it, and the evaluator evaluates each checkpoint on 250
handwritten digits that are held out.

    python examples/cluster/estimator.py --model-dir /tmp/digits_cluster --steps 400
    python examples/cluster/estimator.py --model-dir /tmp/digits_cluster --steps 800    # goes on at step 401
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile

from local_cluster import run_tasks, task_name

TASKS = {"ps": 1, "chief": 1, "worker": 1, "evaluator": 1}
HELD_OUT = 250
BATCH_SIZE = 50


def run_task(model_dir: str, steps: int, at_least: float) -> None:
    """Does the work of this process's task in `TF_CONFIG`."""
    # They load TensorFlow, which the process that starts the tasks need not do.
    import numpy as np
    import sklearn.datasets
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import estimator

    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(labels))
    images, labels = (images[order] / 16).astype(np.float32), labels[order].astype(np.int64)

    def train_input_fn() -> tf.data.Dataset:
        data = tf.data.Dataset.from_tensor_slices((images[HELD_OUT:], labels[HELD_OUT:]))
        return data.shuffle(len(labels)).repeat().batch(BATCH_SIZE)

    def eval_input_fn() -> tf.data.Dataset:
        return tf.data.Dataset.from_tensors((images[:HELD_OUT], labels[:HELD_OUT]))

    def model_fn(features: tf.Tensor, labels: tf.Tensor, mode: str) -> estimator.EstimatorSpec:
        glorot = tf.glorot_uniform_initializer()
        hidden_weights = tf.get_variable("hidden/weights", [64, 128], initializer=glorot)
        hidden_biases = tf.get_variable("hidden/biases", [128], initializer=tf.zeros_initializer())
        hidden = tf.nn.relu(features @ hidden_weights + hidden_biases)
        weights = tf.get_variable("logits/weights", [128, 10], initializer=glorot)
        biases = tf.get_variable("logits/biases", [10], initializer=tf.zeros_initializer())
        logits = hidden @ weights + biases
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
        train_op = tf.train.AdamOptimizer(0.002).minimize(loss, tf.train.get_global_step())
        accuracy = tf.metrics.accuracy(labels, tf.argmax(logits, axis=1))
        return estimator.EstimatorSpec(
            mode, loss=loss, train_op=train_op, eval_metric_ops={"accuracy": accuracy}
        )

    config = estimator.RunConfig(
        model_dir,
        save_checkpoints_steps=200,
        # The worker begins a second after the chief. By default it would be five.
        experimental_max_worker_delay_secs=1,
    )
    model = estimator.Estimator(model_fn, config=config)
    estimator.train_and_evaluate(
        model,
        estimator.TrainSpec(train_input_fn, max_steps=steps),
        estimator.EvalSpec(eval_input_fn, steps=1, start_delay_secs=1, throttle_secs=1),
    )
    if config.task_type == "evaluator":
        step, metrics = max(estimator.experimental.read_eval_metrics(model.eval_dir()).items())
        print(f"Accuracy on {HELD_OUT} held-out digits after step {step}: {metrics['accuracy']:.1%}")
        if metrics["accuracy"] < at_least:
            sys.exit(f"That is less than {at_least:.1%}.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains an Estimator in a cluster on this machine.")
    parser.add_argument("--model-dir", default=os.path.join(tempfile.gettempdir(), "digits_cluster"))
    parser.add_argument("--steps", type=int, default=400, help="train up to this global step")
    parser.add_argument("--at-least", type=float, default=0.9, help="fail if the accuracy is lower")
    return parser.parse_args()


def main() -> int:
    options = parse_arguments()
    task = task_name()
    if task is None:
        return run_tasks(sys.argv, TASKS)
    logging.basicConfig(level=logging.INFO, format=f"{task}: %(message)s")
    run_task(options.model_dir, options.steps, options.at_least)
    return 0


if __name__ == "__main__":
    sys.exit(main())
