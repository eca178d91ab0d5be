"""Graphs that TensorFlow 1.15.5 under Python 3.7 and today's TensorFlow build alike.

They are deterministic and read no input whose position would be lost, so a run in pieces equals one without a
break.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tensorflow.python.ops.lookup_ops import MutableHashTable
from tensorflow.python.training.saver import BaseSaverBuilder

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


class Doubled(BaseSaverBuilder.SaveableObject):
    """A variable that is in no collection, saved as twice its value."""

    def __init__(self, variable):
        tensor = variable * 2.0
        super().__init__(variable, [BaseSaverBuilder.SaveSpec(tensor, "", "doubled/twice")], "doubled")

    def restore(self, restored_tensors, restored_shapes):
        return v1.assign(self.op, restored_tensors[0] / 2.0)


def build_objects(use_resource):
    """Builds, in the default graph, a model whose losses depend on a table and on an object of the user's.

    Returns:
        train_op and loss.
    """
    v1.disable_control_flow_v2()
    with v1.variable_scope(v1.get_variable_scope(), use_resource=use_resource):
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        zero = v1.zeros_initializer()
        total = v1.get_variable("total", [], initializer=zero, collections=["own"], trainable=False)
        step = v1.train.get_or_create_global_step()
    v1.add_to_collection("saveable_objects", Doubled(total))
    v1.add_to_collection("init_op", tf.group(v1.global_variables_initializer(), total.initializer))
    with tf.name_scope("scope"):
        table = MutableHashTable(tf.int64, tf.float32, 0.5, name="memory")
    seen = table.lookup(step % 3)
    loss = tf.square(w - seen) + 0.01 * v1.assign_add(total, w)
    with tf.control_dependencies([loss]):
        inserted = table.insert(step % 3, seen + w)
    with tf.control_dependencies([inserted]):
        return v1.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step), loss
