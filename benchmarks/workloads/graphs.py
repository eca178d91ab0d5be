"""Builds the workloads as graphs, by calls that TensorFlow 1.15.5, 2.15 and 2.21 all have.

`inputs`, `loss` and `minimize` add to the default graph; `build` makes a graph of the three.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from workloads import CONV_BLOCKS, PIPELINES, VOCABULARY, WORKLOADS, arrays, pipelines

UNITS = 64


class Job(NamedTuple):
    """Holds a graph and what a training of it needs."""

    graph: tf.Graph
    train_op: tf.Operation
    loss: tf.Tensor
    feed_fn: Callable[[], dict[tf.Tensor, np.ndarray]] | None


def build(name: str) -> Job:
    """Builds a workload in a graph of its own."""
    with tf.Graph().as_default() as graph:
        x, y = inputs(name)
        mean = loss(name, x, y)
        train_op = minimize(name, mean)
        tf.summary.scalar("loss", mean)
        feed_fn = feeder(name, x, y) if WORKLOADS[name].source == "feed" else None
        return Job(graph, train_op, mean, feed_fn)


def inputs(name: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Makes the batch of a step: constants, placeholders, or the next element of a dataset."""
    workload = WORKLOADS[name]
    if workload.has_dataset:
        x, y = tf.data.make_one_shot_iterator(dataset(name)).get_next()
    elif workload.source == "constant":
        x, y = (tf.constant(array) for array in arrays(name))
    else:
        x, y = (
            tf.placeholder(array.dtype, (workload.batch_size, *array.shape[1:])) for array in arrays(name)
        )
    return x, y


def dataset(name: str) -> Any:
    """Makes a dataset of batches without end."""
    batch_size = WORKLOADS[name].batch_size
    if WORKLOADS[name].source == "pipeline":
        return pipelines.dataset(name, batch_size)
    data = arrays(name)
    if WORKLOADS[name].source == "constant":
        return tf.data.Dataset.from_tensors(data).repeat()
    examples = tf.data.Dataset.from_tensor_slices(data).shuffle(len(data[0])).repeat()
    return examples.batch(batch_size, drop_remainder=True)


def batches(name: str) -> Any:
    """Yields batches of NumPy arrays without end."""
    (x, y), batch_size = arrays(name), WORKLOADS[name].batch_size
    starts = itertools.cycle(range(0, len(x) - batch_size + 1, batch_size))
    return ((x[start : start + batch_size], y[start : start + batch_size]) for start in starts)


def feeder(name: str, x: tf.Tensor, y: tf.Tensor) -> Callable[[], dict[tf.Tensor, np.ndarray]]:
    """Makes a `feed_fn` that feeds the next batch."""
    stream = batches(name)

    def feed_fn() -> dict[tf.Tensor, np.ndarray]:
        x_batch, y_batch = next(stream)
        return {x: x_batch, y: y_batch}

    return feed_fn


def loss(name: str, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Computes the loss of a batch."""
    if name == "linear":
        return tf.reduce_mean(tf.square(_dense(x, 1, "linear") - y))
    logits = _dense(_FEATURES[name](x), 10, "logits")
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))


def minimize(name: str, loss: tf.Tensor) -> tf.Operation:
    """Makes the operation that performs a step of the workload's optimizer."""
    return _OPTIMIZERS[name]().minimize(loss, global_step=tf.train.get_or_create_global_step())


def _kernel_and_bias(*shape: int) -> tuple[tf.Variable, tf.Variable]:
    kernel = tf.get_variable("kernel", shape)
    return kernel, tf.get_variable("bias", shape[-1:], initializer=tf.zeros_initializer())


def _dense(inputs: tf.Tensor, units: int, name: str, activation: Any = tf.identity) -> tf.Tensor:
    with tf.variable_scope(name):
        kernel, bias = _kernel_and_bias(inputs.shape.as_list()[-1], units)
        return activation(tf.matmul(inputs, kernel) + bias)


def _mlp(x: tf.Tensor) -> tf.Tensor:
    return _dense(_dense(x, 512, "hidden1", tf.nn.relu), 512, "hidden2", tf.nn.relu)


def _conv(x: tf.Tensor, blocks: Sequence[Sequence[int]]) -> tf.Tensor:
    """Stacks blocks of convolutions, given by their numbers of filters, with a pooling after each block."""
    for number, block in enumerate(blocks):
        for index, filters in enumerate(block):
            with tf.variable_scope(f"conv{number}_{index}"):
                kernel, bias = _kernel_and_bias(3, 3, x.shape.as_list()[-1], filters)
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME") + bias)
        x = tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    return tf.reshape(x, [-1, np.prod(x.shape.as_list()[1:])])


def _embedding(x: tf.Tensor) -> tf.Tensor:
    table = tf.get_variable(
        "table", [VOCABULARY, UNITS], initializer=tf.random_uniform_initializer(-0.05, 0.05)
    )
    return tf.reduce_mean(tf.nn.embedding_lookup(table, x), axis=1)


class LSTMCell:
    """Implements an LSTM cell, since `tf.nn.rnn_cell` does not work with Keras 3.

    Args:
        kernel: `float32[inputs + units, 4 * units]`.
        bias: `float32[4 * units]`.
    """

    state_size = (UNITS, UNITS)
    output_size = UNITS

    def __init__(self, kernel: tf.Variable, bias: tf.Variable):
        self._kernel = kernel
        self._bias = bias

    def zero_state(self, batch_size: tf.Tensor, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.zeros([batch_size, UNITS], dtype), tf.zeros([batch_size, UNITS], dtype)

    def __call__(
        self, inputs: tf.Tensor, state: tuple[tf.Tensor, tf.Tensor], scope: Any = None
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        memory, output = state
        gates = tf.matmul(tf.concat([inputs, output], axis=1), self._kernel) + self._bias
        new, enter, keep, leave = tf.split(gates, 4, axis=1)
        memory = memory * tf.sigmoid(keep + 1.0) + tf.sigmoid(enter) * tf.tanh(new)
        output = tf.tanh(memory) * tf.sigmoid(leave)
        return output, (memory, output)


def _lstm(x: tf.Tensor) -> tf.Tensor:
    cell = LSTMCell(*_kernel_and_bias(x.shape.as_list()[-1] + UNITS, 4 * UNITS))
    _, (_, last_output) = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    return last_output


_FEATURES: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "softmax": tf.identity,
    "mlp": _mlp,
    "conv": lambda x: _conv(x, CONV_BLOCKS["conv"]),
    "conv-large": lambda x: _conv(x, CONV_BLOCKS["conv-large"]),
    "embedding": _embedding,
    "lstm": _lstm,
    "feed": tf.identity,
    **dict.fromkeys(PIPELINES, tf.identity),
}

_OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "linear": lambda: tf.train.GradientDescentOptimizer(0.01),
    "softmax": lambda: tf.train.GradientDescentOptimizer(0.1),
    "mlp": lambda: tf.train.AdamOptimizer(0.001),
    "conv": lambda: tf.train.MomentumOptimizer(0.01, 0.9),
    "conv-large": lambda: tf.train.MomentumOptimizer(0.01, 0.9),
    "embedding": lambda: tf.train.GradientDescentOptimizer(0.1),
    "lstm": lambda: tf.train.AdamOptimizer(0.001),
    "feed": lambda: tf.train.GradientDescentOptimizer(0.1),
    **dict.fromkeys(PIPELINES, lambda: tf.train.GradientDescentOptimizer(0.1)),
}
