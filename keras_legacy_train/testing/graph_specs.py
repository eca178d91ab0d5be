"""Draws small graphs to train."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

v1 = tf.compat.v1

_ROWS, _WIDTH = 24, 3

_OPTIMIZERS: dict[str, Callable[[float], Any]] = {
    "sgd": v1.train.GradientDescentOptimizer,
    "momentum": lambda rate: v1.train.MomentumOptimizer(rate, 0.9),
    "adam": v1.train.AdamOptimizer,
}


@dataclasses.dataclass(frozen=True)
class Job:
    """Holds a graph and the arguments of `train` that belong to it.

    Attributes:
        graph: The graph.
        train_op: An operation that performs a step.
        loss: The loss, a float32 scalar.
        feed_fn: Returns the feeds of the next step; `None` if the graph has no placeholders.
    """

    graph: tf.Graph
    train_op: tf.Operation
    loss: tf.Tensor
    feed_fn: Callable[[], dict[tf.Tensor, np.ndarray]] | None

    def arguments(self) -> dict[str, Any]:
        """Returns the keyword arguments of `train` that belong to the graph."""
        return {
            "graph": self.graph,
            "train_op": self.train_op,
            "loss_op": self.loss,
            "feed_fn": self.feed_fn,
        }


@dataclasses.dataclass(frozen=True)
class GraphSpec:
    """Describes a graph with a linear model. `build` makes the same graph, with the same data, each time.

    Attributes:
        input: `"constant"`, `"iterator"` or `"feed"`.
        optimizer: `"sgd"`, `"momentum"` or `"adam"`.
        use_resource: Whether the variables are resource variables. If not, they are reference variables, as
            TensorFlow 1 had them.
        dropout: Whether half of the inputs are dropped at random.
        batch_size: Number of rows in a batch.
        seed: Seed of the data and of random ops.
    """

    input: str = "constant"
    optimizer: str = "sgd"
    use_resource: bool = True
    dropout: bool = False
    batch_size: int = 8
    seed: int = 1

    def build(self) -> Job:
        """Builds the graph."""
        with tf.Graph().as_default() as graph:
            v1.set_random_seed(self.seed)
            x, y, feed_fn = self._batches()
            if self.dropout:
                x = tf.nn.dropout(x, rate=0.5, seed=self.seed)
            with v1.variable_scope("model", use_resource=self.use_resource):
                w = v1.get_variable("w", [_WIDTH, 1], initializer=v1.zeros_initializer())
                step = v1.get_variable(
                    "global_step",
                    [],
                    tf.int64,
                    initializer=v1.zeros_initializer(),
                    trainable=False,
                    collections=[v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.GLOBAL_STEP],
                )
            loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y), name="loss")
            train_op = _OPTIMIZERS[self.optimizer](0.05).minimize(loss, global_step=step)
            return Job(graph, train_op, loss, feed_fn)

    def _batches(self) -> tuple[tf.Tensor, tf.Tensor, Callable[[], dict[tf.Tensor, np.ndarray]] | None]:
        rng = np.random.RandomState(self.seed)
        x = rng.randn(_ROWS, _WIDTH).astype(np.float32)
        y = x.sum(axis=1, keepdims=True)
        if self.input == "constant":
            return tf.constant(x[: self.batch_size]), tf.constant(y[: self.batch_size]), None
        if self.input == "iterator":
            dataset = tf.data.Dataset.from_tensor_slices((x, y)).repeat().batch(self.batch_size)
            return *v1.data.make_one_shot_iterator(dataset).get_next(), None
        x_in = v1.placeholder(tf.float32, [None, _WIDTH])
        y_in = v1.placeholder(tf.float32, [None, 1])

        def feeds() -> Iterator[dict[tf.Tensor, np.ndarray]]:
            while True:
                for start in range(0, _ROWS, self.batch_size):
                    rows = slice(start, start + self.batch_size)
                    yield {x_in: x[rows], y_in: y[rows]}

        return x_in, y_in, feeds().__next__


def graph_specs() -> st.SearchStrategy[GraphSpec]:
    """Draws small graphs with different inputs, optimizers and kinds of variables."""
    return st.builds(
        GraphSpec,
        input=st.sampled_from(["constant", "iterator", "feed"]),
        optimizer=st.sampled_from(list(_OPTIMIZERS)),
        use_resource=st.booleans(),
        dropout=st.booleans(),
        batch_size=st.integers(1, 8),
        seed=st.integers(0, 1000),
    )
