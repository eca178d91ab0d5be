"""Classifies handwritten digits with a script in the style of 2017.

The input pipeline, the decaying learning rate and the summaries are in the graph. The data are the 1,797
scanned digits that come with scikit-learn: 1,297 for training, 250 for validation, 250 for the test.

    python examples/digits.py --output-dir /tmp/digits --steps 4000
    python examples/digits.py --output-dir /tmp/digits --steps 8000     # goes on at step 4001
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sklearn.datasets
import tensorflow.compat.v1 as tf

from keras_legacy_train import monitors, train

PIXELS, CLASSES = 64, 10
HIDDEN_UNITS = (128, 64)
BATCH_SIZE = 50


class Digits(NamedTuple):
    """Holds images `float32[count, 64]` with values from 0 to 1, and their labels `int64[count]`."""

    images: np.ndarray
    labels: np.ndarray


def load_digits() -> tuple[Digits, Digits, Digits]:
    """Returns the training, validation and test digits, always the same ones."""
    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    images, labels = (images / 16).astype(np.float32), labels.astype(np.int64)
    order = np.random.RandomState(0).permutation(len(labels))
    parts = np.split(order, [1297, 1547])
    training, validation, test = (Digits(images[part], labels[part]) for part in parts)
    return training, validation, test


def dense(inputs: tf.Tensor, units: int, name: str) -> tf.Tensor:
    with tf.variable_scope(name):
        weights = tf.get_variable(
            "weights", [inputs.shape[1], units], initializer=tf.glorot_uniform_initializer()
        )
        biases = tf.get_variable("biases", [units], initializer=tf.zeros_initializer())
        return tf.matmul(inputs, weights) + biases


def network(images: tf.Tensor, dropout_rate: float | tf.Tensor) -> tf.Tensor:
    """Builds two hidden layers and returns the logits `float32[count, 10]`. All calls share the variables."""
    with tf.variable_scope("network", reuse=tf.AUTO_REUSE):
        hidden = images
        for number, units in enumerate(HIDDEN_UNITS, start=1):
            hidden = tf.nn.relu(dense(hidden, units, f"hidden{number}"))
            hidden = tf.nn.dropout(hidden, rate=dropout_rate)
        return dense(hidden, CLASSES, "logits")


def mean_accuracy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, axis=1), labels), tf.float32))


def minimize(loss: tf.Tensor) -> tf.Operation:
    global_step = tf.train.get_or_create_global_step()
    learning_rate = tf.train.exponential_decay(0.003, global_step, decay_steps=2000, decay_rate=0.7)
    tf.summary.scalar("learning_rate", learning_rate)
    return tf.train.AdamOptimizer(learning_rate).minimize(loss, global_step=global_step)


class PrintAccuracy(monitors.EveryN):
    """Prints the accuracy on the validation digits every `every_n_steps` steps and at the last one."""

    def __init__(self, accuracy: tf.Tensor, every_n_steps: int = 1000):
        super().__init__(every_n_steps=every_n_steps)
        self._accuracy = accuracy

    def every_n_step_begin(self, step: int) -> list[tf.Tensor]:
        return [self._accuracy]

    def every_n_step_end(self, step: int, outputs: Mapping[Any, Any]) -> None:
        logging.info("Step %d: validation accuracy = %.1f %%", step, 100 * outputs[self._accuracy.name])


def train_network(training: Digits, validation: Digits, output_dir: str, steps: int) -> None:
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        dataset = tf.data.Dataset.from_tensor_slices(training)
        dataset = dataset.shuffle(len(training.labels)).repeat().batch(BATCH_SIZE)
        images, labels = tf.data.make_one_shot_iterator(dataset).get_next()

        logits = network(images, dropout_rate=0.3)
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
        train_op = minimize(loss)

        tf.summary.scalar("loss", loss)
        accuracy = mean_accuracy(network(tf.constant(validation.images), dropout_rate=0.0), validation.labels)
        tf.summary.scalar("validation_accuracy", accuracy)

        train(
            graph,
            output_dir,
            train_op,
            loss,
            log_every_steps=500,
            monitors=[
                PrintAccuracy(accuracy),
                monitors.SummarySaver(tf.summary.merge_all(), save_steps=100, output_dir=output_dir),
            ],
            max_steps=steps,
        )


def accuracy_of_checkpoint(output_dir: str, digits: Digits) -> float:
    """Returns the accuracy of the newest checkpoint on `digits`.

    Reads the weights from the checkpoint by their TF 1 names; this needs no graph.
    """
    checkpoint = tf.train.load_checkpoint(output_dir)

    def layer(inputs: np.ndarray, name: str) -> np.ndarray:
        weights, biases = (checkpoint.get_tensor(f"network/{name}/{part}") for part in ("weights", "biases"))
        outputs: np.ndarray = inputs @ weights + biases
        return outputs

    hidden = digits.images
    for name in ("hidden1", "hidden2"):
        hidden = np.maximum(layer(hidden, name), 0)
    return float(np.mean(layer(hidden, "logits").argmax(axis=1) == digits.labels))


def report(accuracy: float, test: Digits, at_least: float) -> None:
    """Prints the accuracy on the test digits. Ends the process with exit code 1 if it is below `at_least`."""
    print(f"Accuracy on {len(test.labels)} held-out digits: {accuracy:.1%}")
    if accuracy < at_least:
        sys.exit(f"That is less than {at_least:.1%}.")


def parse_arguments(name: str, description: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--output-dir", default=os.path.join(tempfile.gettempdir(), name))
    parser.add_argument("--steps", type=int, default=8000, help="train up to this global step")
    parser.add_argument("--at-least", type=float, default=0.95, help="fail if the accuracy is lower")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments("digits", "Trains a network with its input pipeline in the graph.", arguments)
    training, validation, test = load_digits()
    train_network(training, validation, options.output_dir, options.steps)
    report(accuracy_of_checkpoint(options.output_dir, test), test, options.at_least)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.WARNING)  # TensorFlow tells how long each save took
    main()
