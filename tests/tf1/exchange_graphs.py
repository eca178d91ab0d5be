"""Graphs that TensorFlow 1.15.5 under Python 3.7 and today's TensorFlow build alike.

They are deterministic and read no input whose position would be lost, so a run in pieces equals one without a
break.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

OPTIMIZERS = {
    "sgd": lambda: v1.train.GradientDescentOptimizer(0.05),
    "momentum": lambda: v1.train.MomentumOptimizer(0.05, 0.9),
    "adam": lambda: v1.train.AdamOptimizer(0.05, epsilon=1e-4),
    "adagrad": lambda: v1.train.AdagradOptimizer(0.1),
    "rmsprop": lambda: v1.train.RMSPropOptimizer(0.01, epsilon=1e-4),
    "ftrl": lambda: v1.train.FtrlOptimizer(0.1),
    "adadelta": lambda: v1.train.AdadeltaOptimizer(1.0),
}


def build(optimizer, use_resource):
    """Builds, in the default graph, a partitioned embedding under a dense layer, with moving averages.

    Returns:
        train_op and loss.
    """
    v1.disable_control_flow_v2()
    rng = np.random.RandomState(0)
    y = rng.randn(6, 1).astype("float32")
    with v1.variable_scope(v1.get_variable_scope(), use_resource=use_resource):
        table = v1.get_variable(
            "table",
            [20, 4],
            initializer=v1.random_uniform_initializer(-1, 1, seed=2),
            partitioner=v1.fixed_size_partitioner(3),
        )
        w = v1.get_variable("w", [4, 1], initializer=v1.random_uniform_initializer(-1, 1, seed=3))
        rows = v1.nn.embedding_lookup(table, tf.constant([1, 2, 3, 2, 19, 7]))
        loss = tf.reduce_mean(tf.square(tf.matmul(rows, w) - y), name="loss")
        step = v1.train.get_or_create_global_step()
    minimize = OPTIMIZERS[optimizer]().minimize(loss, global_step=step)
    with tf.control_dependencies([minimize]):
        train_op = v1.train.ExponentialMovingAverage(0.9).apply([w])
    return train_op, loss
