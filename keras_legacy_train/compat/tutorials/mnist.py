"""Stands for `tensorflow.examples.tutorials.mnist.mnist`: a network of two hidden layers for the digits."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

__all__ = [
    "IMAGE_PIXELS",
    "IMAGE_SIZE",
    "NUM_CLASSES",
    "evaluation",
    "inference",
    "loss",
    "training",
]

NUM_CLASSES = 10
IMAGE_SIZE = 28
IMAGE_PIXELS = IMAGE_SIZE * IMAGE_SIZE


def inference(images: Any, hidden1_units: int, hidden2_units: int) -> Any:
    """Adds the network to the graph.

    Stands for `inference` of `tensorflow.examples.tutorials.mnist.mnist`.

    Args:
        images: Tensor of `float32`, of shape (batch, 784).
        hidden1_units: Width of the first layer.
        hidden2_units: Width of the second layer.

    Returns:
        The logits, of shape (batch, 10).
    """
    hidden1 = tf.nn.relu(_layer("hidden1", images, IMAGE_PIXELS, hidden1_units))
    hidden2 = tf.nn.relu(_layer("hidden2", hidden1, hidden1_units, hidden2_units))
    return _layer("softmax_linear", hidden2, hidden2_units, NUM_CLASSES)


def _layer(name: str, inputs: Any, inputs_width: int, width: int) -> Any:
    v1 = tf.compat.v1
    with v1.name_scope(name):
        stddev = 1.0 / math.sqrt(float(inputs_width))
        weights = v1.Variable(v1.truncated_normal([inputs_width, width], stddev=stddev), name="weights")
        biases = v1.Variable(tf.zeros([width]), name="biases")
        return tf.matmul(inputs, weights) + biases


def loss(logits: Any, labels: Any) -> Any:
    """Adds the mean cross-entropy to the graph.

    Stands for `loss` of `tensorflow.examples.tutorials.mnist.mnist`.

    Args:
        logits: Tensor of shape (batch, 10).
        labels: Integers, of shape (batch,).

    Returns:
        The loss, a scalar.
    """
    return tf.compat.v1.losses.sparse_softmax_cross_entropy(labels=tf.cast(labels, tf.int64), logits=logits)


def training(loss: Any, learning_rate: float) -> Any:
    """Adds a step of gradient descent, and a summary of the loss, to the graph.

    Stands for `training` of `tensorflow.examples.tutorials.mnist.mnist`.

    Args:
        loss: The loss.
        learning_rate: How far a step goes.

    Returns:
        The operation of the step.
    """
    v1 = tf.compat.v1
    v1.summary.scalar("loss", loss)
    global_step = v1.Variable(0, name="global_step", trainable=False)
    return v1.train.GradientDescentOptimizer(learning_rate).minimize(loss, global_step=global_step)


def evaluation(logits: Any, labels: Any) -> Any:
    """Adds to the graph how many digits of a batch are told rightly.

    Stands for `evaluation` of `tensorflow.examples.tutorials.mnist.mnist`.

    Args:
        logits: Tensor of shape (batch, 10).
        labels: Integers, of shape (batch,).

    Returns:
        The number, a scalar of `int32`.
    """
    return tf.reduce_sum(tf.cast(tf.nn.in_top_k(labels, logits, 1), tf.int32))
