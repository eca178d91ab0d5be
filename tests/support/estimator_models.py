"""Model functions and input functions for the tests of Estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import estimator

tf1 = tf.compat.v1

ROWS = np.arange(12, dtype=np.float32).reshape(6, 2) / 10
LABELS = (ROWS @ np.array([[1.0], [-2.0]], np.float32) + 0.5).astype(np.float32)


def linear_model_fn(features: Any, labels: Any, mode: str, params: Any) -> estimator.EstimatorSpec:
    """Builds a linear model with zeros as first values, trained by gradient descent."""
    x = features["x"] if isinstance(features, dict) else features
    weights = tf1.get_variable("weights", [2, 1], initializer=tf1.zeros_initializer())
    bias = tf1.get_variable("bias", [1], initializer=tf1.zeros_initializer())
    outputs = tf.matmul(x, weights) + bias
    predictions = {"y": outputs, "twice": 2 * outputs}
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, predictions)
    loss = tf.reduce_mean(tf.square(outputs - labels))
    metrics = {"mae": tf1.metrics.mean_absolute_error(labels, outputs)}
    optimizer = tf1.train.GradientDescentOptimizer((params or {}).get("learning_rate", 0.1))
    train_op = optimizer.minimize(loss, tf1.train.get_global_step())
    return estimator.EstimatorSpec(mode, predictions, loss, train_op, metrics)


def batches(repeats: int | None = 1, batch_size: int = 2) -> tf.data.Dataset:
    """Returns the rows and labels in batches; endlessly for `repeats=None`."""
    return tf.data.Dataset.from_tensor_slices(({"x": ROWS}, LABELS)).repeat(repeats).batch(batch_size)


def endless_batches() -> tf.data.Dataset:
    """Returns the rows and labels in batches, again and again."""
    return batches(None)
