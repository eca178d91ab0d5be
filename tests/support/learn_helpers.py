"""A model of `tf.contrib.learn` and its data, for the tests of `learn`."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import learn

v1 = tf.compat.v1

X = np.arange(6.0, dtype="float32").reshape(6, 1)
Y = 2.0 * X[:, 0]


def line(features: Any, targets: Any, mode: str, params: Any = None) -> Any:
    """Predicts multiples of a number; a tuple in training, `ModelFnOps` else."""
    x = features["x"] if isinstance(features, dict) else features
    weight = v1.get_variable("weight", [], initializer=v1.zeros_initializer())
    product = weight * tf.cast(x[:, 0], tf.float32)
    predictions = {"product": product, "x": x[:, 0]}
    loss = None if targets is None else tf.reduce_mean(tf.square(product - tf.cast(targets, tf.float32)))
    if mode != learn.ModeKeys.TRAIN:
        return learn.ModelFnOps(mode, predictions, loss)
    optimizer = v1.train.GradientDescentOptimizer((params or {}).get("learning_rate", 0.05))
    return predictions, loss, optimizer.minimize(loss, v1.train.get_global_step())
