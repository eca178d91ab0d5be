"""Classifies handwritten digits row by row with a recurrent network, and tests it while it is trained.

The cell is written by hand: `tf.nn.dynamic_rnn` takes any object with the interface of a cell. The cells of
`tf.nn.rnn_cell` need the package tf_keras.

    python examples/recurrent.py --output-dir /tmp/recurrent --steps 600
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

import digits
from keras_legacy_train import layers, learn

ROWS = COLUMNS = 8
UNITS = 48
BATCH_SIZE = 50


class GRUCell:
    """Computes a gated recurrent unit. Its output is its state `float32[batch, units]`."""

    def __init__(self, units: int):
        self.state_size = self.output_size = units

    def zero_state(self, batch_size: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        return tf.zeros([batch_size, self.state_size], dtype)

    def __call__(self, inputs: tf.Tensor, state: tf.Tensor, scope: Any = None) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.variable_scope(scope or "gru_cell", reuse=tf.AUTO_REUSE):
            gates = tf.sigmoid(digits.dense(tf.concat([inputs, state], 1), 2 * self.state_size, "gates"))
            reset, update = tf.split(gates, 2, axis=1)
            candidate = tf.concat([inputs, reset * state], 1)
            candidate = tf.tanh(digits.dense(candidate, self.state_size, "candidate"))
            new_state = update * state + (1.0 - update) * candidate
        return new_state, new_state


def network(images: tf.Tensor) -> tf.Tensor:
    """Returns logits `float32[count, 10]` of images `float32[count, 64]`. All calls share the variables."""
    with tf.variable_scope("network", reuse=tf.AUTO_REUSE):
        rows = tf.reshape(images, [-1, ROWS, COLUMNS])
        _, state = tf.nn.dynamic_rnn(GRUCell(UNITS), rows, dtype=tf.float32)
        return digits.dense(state, digits.CLASSES, "logits")


class TestMonitor(learn.monitors.EveryN):
    """Logs the accuracy on the test digits, every `every_n_steps` steps and at the last one.

    Args:
        logits: Logits `float32[count, 10]` of the test images, a tensor of the graph that is trained.
        labels: Their labels `int64[count]`.
        every_n_steps: Steps from one look to the next.
    """

    def __init__(self, logits: tf.Tensor, labels: np.ndarray, every_n_steps: int = 200):
        super().__init__(every_n_steps=every_n_steps)
        self._logits = logits
        self._labels = labels

    def every_n_step_begin(self, step: int) -> list[tf.Tensor]:
        return [self._logits]

    def every_n_step_end(self, step: int, outputs: Mapping[Any, Any]) -> None:
        correct = outputs[self._logits.name].argmax(axis=1) == self._labels
        by_digit = [100 * correct[self._labels == digit].mean() for digit in range(digits.CLASSES)]
        logging.info("Step %d: test accuracy = %.1f %%", step, 100 * correct.mean())
        logging.info(
            "  by digit: %s", " ".join(f"{digit}:{share:.0f}" for digit, share in enumerate(by_digit))
        )


def train_network(training: digits.Digits, test: digits.Digits, output_dir: str, steps: int) -> None:
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        dataset = tf.data.Dataset.from_tensor_slices(training)
        dataset = dataset.shuffle(len(training.labels)).repeat().batch(BATCH_SIZE)
        images, labels = tf.data.make_one_shot_iterator(dataset).get_next()

        loss = tf.losses.sparse_softmax_cross_entropy(labels, network(images))
        train_op = layers.optimize_loss(
            loss,
            tf.train.get_or_create_global_step(),
            learning_rate=0.01,
            optimizer="Adam",
            clip_gradients=5.0,
        )
        test_logits = network(tf.constant(test.images))
        learn.train(
            graph,
            output_dir,
            train_op,
            loss,
            log_every_steps=200,
            monitors=[TestMonitor(test_logits, test.labels)],
            max_steps=steps,
        )


def accuracy_of_checkpoint(output_dir: str, test: digits.Digits) -> float:
    """Returns the accuracy of the newest checkpoint on the test digits."""
    with tf.Graph().as_default():
        images = tf.placeholder(tf.float32, [None, digits.PIXELS], name="images")
        classes = tf.argmax(network(images), axis=1)
        outputs = learn.infer(
            tf.train.latest_checkpoint(output_dir), {"classes": classes}, {images: test.images}
        )
    return float(np.mean(outputs["classes"] == test.labels))


def main(arguments: Sequence[str] | None = None) -> None:
    options = digits.parse_arguments("recurrent", "Trains a recurrent network on digits.", arguments)
    training, _, test = digits.load_digits()
    train_network(training, test, options.output_dir, options.steps)
    accuracy = accuracy_of_checkpoint(options.output_dir, test)
    digits.report(accuracy, test, options.at_least)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.WARNING)  # TensorFlow tells how long each save took
    main()
