"""Redundant control inputs are dropped, the others stay."""

import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession

v1 = tf.compat.v1


def _controls(graph: tf.Graph, fetch: tf.Tensor) -> dict[str, list[str]]:
    """Returns the control inputs of each node that a tensor needs."""
    nodes = LiftedGraph(graph).part((), [fetch.name]).graph_def.node
    return {node.name: [text[1:] for text in node.input if text.startswith("^")] for node in nodes}


def test_nothing_waits_for_what_has_no_effect():
    with tf.Graph().as_default() as graph:
        wait = tf.no_op("wait")
        with tf.control_dependencies([tf.constant(1.0, name="one") + 1.0, wait]):
            fetch = tf.identity(tf.constant(2.0, name="two"), name="fetch")
    assert _controls(graph, fetch) == {"two": [], "fetch": []}


def test_what_has_an_effect_is_waited_for_once():
    with tf.Graph().as_default() as graph:
        two, drawn = tf.constant(2.0), v1.random_uniform([], name="draw")
        with tf.control_dependencies([drawn]):
            first = tf.identity(two, name="first")
        with tf.control_dependencies([first, drawn]):
            fetch = tf.identity(first, name="fetch")
    controls = _controls(graph, fetch)
    assert [name for name in controls["first"] if "draw" in name]
    assert controls["fetch"] == []


def test_a_check_is_waited_for():
    with tf.Graph().as_default() as graph:
        two = tf.constant(2.0)
        with tf.control_dependencies([v1.check_numerics(tf.constant(np.nan), "bad", name="check")]):
            fetch = tf.identity(two, name="fetch")
    assert _controls(graph, fetch)["fetch"] == ["check"]


def test_an_update_is_waited_for():
    with tf.Graph().as_default() as graph:
        variable = v1.get_variable("v", [], initializer=v1.zeros_initializer())
        update = v1.assign_add(variable, 1.0)
        with tf.control_dependencies([update.op if isinstance(update, tf.Tensor) else update]):
            fetch = variable.read_value()
        session = GraphSession(LiftedGraph(graph))
        session.run(v1.global_variables_initializer())
        assert session.run(fetch) == 1.0
        assert session.run([fetch, update])[0] == 2.0


def test_a_variable_that_only_idle_nodes_read_need_not_be_there():
    with tf.Graph().as_default() as graph:
        variable = v1.get_variable("v", [])
        with tf.control_dependencies([variable.read_value()]):
            fetch = tf.constant(3.0)
        assert GraphSession(LiftedGraph(graph)).run(fetch) == 3.0


def test_what_a_branch_waits_for_is_left_alone():
    with tf.Graph().as_default() as graph:
        _, on = v1.raw_ops.Switch(data=1.0, pred=False)
        with tf.control_dependencies([tf.constant(1.0, name="one")]):
            fetch = tf.identity(on, name="fetch")
    assert _controls(graph, fetch)["fetch"] == ["one"]
