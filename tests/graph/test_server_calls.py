"""Steps that call servers for what they do there. The server is this process here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.rewriting import server_calls
from keras_legacy_train.graph.rewriting.devices import LocalDevices
from keras_legacy_train.programs.graph_windows import GraphWindows

v1 = tf.compat.v1

Step = tuple[tf.Operation, tf.Tensor]


class ServerHere(LocalDevices):
    """Holds the variables of job `ps` in this process, as ones that others share."""

    def of_variable(self, device: str) -> tuple[str | None, bool]:
        is_shared = tf.DeviceSpec.from_string(device).job == "ps"
        return ("/job:localhost/replica:0/task:0/device:CPU:0", True) if is_shared else (None, False)

    def _translate(self, device: str) -> str:
        return ""


def network(use_resource: bool = True, width: int = 4) -> tf.Tensor:
    """Returns the loss of two layers, with a penalty."""
    x = outputs = tf.random.uniform([8, width], seed=1)
    for number in range(2):
        values = v1.constant_initializer(np.linspace(-1, 1, width * width).reshape(width, width))
        weights = v1.get_variable(f"w{number}", [width, width], initializer=values, use_resource=use_resource)
        outputs = tf.tanh(outputs @ weights)
    errors = outputs - tf.reduce_sum(x, 1, keepdims=True)
    return tf.reduce_mean(tf.square(errors)) + 0.01 * tf.nn.l2_loss(weights)


def sgd(use_resource: bool) -> Step:
    loss, step = network(use_resource), v1.train.get_or_create_global_step()
    return v1.train.GradientDescentOptimizer(0.1).minimize(loss, step), loss


def decayed_momentum(use_resource: bool) -> Step:
    loss, step = network(use_resource), v1.train.get_or_create_global_step()
    rate = v1.train.exponential_decay(0.1, step, 2, 0.5)
    return v1.train.MomentumOptimizer(rate, 0.9).minimize(loss, step), loss


def adam(use_resource: bool) -> Step:
    loss, step = network(use_resource), v1.train.get_or_create_global_step()
    return v1.train.AdamOptimizer(0.01).minimize(loss, step), loss


def averaged(use_resource: bool) -> Step:
    train_op, loss = sgd(use_resource)
    average = v1.train.ExponentialMovingAverage(0.9, v1.train.get_global_step())
    with tf.control_dependencies([train_op]):
        return average.apply(v1.trainable_variables()), loss


def counted_here(use_resource: bool) -> Step:
    train_op, loss = sgd(use_resource)
    with v1.device("/job:worker"):
        own = v1.get_variable("own", [], tf.int64, v1.zeros_initializer())
    with tf.control_dependencies([train_op]):
        return own.assign_add(1).op, loss


def by_rows(use_resource: bool) -> Step:
    step = v1.train.get_or_create_global_step()
    table = v1.get_variable("table", [50, 3], initializer=v1.ones_initializer(), use_resource=True)
    rows = tf.nn.embedding_lookup(table, tf.random.uniform([4], 0, 50, tf.int32, seed=1))
    loss = tf.reduce_sum(tf.square(rows))
    return v1.train.GradientDescentOptimizer(0.1).minimize(loss, step), loss


def reads_between_updates(use_resource: bool) -> Step:
    step = v1.train.get_or_create_global_step()
    w = v1.get_variable("w", [], initializer=v1.ones_initializer(), use_resource=True)
    loss = w.read_value() * 1.5
    with tf.control_dependencies([w.assign_add(loss, read_value=False)]):
        middle = w.read_value() + tf.random.uniform([], seed=1)
    with tf.control_dependencies([w.assign(middle * loss, read_value=False)]):
        return step.assign_add(1, read_value=False), loss


@contextlib.contextmanager
def lifted_graph(
    build: Callable[[], Step], devices: LocalDevices
) -> Iterator[tuple[LiftedGraph, str, tf.Tensor]]:
    """Lifts a graph, with values; yields it, the name of its train_op and its loss."""
    with tf.Graph().as_default() as graph, v1.device(v1.train.replica_device_setter(1)):
        train_op, loss = build()
        inits = [v1.variables_initializer(v1.trainable_variables()), v1.global_variables_initializer()]
    lifted = LiftedGraph(graph, devices)
    with lifted.eager_mode():
        for init in inits:  # averages begin with the values of others
            lifted.function((), (), [init.name])(())
        yield lifted, train_op.name, loss
        for variable in lifted.shared_variables().values():
            variable.delete_from_server()


def trained(build: Callable[[], Step], devices: LocalDevices) -> tuple[dict[str, np.ndarray], int | None]:
    """Runs two windows; returns what they have computed, and how many calls a step makes."""
    with lifted_graph(build, devices) as (lifted, train_op, loss):
        windows = GraphWindows(lifted, [train_op], loss, "global_step", tf.math.is_nan, False)
        values = {}
        for number, (start, end) in enumerate([(0, 3), (3, 5)]):
            steps, losses, error = windows.run(start, end, end - start, {})
            assert error is None
            values.update({f"steps{number}": steps, f"losses{number}": losses})
        values.update({name: variable.numpy() for name, variable in lifted.variables.items()})
        calls = lifted.server_calls(lifted.part((), ["global_step:0", loss.name], [train_op]))
        return values, None if calls is None else calls.number


@pytest.mark.parametrize(
    ("build", "use_resource", "calls"),
    [
        (sgd, True, 1),
        (decayed_momentum, True, 1),
        (decayed_momentum, False, 1),
        (adam, True, 1),
        (adam, False, 1),
        (averaged, False, 1),
        (counted_here, True, 1),
        (by_rows, True, 2),
        (reads_between_updates, True, 2),
    ],
)
def test_a_step_that_calls_computes_the_same_bit_by_bit(build, use_resource: bool, calls: int) -> None:
    expected, no_calls = trained(lambda: build(use_resource), LocalDevices())
    values, number = trained(lambda: build(use_resource), ServerHere())
    assert (no_calls, number) == (None, calls)
    assert expected["steps1"].tolist() == [4, 5]
    for name, value in expected.items():
        np.testing.assert_array_equal(values[name], value, name)


def test_a_window_reads_what_others_have_changed_since_the_last() -> None:
    with lifted_graph(lambda: sgd(True), ServerHere()) as (lifted, train_op, loss):
        windows = GraphWindows(lifted, [train_op], loss, "global_step", tf.math.is_nan, False)
        windows.run(0, 2, 100, {})
        lifted.variable("global_step").assign(10)
        lifted.variable("w0").assign(tf.fill([4, 4], np.nan))
        steps, losses, _ = windows.run(10, 20, 100, {})
    assert steps.tolist() == [11]
    assert np.isnan(losses[0])


def large() -> Step:
    loss, step = network(width=640), v1.train.get_or_create_global_step()
    return v1.train.GradientDescentOptimizer(0.1).minimize(loss, step), loss


def branching() -> Step:
    loss, step = network(), v1.train.get_or_create_global_step()
    scale = v1.get_variable("scale", [])
    loss = v1.cond(loss > 0, lambda: loss * scale.read_value(), lambda: loss)
    return v1.train.GradientDescentOptimizer(0.1).minimize(loss, step), loss


def of_unknown_size() -> Step:
    step = v1.train.get_or_create_global_step()
    table = v1.get_variable("table", [50, 3])
    ids = tf.where(tf.random.uniform([50]) > 0.5)[:, 0]
    loss = tf.reduce_sum(tf.nn.embedding_lookup(table, ids))
    return v1.train.GradientDescentOptimizer(0.1).minimize(loss, step), loss


@pytest.mark.parametrize("build", [large, branching, of_unknown_size])
def test_what_is_large_or_not_known_beforehand_is_not_called(build) -> None:
    with lifted_graph(build, ServerHere()) as (lifted, train_op, loss):
        assert lifted.server_calls(lifted.part((), [loss.name], [train_op])) is None
    assert server_calls.LARGEST_EXCHANGE < 2 * 2 * 640 * 640 * 4


def test_names_of_the_graph_are_not_taken_for_calls() -> None:
    def named() -> Step:
        train_op, loss = sgd(True)
        return train_op, tf.identity(loss, name="server_call_0")

    expected, _ = trained(named, LocalDevices())
    values, number = trained(named, ServerHere())
    assert number == 1
    np.testing.assert_array_equal(values["losses1"], expected["losses1"])


def stacked() -> Step:
    """Reads parts of a variable by an op of many outputs, and one that is not trained."""
    step = v1.train.get_or_create_global_step()
    table = v1.get_variable("table", [6, 3], initializer=v1.ones_initializer(), use_resource=True)
    first, *_, last = tf.split(table.read_value(), 3)
    loss = tf.reduce_sum(tf.square(first)) + tf.reduce_sum(tf.unstack(last)[1])
    return v1.train.GradientDescentOptimizer(0.1).minimize(loss, step), loss


def test_ops_of_many_outputs_are_computed_the_same() -> None:
    expected, _ = trained(stacked, LocalDevices())
    values, _ = trained(stacked, ServerHere())
    for name, value in expected.items():
        np.testing.assert_array_equal(values[name], value, name)
