"""Builds the graphs of `golden/make_golden.py`, and a few more, in any mode of TensorFlow.

Each builder is a function of no arguments that builds in the default graph; `build(name)` gives it a new one.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from helpers import Job

v1 = tf.compat.v1

Parts = tuple[Any, tf.Tensor]
BUILDERS: dict[str, Callable[[], Any]] = {}


def build(name: str, use_resource: bool | None = None) -> Job:
    """Builds the named graph; `use_resource` overrides the kind of variable that the mode would give."""

    def build_parts() -> Any:
        with v1.variable_scope(v1.get_variable_scope(), use_resource=use_resource):
            return BUILDERS[name]()

    return job(build_parts)


def job(build_parts: Callable[[], Any]) -> Job:
    """Makes a job; a function builds its train_op, loss and further fields in the default graph."""
    graph = tf.Graph()
    with graph.as_default():
        train_op, loss, *rest = build_parts()
    return Job(graph, train_op, loss, **(rest[0] if rest else {}))


def builder(function: Callable[[], Any]) -> Callable[[], Any]:
    """Registers a graph under its function's name."""
    BUILDERS[function.__name__] = function
    return function


def rows(n: int = 64, width: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns inputs and noisy linear targets."""
    rng = np.random.RandomState(seed)
    x = rng.randn(n, width).astype("float32")
    y = (x.dot(rng.randn(width, 1)) + 0.1 * rng.randn(n, 1)).astype("float32")
    return x, y


def minimize(optimizer: Any, loss: tf.Tensor) -> tf.Operation:
    """Returns a step of the optimizer, after the update ops, that raises the global step."""
    step = v1.train.get_or_create_global_step()
    with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
        return optimizer.minimize(loss, global_step=step)


def linear_loss(x: Any, y: Any) -> tf.Tensor:
    """Returns the mean squared error of a linear model that starts at zero."""
    w = v1.get_variable("w", [8, 1], initializer=v1.zeros_initializer())
    b = v1.get_variable("b", [1], initializer=v1.zeros_initializer())
    return tf.reduce_mean(tf.square(tf.matmul(x, w) + b - y), name="loss")


def batches(x_in: tf.Tensor, y_in: tf.Tensor) -> Callable[[], dict[tf.Tensor, np.ndarray]]:
    """Returns a feed_fn that goes round the 64 rows, eight at a time."""
    x, y = rows()
    starts = itertools.cycle(range(0, 64, 8))

    def feed_fn() -> dict[tf.Tensor, np.ndarray]:
        at = next(starts)
        return {x_in: x[at : at + 8], y_in: y[at : at + 8]}

    return feed_fn


def note(log: list[str], text: str) -> tf.Operation:
    """Returns an operation that appends `text` to a list in Python whenever it runs."""
    return v1.py_func(lambda: log.append(text), [], [])


def batch_norm(x: tf.Tensor, momentum: float = 0.9) -> tf.Tensor:
    """Normalises rows over the batch; adds the moving averages to the update ops."""
    width = x.shape[-1]
    with v1.variable_scope("batch_norm"):
        scale = v1.get_variable("gamma", [width], initializer=v1.ones_initializer())
        offset = v1.get_variable("beta", [width], initializer=v1.zeros_initializer())
        averages = [
            v1.get_variable("moving_mean", [width], initializer=v1.zeros_initializer(), trainable=False),
            v1.get_variable("moving_variance", [width], initializer=v1.ones_initializer(), trainable=False),
        ]
    images = tf.reshape(x, [-1, 1, 1, width])
    normalised, *moments = v1.nn.fused_batch_norm(images, scale, offset, epsilon=1e-3, is_training=True)
    for average, moment in zip(averages, moments, strict=True):
        update = v1.assign_sub(average, (average.read_value() - moment) * (1 - momentum))
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
    return tf.reshape(normalised, [-1, width])


@contextlib.contextmanager
def control_flow(v2: bool) -> Iterator[None]:
    """Chooses the version of control flow that is built inside."""
    before = v1.control_flow_v2_enabled()
    (v1.enable_control_flow_v2 if v2 else v1.disable_control_flow_v2)()
    try:
        yield
    finally:
        (v1.enable_control_flow_v2 if before else v1.disable_control_flow_v2)()


def moving_averages() -> tf.Operation:
    """Updates the moving averages of all trainable variables.

    Built with functional control flow, their initialisers would read reference variables too early.
    """
    variables = v1.trainable_variables()
    with control_flow(v2=all(hasattr(variable, "handle") for variable in variables)):
        return v1.train.ExponentialMovingAverage(0.9).apply(variables)


class TanhCell:
    """Computes a recurrent cell, with the interface that `dynamic_rnn` needs."""

    def __init__(self, units: int):
        self.output_size = self.state_size = units

    def zero_state(self, batch_size: Any, dtype: tf.DType) -> tf.Tensor:
        return tf.zeros([batch_size, self.state_size], dtype)

    def __call__(self, inputs: tf.Tensor, state: tf.Tensor, scope: Any = None) -> tuple[tf.Tensor, tf.Tensor]:
        with v1.variable_scope(scope or "cell", reuse=v1.AUTO_REUSE):
            kernel = v1.get_variable("kernel", [inputs.shape[-1] + self.state_size, self.output_size])
            output = tf.tanh(tf.matmul(tf.concat([inputs, state], 1), kernel))
        return output, output

    call = __call__


@builder
def linear_sgd() -> Parts:
    x, y = rows()
    loss = linear_loss(tf.constant(x), tf.constant(y))
    v1.summary.scalar("loss_summary", loss)
    return minimize(v1.train.GradientDescentOptimizer(0.05), loss), loss


@builder
def linear_adam() -> Parts:
    x, y = rows()
    loss = linear_loss(tf.constant(x), tf.constant(y))
    return minimize(v1.train.AdamOptimizer(0.05), loss), loss


@builder
def feed_adam() -> Any:
    x_in = v1.placeholder(tf.float32, [None, 8], name="x")
    y_in = v1.placeholder(tf.float32, [None, 1], name="y")
    loss = linear_loss(x_in, y_in)
    return minimize(v1.train.AdamOptimizer(0.05), loss), loss, {"feed_fn": batches(x_in, y_in)}


@builder
def one_shot_dropout() -> Parts:
    v1.set_random_seed(7)
    data = tf.data.Dataset.from_tensor_slices(rows()).repeat().batch(8)
    x_in, y_in = v1.data.make_one_shot_iterator(data).get_next()
    hidden = v1.nn.dropout(tf.reshape(x_in, [-1, 8]), rate=0.3, seed=11)
    loss = linear_loss(hidden, y_in)
    step = v1.train.get_or_create_global_step()
    rate = v1.train.exponential_decay(0.1, step, 4, 0.5, staircase=True)
    return minimize(v1.train.MomentumOptimizer(rate, 0.9), loss), loss


@builder
def queue() -> Parts:
    """Builds a graph with queue runners, whose two epochs are 16 batches."""
    x, y = rows()
    one_x, one_y = v1.train.slice_input_producer(
        [tf.constant(x), tf.constant(y)], num_epochs=2, shuffle=False
    )
    x_in, y_in = v1.train.batch([one_x, one_y], 8)
    loss = linear_loss(x_in, y_in)
    return minimize(v1.train.AdagradOptimizer(0.05), loss), loss


@builder
def recurrent() -> Parts:
    v1.set_random_seed(3)
    x, _ = rows(4 * 6, 3)
    inputs = tf.constant(x.reshape(4, 6, 3))
    outputs, _ = v1.nn.dynamic_rnn(TanhCell(5), inputs, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - 0.5), name="loss")
    return minimize(v1.train.AdamOptimizer(0.05), loss), loss


@builder
def sparse_embedding() -> Parts:
    v1.set_random_seed(5)
    table = v1.get_variable(
        "table",
        [20, 4],
        initializer=v1.random_uniform_initializer(-1, 1, seed=2),
        partitioner=v1.fixed_size_partitioner(3),
    )
    looked_up = v1.nn.embedding_lookup(table, tf.constant([1, 2, 3, 2, 19]))
    w = v1.get_variable("w", [4, 1], initializer=v1.ones_initializer())
    loss = tf.reduce_mean(tf.square(tf.matmul(looked_up, w) - 1.0), name="loss")
    return minimize(v1.train.AdagradOptimizer(0.1), loss), loss


@builder
def batch_norm_ema() -> Parts:
    """Builds a graph with update ops, moving averages and a local variable."""
    x, y = rows()
    loss = linear_loss(batch_norm(tf.constant(x)), tf.constant(y))
    seen = v1.get_variable(
        "seen",
        [],
        initializer=v1.zeros_initializer(),
        trainable=False,
        collections=[v1.GraphKeys.LOCAL_VARIABLES],
    )
    with tf.control_dependencies([minimize(v1.train.RMSPropOptimizer(0.01), loss)]):
        train_op = tf.group(moving_averages(), v1.assign_add(seen, 1.0))
    return train_op, loss


@builder
def lookup_table() -> Parts:
    """Builds a hash table and an initializable iterator, both set up by the table initializers."""
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(["a", "b"], np.array([1.0, 2.0], "float32")), 0.0
    )
    data = tf.data.Dataset.from_tensor_slices(["a", "b", "c", "a"]).repeat().batch(2)
    iterator = v1.data.make_initializable_iterator(data)
    v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    w = v1.get_variable("w", [], initializer=v1.ones_initializer())
    loss = tf.reduce_sum(tf.square(w - table.lookup(iterator.get_next())), name="loss")
    return minimize(v1.train.GradientDescentOptimizer(0.1), loss), loss


@builder
def init_feed() -> Any:
    """Builds a variable that is initialised from a placeholder through init_feed_dict."""
    x, y = rows()
    start = v1.placeholder(tf.float32, [8, 1], name="start")
    use_resource = v1.get_variable_scope().use_resource
    w = v1.Variable(start, name="w", use_resource=use_resource)
    loss = tf.reduce_mean(tf.square(tf.matmul(tf.constant(x), w) - tf.constant(y)), name="loss")
    train_op = minimize(v1.train.GradientDescentOptimizer(0.05), loss)
    return train_op, loss, {"init_feed_dict": {start: np.full([8, 1], 0.25, "float32")}}


@builder
def python_function() -> Parts:
    """Builds a graph whose step calls a stateful Python function."""
    x, y = rows()
    runs = itertools.count()
    noise = v1.py_func(lambda: np.float32(0.01 * next(runs)), [], tf.float32)
    loss = linear_loss(tf.constant(x) + noise, tf.constant(y))
    return minimize(v1.train.FtrlOptimizer(0.05), loss), loss
