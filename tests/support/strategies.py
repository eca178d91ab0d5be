"""Draws small random graphs for property tests: `build` always makes the same graph of a `Spec`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

import graphs
from helpers import Job

v1 = tf.compat.v1

BATCH = 8
WIDTH = 8

Layer = Callable[[tf.Tensor, tf.Tensor, "Spec"], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Spec:
    """Describes a graph.

    Attributes:
        input: Where batches come from, a key of `INPUTS`.
        layers: Keys of `LAYERS`, from the input on.
        optimizer: A key of `OPTIMIZERS`.
        use_resource: Whether variables are resources; otherwise references.
        control_flow_v2: Whether `tf.cond` and `tf.while_loop` make functional control flow.
        seed: Of the graph; 0 and up.
        decayed: Whether the learning rate falls with the global step.
        averaged: Whether moving averages of the trainable variables are kept.
        counted: Whether a local variable counts the steps.
        metric: Whether a streaming metric of the loss is kept.
        step_by: How much a step raises the global step.
    """

    input: str = "constant"
    layers: tuple[str, ...] = ("dense",)
    optimizer: str = "sgd"
    use_resource: bool = True
    control_flow_v2: bool = True
    seed: int = 1
    decayed: bool = False
    averaged: bool = False
    counted: bool = False
    metric: bool = False
    step_by: int = 1


# Sources of batches: each returns x, y and the feed_fn, if there is one.


def _constant() -> Any:
    x, y = graphs.rows(BATCH)
    return tf.constant(x), tf.constant(y), None


def _feed() -> Any:
    x_in = v1.placeholder(tf.float32, [BATCH, WIDTH], name="x")
    y_in = v1.placeholder(tf.float32, [BATCH, 1], name="y")
    return x_in, y_in, graphs.batches(x_in, y_in)


def _dataset() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(graphs.rows()).repeat().batch(BATCH, drop_remainder=True)


def _one_shot() -> Any:
    return *v1.data.make_one_shot_iterator(_dataset()).get_next(), None


def _shuffled() -> Any:
    return *v1.data.make_one_shot_iterator(_dataset().shuffle(4, seed=3)).get_next(), None


def _initializable() -> Any:
    iterator = v1.data.make_initializable_iterator(_dataset())
    v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    return *iterator.get_next(), None


def _queue() -> Any:
    x, y = graphs.rows()
    one = v1.train.slice_input_producer([tf.constant(x), tf.constant(y)], shuffle=False)
    return *v1.train.batch(one, BATCH), None


INPUTS: dict[str, Callable[[], Any]] = {
    "constant": _constant,
    "feed": _feed,
    "one-shot iterator": _one_shot,
    "shuffled iterator": _shuffled,
    "initializable iterator": _initializable,
    "queue": _queue,
}

# Layers take what is below them, the input and the spec; what they return is as wide as what they took.


def _weights(name: str, shape: list[int], **options: Any) -> Any:
    initializer = v1.random_uniform_initializer(-0.5, 0.5, seed=len(name))
    return v1.get_variable(name, shape, initializer=initializer, **options)


def _dense(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    bias = v1.get_variable("bias", [WIDTH], initializer=v1.zeros_initializer())
    return tf.tanh(tf.matmul(h, _weights("kernel", [WIDTH, WIDTH])) + bias)


def _ids(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.abs(x[:, 0]) * 4, tf.int32) % 10


def _embedding(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    return h + v1.nn.embedding_lookup(_weights("table", [10, WIDTH]), _ids(x))


def _partitioned_embedding(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    table = _weights("table", [10, WIDTH], partitioner=v1.fixed_size_partitioner(3))
    return h + v1.nn.embedding_lookup(table, _ids(x))


def _convolution(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    images = tf.reshape(h, [BATCH, 2, 4, 1])
    convolved = v1.nn.conv2d(images, _weights("filter", [2, 2, 1, 1]), strides=[1, 1, 1, 1], padding="SAME")
    return tf.reshape(tf.nn.relu(convolved), [BATCH, WIDTH])


def _batch_norm(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    return graphs.batch_norm(h)


def _dropout(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    return v1.nn.dropout(h, rate=0.3, seed=spec.seed + 5)


def _cond(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    kernel = _weights("kernel", [WIDTH, WIDTH])
    return tf.cond(tf.reduce_sum(x) > 0, lambda: tf.matmul(h, kernel), lambda: tf.tanh(h) * 2)


def _cond_on_step(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    step = v1.train.get_or_create_global_step()
    is_early = tf.identity(step) < 3
    return tf.cond(is_early, lambda: tf.tanh(h), lambda: h * 0.5)


def _while(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    kernel = _weights("kernel", [WIDTH, WIDTH])
    return tf.while_loop(
        lambda i, h: i < 3, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, kernel))), [tf.constant(0), h]
    )[1]


def _python_function(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    sines = v1.py_func(lambda x: np.sin(x, dtype=np.float32), [x], tf.float32)
    return h + 0.1 * tf.ensure_shape(sines, [BATCH, WIDTH])


def _noise(draw: Callable[[Spec], tf.Tensor]) -> Layer:
    """Makes a layer that adds a little of what `draw` returns: numbers of any dtype, a vector or a matrix."""

    def layer(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
        return h + 0.1 * tf.cast(tf.reshape(draw(spec), [BATCH, -1]), tf.float32)

    return layer


def _shuffle(h: tf.Tensor, x: tf.Tensor, spec: Spec) -> tf.Tensor:
    return h + 0.1 * tf.gather(h, v1.random_shuffle(tf.range(BATCH), seed=spec.seed))


def _sampled(spec: Spec) -> tf.Tensor:
    classes = tf.zeros([1, 1], tf.int64)
    return v1.nn.log_uniform_candidate_sampler(classes, 1, BATCH, True, 20, seed=spec.seed)[0]


_SHAPE = [BATCH, WIDTH]

RANDOM_LAYERS: dict[str, Layer] = {
    "dropout": _dropout,
    "uniform": _noise(lambda spec: v1.random_uniform(_SHAPE, seed=spec.seed)),
    "normal": _noise(lambda spec: v1.random_normal(_SHAPE, seed=spec.seed)),
    "truncated normal": _noise(lambda spec: v1.truncated_normal(_SHAPE, seed=spec.seed)),
    "uniform int": _noise(lambda spec: v1.random_uniform([BATCH], 0, 9, tf.int32, seed=spec.seed)),
    "multinomial": _noise(lambda spec: v1.multinomial(tf.zeros([1, 5]), BATCH, seed=spec.seed)),
    "gamma": _noise(lambda spec: v1.random_gamma([BATCH], 2.0, seed=spec.seed)),
    "log-uniform sampler": _noise(_sampled),
    "random shuffle": _shuffle,
}

LAYERS: dict[str, Layer] = {
    "dense": _dense,
    "embedding": _embedding,
    "partitioned embedding": _partitioned_embedding,
    "convolution": _convolution,
    "batch norm": _batch_norm,
    "cond": _cond,
    "cond on step": _cond_on_step,
    "while": _while,
    "python function": _python_function,
    **RANDOM_LAYERS,
}

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda rate: v1.train.GradientDescentOptimizer(rate),
    "momentum": lambda rate: v1.train.MomentumOptimizer(rate, 0.9),
    "adam": lambda rate: v1.train.AdamOptimizer(rate, epsilon=1e-4),
    "adagrad": lambda rate: v1.train.AdagradOptimizer(rate),
    "rmsprop": lambda rate: v1.train.RMSPropOptimizer(rate, epsilon=1e-4),
    "ftrl": lambda rate: v1.train.FtrlOptimizer(rate),
    "adadelta": lambda rate: v1.train.AdadeltaOptimizer(rate),
}


def specs(inputs: list[str] | None = None, layers: list[str] | None = None) -> st.SearchStrategy[Spec]:
    """Draws specs; `inputs` and `layers` restrict what they are composed of."""
    return st.builds(
        Spec,
        input=st.sampled_from(inputs or list(INPUTS)),
        layers=st.lists(st.sampled_from(layers or list(LAYERS)), min_size=1, max_size=4).map(tuple),
        optimizer=st.sampled_from(list(OPTIMIZERS)),
        use_resource=st.booleans(),
        control_flow_v2=st.booleans(),
        seed=st.integers(0, 1000),
        decayed=st.booleans(),
        averaged=st.booleans(),
        counted=st.booleans(),
        metric=st.booleans(),
        step_by=st.sampled_from([1, 1, 2]),
    ).filter(_runs_in_a_session)


def _runs_in_a_session(spec: Spec) -> bool:
    """Returns whether a Session runs it. It runs no step if update ops come before a loop, all of TF 1."""
    if spec.use_resource or spec.control_flow_v2 or "batch norm" not in spec.layers:
        return True
    return "while" not in spec.layers[spec.layers.index("batch norm") :]


def build(spec: Spec) -> tuple[Job, list[tf.Tensor]]:
    """Builds the graph of a spec. Also returns tensors to watch at every step, besides the loss."""
    watched: list[tf.Tensor] = []

    def build_parts() -> Any:
        v1.set_random_seed(spec.seed)
        with v1.variable_scope(v1.get_variable_scope(), use_resource=spec.use_resource):
            x, y, feed_fn = INPUTS[spec.input]()
            h = x
            for number, layer in enumerate(spec.layers):
                with v1.variable_scope(f"layer{number}"):
                    h = LAYERS[layer](h, x, spec)
            loss = tf.reduce_mean(tf.square(tf.matmul(h, _weights("out", [WIDTH, 1])) - y), name="loss")
            train_op = _train_op(loss, spec, watched)
        return train_op, loss, {"feed_fn": feed_fn}

    with graphs.control_flow(spec.control_flow_v2):
        return graphs.job(build_parts), watched


def _train_op(loss: tf.Tensor, spec: Spec, watched: list[tf.Tensor]) -> tf.Operation:
    step = v1.train.get_or_create_global_step()
    rate = v1.train.exponential_decay(0.05, step, 2, 0.8) if spec.decayed else 0.05
    train_op = graphs.minimize(OPTIMIZERS[spec.optimizer](rate), loss)
    updates = []
    with tf.control_dependencies([train_op]):
        if spec.step_by > 1:
            updates.append(v1.assign_add(step, spec.step_by - 1).op)
        if spec.averaged:
            updates.append(graphs.moving_averages())
    if spec.counted:
        count = v1.get_variable(
            "count",
            [],
            initializer=v1.zeros_initializer(),
            trainable=False,
            collections=[v1.GraphKeys.LOCAL_VARIABLES],
        )
        watched.append(tf.identity(v1.assign_add(count, 1.0)))
    if spec.metric:
        watched.append(tf.identity(v1.metrics.mean(loss)[1]))
    return tf.group(train_op, *updates, *watched)
