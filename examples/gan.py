"""Trains two networks against each other, until one of them writes digits.

The generator makes images from noise, the discriminator tells them from handwritten ones. Each has its own
optimizer. Afterwards the generator is built again, alone and in another graph, and takes the moving averages
of its weights from the newest checkpoint.

    python examples/gan.py --output-dir /tmp/gan --steps 3000
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Sequence

import numpy as np
import tensorflow.compat.v1 as tf

import digits
from keras_legacy_train import learn

NOISE = 16
UNITS = 128
BATCH_SIZE = 64


def generator(noise: tf.Tensor) -> tf.Tensor:
    """Returns images `float32[count, 64]` generated from noise `float32[count, NOISE]`."""
    with tf.variable_scope("generator"):
        hidden = tf.nn.relu(digits.dense(noise, UNITS, "hidden1"))
        hidden = tf.nn.relu(digits.dense(hidden, UNITS, "hidden2"))
        return tf.sigmoid(digits.dense(hidden, digits.PIXELS, "images"))


def discriminator(images: tf.Tensor) -> tf.Tensor:
    """Returns logits `float32[count, 1]`, positive for images that it takes for handwritten ones."""
    with tf.variable_scope("discriminator", reuse=tf.AUTO_REUSE):
        hidden = images
        for name in ("hidden1", "hidden2"):
            hidden = tf.nn.leaky_relu(digits.dense(hidden, UNITS, name))
            hidden = tf.nn.dropout(hidden, rate=0.3)
        return digits.dense(hidden, 1, "logits")


def mean_cross_entropy(logits: tf.Tensor, label: float) -> tf.Tensor:
    labels = tf.fill(tf.shape(logits), label)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


def train_networks(images: np.ndarray, output_dir: str, steps: int) -> None:
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).repeat()
        real = tf.data.make_one_shot_iterator(dataset.batch(BATCH_SIZE)).get_next()
        fake = generator(tf.random_normal([BATCH_SIZE, NOISE]))

        real_logits, fake_logits = discriminator(real), discriminator(fake)
        discriminator_loss = mean_cross_entropy(real_logits, 0.9) + mean_cross_entropy(fake_logits, 0.0)
        generator_loss = mean_cross_entropy(fake_logits, 1.0)
        tf.summary.scalar("discriminator_loss", discriminator_loss)
        tf.summary.scalar("generator_loss", generator_loss)

        generator_variables = tf.trainable_variables("generator")
        discriminator_variables = tf.trainable_variables("discriminator")
        global_step = tf.train.get_or_create_global_step()
        discriminator_op = tf.train.AdamOptimizer(0.0005, beta1=0.5).minimize(
            discriminator_loss, var_list=discriminator_variables
        )
        generator_op = tf.train.AdamOptimizer(0.001, beta1=0.5).minimize(
            generator_loss, var_list=generator_variables, global_step=global_step
        )
        with tf.control_dependencies([discriminator_op, generator_op]):
            train_op = tf.train.ExponentialMovingAverage(0.99).apply(generator_variables)

        losses = {"discriminator": discriminator_loss, "generator": generator_loss}
        learn.train(
            graph,
            output_dir,
            train_op,
            generator_loss,
            log_every_steps=1000,
            monitors=[learn.monitors.PrintTensor(losses, every_n=500)],
            max_steps=steps,
        )


def generated_images(output_dir: str, noise: np.ndarray) -> np.ndarray:
    """Returns the images that the generator of the newest checkpoint makes from noise."""
    with tf.Graph().as_default():
        inputs = tf.placeholder(tf.float32, [None, NOISE], name="noise")
        images = generator(inputs)
        averages = tf.train.ExponentialMovingAverage(0.99)
        saver = tf.train.Saver(averages.variables_to_restore(tf.trainable_variables()))
        tf.add_to_collection(tf.GraphKeys.SAVERS, saver)  # infer restores with this one
        outputs = learn.infer(tf.train.latest_checkpoint(output_dir), {"images": images}, {inputs: noise})
    generated: np.ndarray = outputs["images"]
    return generated


def draw(image: np.ndarray) -> str:
    """Draws an image `float32[64]` with characters: the more ink, the darker."""
    return "\n".join("".join(" .:-=+*#%@"[int(9 * ink)] * 2 for ink in row) for row in image.reshape(8, 8))


def distance_to_nearest(images: np.ndarray, others: np.ndarray) -> float:
    """Returns the mean distance from an image to the nearest of the others."""
    squares = (images**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * images @ others.T
    return float(np.sqrt(squares.min(axis=1).clip(min=0)).mean())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Trains a generative adversarial network on digits.")
    parser.add_argument("--output-dir", default=os.path.join(tempfile.gettempdir(), "gan"))
    parser.add_argument("--steps", type=int, default=3000, help="train up to this global step")
    options = parser.parse_args(arguments)

    training, _, test = digits.load_digits()
    train_networks(training.images, options.output_dir, options.steps)
    generated = generated_images(options.output_dir, np.random.RandomState(0).normal(size=[250, NOISE]))
    print("\n\n".join(map(draw, generated[:4])))

    # If the generator knows a single digit only, most handwritten digits are far from all generated ones.
    mean_image = training.images.mean(axis=0, keepdims=True)
    to_training = distance_to_nearest(generated, training.images)
    from_test = distance_to_nearest(test.images, generated)
    print(f"From a generated digit to the nearest handwritten one: {to_training:.2f}")
    print(f"From a handwritten digit to the nearest generated one: {from_test:.2f}")
    if to_training > distance_to_nearest(mean_image, training.images):
        sys.exit("The mean of all digits looks more like a digit.")
    if from_test > distance_to_nearest(test.images, mean_image):
        sys.exit("The mean of all digits is nearer.")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.WARNING)  # TensorFlow tells how long each save took
    main()
