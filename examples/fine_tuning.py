"""Learns to tell even digits from odd ones with 20 images, by fine-tuning a network that knows digits.

The first network tells the ten digits apart. The second one has the same hidden layers, and takes their
weights from the checkpoint of the first; only its last layer starts at random. A third network starts without
those weights, for comparison.

    python examples/fine_tuning.py --output-dir /tmp/fine_tuning
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow.compat.v1 as tf

import digits
from keras_legacy_train import framework, learn

IMAGES_PER_DIGIT = 2
BATCH_SIZE = 20


def some_of_each(images: digits.Digits, count: int) -> digits.Digits:
    """Returns the first `count` images of each digit."""
    chosen = [np.flatnonzero(images.labels == label)[:count] for label in range(digits.CLASSES)]
    return digits.Digits(*(part[np.concatenate(chosen)] for part in images))


def with_parity(images: digits.Digits) -> digits.Digits:
    """Returns the images with the labels 0 for even digits and 1 for odd ones."""
    return digits.Digits(images.images, images.labels % 2)


def digit_network(images: tf.Tensor) -> tf.Tensor:
    """Returns logits `float32[count, 10]`."""
    return digits.dense(hidden_layers(images), digits.CLASSES, "digit_logits")


def parity_network(images: tf.Tensor) -> tf.Tensor:
    """Returns logits `float32[count, 2]`."""
    return digits.dense(hidden_layers(images), 2, "parity_logits")


def hidden_layers(images: tf.Tensor) -> tf.Tensor:
    hidden = images
    for name in ("hidden1", "hidden2"):
        hidden = tf.nn.relu(digits.dense(hidden, 64, name))
    return hidden


def train_network(
    network: Callable[[tf.Tensor], tf.Tensor],
    training: digits.Digits,
    output_dir: str,
    steps: int,
    pretrained: str | None = None,
) -> None:
    """Trains a network; it starts with the weights that it has in common with the checkpoint `pretrained`."""
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        dataset = tf.data.Dataset.from_tensor_slices(training)
        dataset = dataset.shuffle(len(training.labels)).repeat().batch(BATCH_SIZE)
        images, labels = tf.data.make_one_shot_iterator(dataset).get_next()
        loss = tf.losses.sparse_softmax_cross_entropy(labels, network(images))

        init_fn = None
        if pretrained is not None:
            # The logits are not in there: they keep the values of their initializers.
            init_fn = framework.assign_from_checkpoint_fn(
                tf.train.latest_checkpoint(pretrained),
                framework.get_trainable_variables(),
                ignore_missing_vars=True,
            )
        global_step = framework.get_or_create_global_step()
        train_op = tf.train.MomentumOptimizer(0.05, momentum=0.9).minimize(loss, global_step=global_step)
        learn.train(graph, output_dir, train_op, loss, init_fn=init_fn, log_every_steps=100, max_steps=steps)


def accuracy_of_checkpoint(
    network: Callable[[tf.Tensor], tf.Tensor], test: digits.Digits, output_dir: str
) -> float:
    """Returns the accuracy of the newest checkpoint on the test digits, computed batch by batch."""
    with tf.Graph().as_default() as graph:
        framework.create_global_step()
        dataset = tf.data.Dataset.from_tensor_slices(test).batch(BATCH_SIZE)
        images, labels = tf.data.make_one_shot_iterator(dataset).get_next()
        classes = tf.argmax(network(images), axis=1)
        accuracy, update_op = tf.metrics.accuracy(labels, classes)
        results, _ = learn.evaluate(
            graph,
            os.path.join(output_dir, "eval"),
            tf.train.latest_checkpoint(output_dir),
            {"accuracy": accuracy},
            update_op,
        )
    assert results is not None
    return float(results["accuracy"])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Fine-tunes a network on few images.")
    parser.add_argument("--output-dir", default=os.path.join(tempfile.gettempdir(), "fine_tuning"))
    parser.add_argument("--at-least", type=float, default=0.9, help="fail if the accuracy is lower")
    options = parser.parse_args(arguments)
    pretrained, tuned, fresh = (
        os.path.join(options.output_dir, name) for name in ("pretrained", "tuned", "fresh")
    )

    training, _, test = digits.load_digits()
    train_network(digit_network, training, pretrained, steps=1000)
    few = with_parity(some_of_each(training, IMAGES_PER_DIGIT))
    train_network(parity_network, few, tuned, steps=50, pretrained=pretrained)
    train_network(parity_network, few, fresh, steps=50)

    test = with_parity(test)
    print(f"Accuracy without pretraining: {accuracy_of_checkpoint(parity_network, test, fresh):.1%}")
    digits.report(accuracy_of_checkpoint(parity_network, test, tuned), test, options.at_least)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.WARNING)  # TensorFlow tells how long each save took
    main()
