"""Makes small graphs with placeholders and without, and a `GraphModel` of each."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

import graphs
from keras_legacy_train.graph_model import GraphModel

v1 = tf.compat.v1

X, Y = graphs.rows(64, 8)


def line(use_resource: bool | None = None) -> tf.Graph:
    """Builds a linear model of placeholders `x` and `y`, trained by Adam; its rate is the variable `rate`."""
    with tf.Graph().as_default() as graph, v1.variable_scope("", use_resource=use_resource):
        x = v1.placeholder(tf.float32, [None, 8], name="x")
        y = v1.placeholder(tf.float32, [None, 1], name="y")
        scale = v1.placeholder_with_default(1.0, [], name="scale")
        with v1.variable_scope("dense"):
            kernel = v1.get_variable("kernel", [8, 1], initializer=v1.zeros_initializer())
            bias = v1.get_variable("bias", [1], initializer=v1.zeros_initializer())
        prediction = tf.identity(scale * tf.matmul(x, kernel) + bias, name="prediction")
        error = tf.abs(prediction - y, name="error")
        v1.metrics.mean(error, name="mean_error")
        loss = tf.reduce_mean(tf.square(prediction - y), name="loss")
        rate = v1.get_variable("rate", initializer=0.1, trainable=False)
        optimizer = v1.train.AdamOptimizer(rate, name="Adam")
        optimizer.minimize(loss, global_step=v1.train.create_global_step(), name="train")
        tf.no_op(name="nothing")
    return graph


def line_model(**options: Any) -> GraphModel:
    arguments = {"inputs": "x", "targets": "y", "outputs": "prediction", "train_op": "train", "loss": "loss"}
    return GraphModel(line(), **{**arguments, **options})


@functools.cache
def trained_weights() -> list[np.ndarray]:
    """Returns the weights after two epochs over the rows, in batches of sixteen."""
    model = line_model()
    model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


def trained(**options: Any) -> GraphModel:
    """Makes a model with the weights of `trained_weights`."""
    model = line_model(**options)
    model.set_weights(trained_weights())
    return model


def weights(model: GraphModel) -> dict[str, np.ndarray]:
    return {weight.name: value for weight, value in zip(model.weights, model.get_weights(), strict=True)}


def predictions(model: GraphModel, x: np.ndarray = X) -> np.ndarray:
    values = weights(model)
    return x @ values["dense.kernel"] + values["dense.bias"]


def counting(batches: int | None = None) -> tf.Graph:
    """Builds a graph that reads 0, 1, 2, …, for so many batches, and counts its steps in `steps`."""
    with tf.Graph().as_default() as graph:
        numbers = tf.data.Dataset.range(10**6 if batches is None else batches)
        number = v1.data.make_one_shot_iterator(numbers).get_next()
        tf.cast(number, tf.float32, name="number")
        steps = v1.get_variable("steps", [], tf.int64, v1.zeros_initializer(), trainable=False)
        with tf.control_dependencies([number]):
            tf.group(v1.assign_add(steps, 1), name="count")
    return graph
