"""Classifies the digits of `digits.py`, with placeholders that a `feed_fn` fills at every step.

The third placeholder switches dropout off when the monitor looks at the validation digits.

    python examples/digits_feed.py --output-dir /tmp/digits_feed --steps 2000
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

import digits
from keras_legacy_train import monitors, train


def batches(training: digits.Digits) -> Iterator[digits.Digits]:
    """Yields shuffled batches, endlessly."""
    random = np.random.RandomState(0)
    while True:
        order = random.permutation(len(training.labels))
        for start in range(0, len(order), digits.BATCH_SIZE):
            batch = order[start : start + digits.BATCH_SIZE]
            yield digits.Digits(training.images[batch], training.labels[batch])


class PrintAccuracy(monitors.EveryN):
    """Runs `accuracy` on the validation digits after every n-th step and the last one, and prints it."""

    def __init__(self, accuracy: tf.Tensor, feed_dict: dict[tf.Tensor, Any], every_n_steps: int = 500):
        super().__init__(every_n_steps=every_n_steps)
        self._accuracy = accuracy
        self._feed_dict = feed_dict

    def every_n_post_step(self, step: int, session: tf.Session) -> None:
        accuracy = session.run(self._accuracy, self._feed_dict)
        logging.info("Step %d: validation accuracy = %.1f %%", step, 100 * accuracy)


def train_network(training: digits.Digits, validation: digits.Digits, output_dir: str, steps: int) -> None:
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        images = tf.placeholder(tf.float32, [None, digits.PIXELS], name="images")
        labels = tf.placeholder(tf.int64, [None], name="labels")
        dropout_rate = tf.placeholder_with_default(0.0, [], name="dropout_rate")

        logits = digits.network(images, dropout_rate)
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
        train_op = digits.minimize(loss)
        accuracy = digits.mean_accuracy(logits, labels)
        source = batches(training)

        def feed_fn() -> dict[tf.Tensor, Any]:
            batch = next(source)
            return {images: batch.images, labels: batch.labels, dropout_rate: 0.3}

        train(
            graph,
            output_dir,
            train_op,
            loss,
            log_every_steps=500,
            feed_fn=feed_fn,
            monitors=[PrintAccuracy(accuracy, {images: validation.images, labels: validation.labels})],
            max_steps=steps,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    options = digits.parse_arguments("digits_feed", "Trains a network fed by a feed_fn.", arguments)
    training, validation, test = digits.load_digits()
    train_network(training, validation, options.output_dir, options.steps)
    accuracy = digits.accuracy_of_checkpoint(options.output_dir, test)
    digits.report(accuracy, test, options.at_least)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.WARNING)  # TensorFlow tells how long each save took
    main()
