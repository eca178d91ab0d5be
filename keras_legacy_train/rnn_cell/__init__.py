"""Provides the cells of `tf.nn.rnn_cell`, which Keras 3 does not have.

They add ops and variables to a graph of TensorFlow 1, alone or by `tf.compat.v1.nn.dynamic_rnn`, `static_rnn`
and their like. Arguments, variable names and numbers are those of TensorFlow 1.15:

```python
import numpy as np
import tensorflow.compat.v1 as tf

from keras_legacy_train import rnn_cell, train

with tf.Graph().as_default() as graph:
    x = tf.constant(np.random.rand(8, 5, 3).astype("float32"))
    cell = rnn_cell.MultiRNNCell([rnn_cell.LSTMCell(4), rnn_cell.GRUCell(2)])
    outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - 0.1))
    optimizer = tf.train.AdamOptimizer(0.01)
    train_op = optimizer.minimize(loss, global_step=tf.train.create_global_step())
train(graph, output_dir, train_op, loss, max_steps=20)
```

This room imports `tf_layers`.
"""

from keras_legacy_train.rnn_cell.base import LSTMStateTuple, RNNCell
from keras_legacy_train.rnn_cell.cells import BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell
from keras_legacy_train.rnn_cell.linear import linear as _linear  # noqa: F401  # scripts use it
from keras_legacy_train.rnn_cell.wrappers import (
    DeviceWrapper,
    DropoutWrapper,
    MultiRNNCell,
    ResidualWrapper,
)

__all__ = [
    "BasicLSTMCell",
    "BasicRNNCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "GRUCell",
    "LSTMCell",
    "LSTMStateTuple",
    "MultiRNNCell",
    "RNNCell",
    "ResidualWrapper",
]
