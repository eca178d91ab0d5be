"""A variable that is given by its name, or by its handle, is its value, of whatever kind the variable is."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import Recorder
from keras_legacy_train import GraphModel, evaluate, framework, infer, run_feeds, train
from keras_legacy_train.graph.elements import graph_element
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.outputs import NamedOutputs

v1 = tf.compat.v1
MAKERS = {
    "reference": functools.partial(v1.Variable, use_resource=False),
    "resource": functools.partial(v1.Variable, use_resource=True),
    "of_tf2": tf.Variable,
}


@pytest.fixture(params=MAKERS)
def graph(request: pytest.FixtureRequest) -> tf.Graph:
    """A script of 2016: the global step is a plain variable of that name, in no collection for it."""
    variable = MAKERS[request.param]
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None], name="x")
        step = variable(0, name="global_step", trainable=False)
        w = variable([1.0, 2.0], name="w")
        scale = variable(3.0, name="scale", trainable=False)
        y = tf.add(x * w[0], scale, name="y")
        loss = tf.reduce_mean(tf.square(y - 4.0), name="loss")
        v1.train.GradientDescentOptimizer(0.01).minimize(loss, step, [w], name="train")
    return graph


def feed() -> dict[str, Any]:
    return {"x:0": [1.0, 2.0]}


def handle(graph: tf.Graph, name: str) -> tf.Tensor:
    return graph.get_tensor_by_name(name)


def test_bare_global_step_counts(graph: tf.Graph, tmp_path: Path) -> None:
    recorder = Recorder("global_step:0", "w:0", "w", handle(graph, "w:0"))
    train(graph, tmp_path, "train", "loss", feed_fn=feed, steps=3, monitors=[recorder])
    assert recorder.values("global_step:0") == [1, 2, 3]
    weights = [w[0] for w in recorder.values("w:0")]
    assert weights[0] == pytest.approx(0.98) and weights == sorted(weights, reverse=True)
    for same in ("w", handle(graph, "w:0")):
        np.testing.assert_array_equal(recorder.values(same), recorder.values("w:0"))

    results, step = evaluate(
        graph, tmp_path / "eval", tmp_path, {"w": "w:0", "step": "global_step:0"}, feed_fn=feed, max_steps=1
    )
    assert step == results["step"] == 3
    np.testing.assert_array_equal(results["w"], recorder.values("w:0")[-1])
    outputs = infer(tmp_path, {"w": handle(graph, "w:0"), "y": handle(graph, "y:0")}, {"x:0": [0.0]})
    np.testing.assert_array_equal(outputs["w"], results["w"])


@pytest.mark.parametrize("given", ["global_step:0", "global_step", handle], ids=["tensor", "op", "handle"])
def test_global_step_is_given(graph: tf.Graph, given: Any, tmp_path: Path) -> None:
    given = given if isinstance(given, str) else given(graph, "global_step:0")
    train(graph, tmp_path, "train", "loss", global_step_tensor=given, feed_fn=feed, steps=2)
    assert v1.train.load_checkpoint(str(tmp_path)).get_tensor("global_step") == 2


def test_hooks_of_tensorflow_find_it(graph: tf.Graph, tmp_path: Path) -> None:
    hooks = [v1.train.StopAtStepHook(last_step=2), v1.train.StepCounterHook(1, output_dir=str(tmp_path))]
    train(graph, tmp_path, "train", "loss", feed_fn=feed, steps=5, monitors=hooks)
    assert v1.train.load_checkpoint(str(tmp_path)).get_tensor("global_step") == 2


def test_framework_finds_it(graph: tf.Graph) -> None:
    with graph.as_default():
        step = framework.get_global_step()
        assert step.name == "global_step:0" and step.dtype.base_dtype == tf.int32
        given = handle(graph, "global_step:0")
        for found in (
            framework.get_or_create_global_step(),
            framework.assert_or_get_global_step(),
            framework.assert_or_get_global_step(global_step_tensor=given),
        ):
            assert found is step
        framework.assert_global_step(given)
        with pytest.raises(ValueError, match="already exists"):
            framework.create_global_step()
        with pytest.raises(TypeError, match="does not have integer type: <dtype: 'float32"):
            framework.assert_global_step(handle(graph, "scale:0"))


@pytest.mark.parametrize("watched", [False, True])
def test_loss_is_a_variable(graph: tf.Graph, watched: bool, tmp_path: Path) -> None:
    monitors = [Recorder("scale")] if watched else None
    loss = train(graph, tmp_path, "train", "scale:0", feed_fn=feed, steps=2, monitors=monitors)
    assert loss == 3.0
    with pytest.raises(ValueError, match=r"'w:0' has shape \(2,\)"):
        train(graph, tmp_path, "train", "w:0", feed_fn=feed, steps=2)


@pytest.mark.parametrize("key", ["w:0", "w", "handle", "variable"])
def test_all_that_reads_a_fed_variable_gets_the_value(graph: tf.Graph, key: str) -> None:
    variables = {variable.op.name: variable for variable in graph.get_collection("variables")}
    fed = {"handle": handle(graph, "w:0"), "variable": variables["w"]}.get(key, key)
    with graph.as_default():
        session = GraphSession(LiftedGraph(graph))
        session.run([variable.initializer for variable in variables.values()])
        call = session.make_callable(["y:0", "w:0", "train"], [fed, "x:0"])
        y, w, _ = call([5.0, 6.0], [1.0])
    np.testing.assert_array_equal(y, [8.0])
    np.testing.assert_array_equal(w, [5.0, 6.0])
    # What updates it updates the variable, from its own value, by the gradient at the fed one: 2 * (8 - 4).
    np.testing.assert_allclose(session.run("w:0"), [1.0 - 0.01 * 8, 2.0])


def test_feed_dicts_of_all_kinds(graph: tf.Graph, tmp_path: Path) -> None:
    feeds = [{"x:0": [1.0], "scale:0": 3.0}, {"x:0": [1.0], handle(graph, "scale:0"): 7.0}]
    outputs = run_feeds({"y": handle(graph, "y:0")}, feeds)
    assert [float(each["y"][0]) for each in outputs] == [4.0, 8.0]

    loss = train(
        graph,
        tmp_path,
        "train",
        "loss",
        init_feed_dict={"scale:0": 0.0},
        feed_fn=lambda: {"x:0": [0.0], "scale": 6.0},
        steps=2,
    )
    assert loss == 4.0
    assert v1.train.load_checkpoint(str(tmp_path)).get_tensor("scale") == 3.0


def test_wrong_value_for_a_variable(graph: tf.Graph) -> None:
    with pytest.raises(ValueError, match=r"w:0 takes shape \(2,\) and dtype float32"):
        infer(None, {"y": handle(graph, "y:0")}, {"x:0": [1.0], "w:0": [1.0, 2.0, 3.0]})


def test_variable_that_a_branch_reads_cannot_be_fed() -> None:
    with tf.Graph().as_default():
        w = v1.get_variable("w", [], initializer=v1.ones_initializer(), use_resource=True)
        branch = v1.placeholder(tf.bool, [])
        out = tf.cond(branch, lambda: w * 2.0, lambda: tf.constant(0.0))
    with pytest.raises(ValueError, match=r"The variable 'w:0' cannot be fed: '.*cond"):
        infer(None, {"out": out}, {branch: True, "w:0": 5.0})


def test_graph_model_takes_it(graph: tf.Graph) -> None:
    model = GraphModel(graph, inputs="x", outputs="w:0", train_op="train", loss="loss:0")
    assert model.optimizer.iterations.name == "global_step"
    np.testing.assert_array_equal(model.predict(np.ones([2], "float32"), verbose=0), [1.0, 2.0])


def test_a_variable_that_nobody_reads_is_read_by_its_name() -> None:
    with tf.Graph().as_default() as graph:
        bare = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[2], shared_name="bare", name="bare")
        tf.raw_ops.AssignVariableOp(resource=bare, value=[1.0, 2.0], name="assign")
    read = graph_element(graph, "bare:0")
    assert read.op.type == "ReadVariableOp" and graph_element(graph, bare) is read
    session = GraphSession(LiftedGraph(graph))
    session.run("assign")
    np.testing.assert_array_equal(session.run("bare:0"), [1.0, 2.0])
    np.testing.assert_array_equal(session.run(bare), [1.0, 2.0])


def test_a_reference_is_read_where_its_value_is_wanted() -> None:
    """Graphs of 2016 give one variable's reference to the op that assigns another one."""
    with tf.Graph().as_default() as graph, v1.variable_scope("", use_resource=False):
        first = v1.get_variable("first", initializer=[1.0, 2.0])
        second = v1.get_variable("second", initializer=[3.0, 4.0])
        init = v1.global_variables_initializer()
        op = tf.raw_ops.Assign(ref=first._ref(), value=second._ref(), name="copy")
    session = GraphSession(LiftedGraph(graph))
    session.run(init)
    np.testing.assert_array_equal(session.run(op), [3.0, 4.0])
    np.testing.assert_array_equal(session.run(first), [3.0, 4.0])


def test_values_are_found_by_what_has_their_name() -> None:
    outputs = NamedOutputs({"w": 1.0, "dense/kernel": 2.0})
    variable = tf.Variable(0.0, name="w")
    assert variable in outputs and outputs[variable] == outputs.get(variable) == 1.0
    other = tf.Variable(0.0, name="other")
    assert other not in outputs and outputs.get(other, "none") == "none"
    with pytest.raises(KeyError):
        outputs[other]
