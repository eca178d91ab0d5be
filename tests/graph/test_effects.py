"""Tells which operations a part of a graph runs: those with an effect, and not what only computes a value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import function

from graphs import control_flow
from keras_legacy_train import evaluate
from keras_legacy_train.graph.lifted import LiftedGraph

v1 = tf.compat.v1


@pytest.mark.usefixtures("variable_kind")
def test_the_value_of_an_update_op_is_not_computed() -> None:
    with tf.Graph().as_default() as graph:
        _, update_op = v1.metrics.mean(tf.constant([1.0, 2.0]))
    operation = LiftedGraph(graph).part((), (), [update_op.op.name])
    assert "AssignAddVariableOp" in operation.op_types()
    assert "DivNoNan" not in operation.op_types()
    fetch = LiftedGraph(graph).part((), [update_op.name])
    assert "DivNoNan" in fetch.op_types()


def test_what_is_fed_and_fetched_is_as_without() -> None:
    with tf.Graph().as_default() as graph:
        count = v1.get_variable("count", [], initializer=tf.zeros_initializer(), use_resource=True)
        number = v1.placeholder_with_default(1.0, [])
        with tf.control_dependencies([count.assign_add(number)]):
            update_op = tf.identity(count.read_value(), name="update")
    lifted = LiftedGraph(graph)
    part = lifted.part([number.name], ["count:0"], [update_op.op.name])
    assert list(part.operations) == ["AssignAddVariableOp"]
    function = lifted.function([number.name], ["count:0"], [update_op.op.name])
    with lifted.eager_mode():
        lifted.variables["count"].assign(1.0)
        assert function([tf.constant(2.0)])[0].numpy() == 3.0


def test_what_waits_for_a_fed_placeholder_runs(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        v1.train.create_global_step()
        count = v1.get_variable("count", [], initializer=tf.zeros_initializer())
        number = v1.placeholder(tf.float32, [])
        update_op = tf.group(count.assign_add(1.0), number)
    options = {"feed_fn": lambda: {number: 5.0}, "max_steps": 20}
    results, _ = evaluate(graph, tmp_path, None, {"count": count}, update_op, **options)
    assert results["count"] == 20.0


def _in_a_branch(count: Any) -> tf.Tensor:
    return tf.cond(count < 9.0, lambda: count.assign_add(1.0), lambda: count.assign_add(9.0))


def _in_a_loop(count: Any) -> tf.Tensor:
    return tf.while_loop(
        lambda turn: turn < 1, lambda turn: turn + tf.cast(count.assign_add(1.0), tf.int32), [0]
    )


def _in_a_function(count: Any) -> tf.Tensor:
    return tf.function(lambda: count.assign_add(1.0))()


def _in_a_defun(count: Any) -> tf.Tensor:
    @function.Defun(tf.resource)
    def add(handle: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([tf.raw_ops.AssignAddVariableOp(resource=handle, value=1.0)]):
            return tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32)

    return add(count.handle)


@pytest.mark.parametrize("update", [_in_a_branch, _in_a_loop, _in_a_function, _in_a_defun])
def test_what_a_function_does_is_done(update: Callable[[Any], tf.Tensor], tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, control_flow(v2=True):
        v1.train.create_global_step()
        count = v1.get_variable("count", [], initializer=tf.zeros_initializer(), use_resource=True)
        update_op = tf.identity(update(count))
    results, _ = evaluate(graph, tmp_path, None, {"count": count}, update_op, max_steps=5)
    assert results["count"] == 5.0


@pytest.mark.parametrize("taken", [True, False])
def test_a_branch_that_is_not_taken_is_told(taken: bool, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        v1.train.create_global_step()
        number = v1.placeholder_with_default(3.0, [])
        update_op = tf.identity(tf.raw_ops.Switch(data=number, pred=taken).output_true)
    if taken:
        results, _ = evaluate(graph, tmp_path, None, {"number": number}, update_op, max_steps=20)
        np.testing.assert_array_equal(results["number"], 3.0)
    else:
        with pytest.raises(RuntimeError, match="was not run"):
            evaluate(graph, tmp_path, None, {"number": number}, update_op, max_steps=20)
