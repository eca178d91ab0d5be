"""`framework`: the global step, variables by name, and values out of checkpoints, as `init_fn` takes them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import Job
from keras_legacy_train import framework, infer, train

v1 = tf.compat.v1


pytestmark = pytest.mark.usefixtures("graph")


def names(variables: Any) -> list[str]:
    return [variable.op.name for variable in variables]


def zeros(name: str, shape: Any, **options: Any) -> Any:
    return v1.get_variable(name, shape, initializer=v1.zeros_initializer(), **options)


def some_variables() -> None:
    """model/w, model/b (not trained), other/w, and a local one."""
    with v1.variable_scope("model"):
        framework.model_variable("w", [2, 3], initializer=v1.zeros_initializer())
        framework.variable("b", [3], initializer=v1.zeros_initializer(), trainable=False)
    with v1.variable_scope("other"):
        framework.variable("w", [1], initializer=v1.zeros_initializer())
    framework.local_variable(0, name="seen")


@pytest.fixture
def checkpoint(tmp_path: Path, use_resource: bool) -> str:
    """w (0 … 5 in 2 rows), b (7, 8, 9), table (0 … 13 in 7 rows, partitioned in 3)."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable("w", initializer=tf.reshape(tf.range(6.0), [2, 3]))
        v1.get_variable("b", initializer=tf.constant([7.0, 8.0, 9.0]))
        v1.get_variable(
            "table",
            [7, 2],
            initializer=lambda shape, dtype, partition_info=None: tf.reshape(tf.range(14.0), [7, 2])[
                partition_info.var_offset[0] :
            ][: shape[0]],
            partitioner=v1.fixed_size_partitioner(3),
        )
        session.run(v1.global_variables_initializer())
        return v1.train.Saver().save(session, str(tmp_path / "old" / "model.ckpt"), global_step=3)


def values_after(init_fn: Callable[[Any], Any] | None, graph: tf.Graph, output_dir: Path) -> dict[str, Any]:
    """The global variables that `train` begins with."""
    step = v1.train.get_or_create_global_step()
    loss = tf.constant(1.0)
    train(graph, output_dir, v1.assign_add(step, 1), loss, init_fn=init_fn, max_steps=0)
    return {
        name: tf.train.load_variable(str(output_dir), name) for name, _ in tf.train.list_variables(output_dir)
    }


def test_global_step(graph: tf.Graph) -> None:
    assert framework.get_global_step() is None
    assert framework.assert_or_get_global_step() is None
    step = framework.create_global_step()
    assert framework.get_global_step() is step
    assert framework.get_or_create_global_step(graph) is step
    assert framework.assert_or_get_global_step(graph) is step
    assert framework.assert_or_get_global_step(global_step_tensor=step) is step
    with pytest.raises(ValueError, match="already exists"):
        framework.create_global_step(graph)
    framework.assert_global_step(step)
    for wrong in (zeros("of_floats", []), zeros("a_vector", [2], dtype=tf.int64)):
        with pytest.raises(TypeError):
            framework.assert_or_get_global_step(None, wrong)


def test_local_and_global_variables(use_resource: bool) -> None:
    local = framework.local_variable(2.0, name="local", use_resource=use_resource)
    other = framework.global_variable(3.0, name="other", use_resource=use_resource)
    assert names(v1.local_variables()) == names(framework.get_local_variables()) == ["local"]
    assert names(v1.global_variables()) == ["other"]
    assert framework.get_trainable_variables() == []
    assert infer(None, {"local": local, "other": other}) == {"local": 2.0, "other": 3.0}


def test_variables_by_scope_and_name() -> None:
    some_variables()
    assert names(framework.get_variables()) == ["model/w", "model/b", "other/w"]
    assert names(framework.get_variables("model")) == ["model/w", "model/b"]
    assert names(framework.get_variables(suffix="w")) == ["model/w", "other/w"]
    assert names(framework.get_variables("other", "w")) == ["other/w"]
    with v1.variable_scope("model") as scope:
        assert names(framework.get_variables(scope)) == ["model/w", "model/b"]
    assert names(framework.get_model_variables()) == ["model/w"]
    assert names(framework.get_trainable_variables()) == ["model/w", "other/w"]
    assert names(framework.get_variables_by_name("w")) == ["model/w", "other/w"]
    assert names(framework.get_variables_by_suffix("b")) == ["model/b"]
    assert framework.get_unique_variable("model/b").op.name == "model/b"
    for name in ("model", "b", "model/b:0"):
        with pytest.raises(ValueError, match=name):
            framework.get_unique_variable(name)


def test_variable_is_shared_and_in_its_collections() -> None:
    some_variables()
    with v1.variable_scope("model", reuse=True):
        assert framework.variable("w", [2, 3]) is framework.get_unique_variable("model/w")
    framework.add_model_variable(framework.get_unique_variable("other/w"))
    framework.add_model_variable(framework.get_unique_variable("other/w"))
    assert names(framework.get_model_variables()) == ["model/w", "other/w"]
    placed = framework.variable("placed", [], collections=["mine", "mine"], device="/cpu:0")
    assert names(v1.get_collection("mine")) == ["placed"]
    assert placed.device.endswith("CPU:0")


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (None, None, ["model/w", "model/b", "other/w"]),
        (["model"], None, ["model/w", "model/b"]),
        (None, ("model/w",), ["model/b", "other/w"]),
        (["other", "model"], ["model/b", "nothing"], ["other/w", "model/w"]),
        ([], None, []),
    ],
)
def test_variables_to_restore(include: Any, exclude: Any, expected: list[str]) -> None:
    some_variables()
    assert names(framework.get_variables_to_restore(include, exclude)) == expected


def test_variables_to_restore_refuses_a_string() -> None:
    with pytest.raises(TypeError, match="include"):
        framework.get_variables_to_restore(include="model")
    with pytest.raises(TypeError, match="exclude"):
        framework.get_variables_to_restore(exclude="model")


def test_filter_variables() -> None:
    some_variables()
    variables = framework.get_variables()
    assert names(framework.filter_variables(variables)) == names(variables)
    assert names(framework.filter_variables(variables, ["w"], ["other"])) == ["model/w"]
    assert names(framework.filter_variables(variables, ["w"], reg_search=False)) == []
    assert names(framework.filter_variables(variables, None, ["model", "w"])) == []


def test_reading_a_checkpoint(checkpoint: str) -> None:
    for path in (checkpoint, Path(checkpoint), Path(checkpoint).parent):
        assert framework.list_variables(path) == [("b", [3]), ("table", [7, 2]), ("w", [2, 3])]
        np.testing.assert_array_equal(framework.load_variable(path, "b"), [7.0, 8.0, 9.0])
        np.testing.assert_array_equal(framework.load_variable(path, "b:0"), [7.0, 8.0, 9.0])
        assert framework.load_checkpoint(path).has_tensor("table")


def test_init_from_checkpoint(checkpoint: str, graph: tf.Graph, tmp_path: Path) -> None:
    some_variables()
    framework.init_from_checkpoint(Path(checkpoint).parent, {"w": "model/w", "b": "model/b"})
    values = values_after(None, graph, tmp_path / "new")
    np.testing.assert_array_equal(values["model/w"], np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(values["model/b"], [7.0, 8.0, 9.0])
    np.testing.assert_array_equal(values["other/w"], [0.0])


def test_assign_from_values(graph: tf.Graph, tmp_path: Path) -> None:
    some_variables()
    values = {"model/w": np.arange(6), "other/w": 5.0}
    operation, feed_dict = framework.assign_from_values(values)
    assert isinstance(operation, tf.Operation)
    by_hand = values_after(lambda session: session.run(operation, feed_dict), graph, tmp_path / "a")
    by_function = values_after(framework.assign_from_values_fn(values), graph, tmp_path / "b")
    for got in (by_hand, by_function):
        np.testing.assert_array_equal(got["model/w"], np.arange(6.0).reshape(2, 3))
        np.testing.assert_array_equal(got["other/w"], [5.0])
        np.testing.assert_array_equal(got["model/b"], np.zeros(3))


def test_a_value_of_any_shape_for_a_variable_of_unknown_shape(graph: tf.Graph) -> None:
    initial = v1.placeholder_with_default([1.0], None)
    v1.get_variable("any", initializer=initial, validate_shape=False, use_resource=True)
    init_fn = framework.assign_from_values_fn({"any": [[5.0, 6.0]]})
    (variable,) = v1.global_variables()
    value = variable.read_value()
    with v1.Session(graph=graph) as session:
        init_fn(session)
        np.testing.assert_array_equal(session.run(value), [[5.0, 6.0]])


def test_arguments_that_are_of_another_kind_are_named(checkpoint: str) -> None:
    with pytest.raises(ValueError, match=r"assignment_map must be a dict from names to .*; it is 'w'"):
        framework.init_from_checkpoint(checkpoint, "w")
    with pytest.raises(ValueError, match="var_list must be a list or a dict of variables; it is 'w'"):
        framework.assign_from_checkpoint(checkpoint, "w")
    with pytest.raises(ValueError, match="var_list must be a list of variables; it is 'w'"):
        framework.filter_variables("w")
    with pytest.raises(ValueError, match="var_list must be a variable, or have nothing else in it; it has 3"):
        framework.filter_variables([3])
    with pytest.raises(TypeError, match=r"graph must be a tf\.Graph; it is 3"):
        framework.assert_or_get_global_step(3)


def test_assign_from_values_names_what_is_wrong() -> None:
    some_variables()
    with pytest.raises(ValueError, match="model/x"):
        framework.assign_from_values({"model/x": 1.0})
    with pytest.raises(ValueError, match="model"):
        framework.assign_from_values({"model": 1.0})
    with pytest.raises(ValueError, match=r"model/w:0 has shape \(2, 3\)"):
        framework.assign_from_values({"model/w": np.zeros(5)})


def restored_variables() -> Any:
    """Variables as the checkpoint has them, one of them under another name, the table cut up in two."""
    table = zeros("table", [7, 2], partitioner=v1.fixed_size_partitioner(2))
    return {"w": zeros("model/w", [2, 3]), "b": zeros("b", [3]), "table": list(table)}


def check_restored(values: dict[str, Any]) -> None:
    np.testing.assert_array_equal(values["model/w"], np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(values["b"], [7.0, 8.0, 9.0])
    np.testing.assert_array_equal(values["table"], np.arange(14.0).reshape(7, 2))


def test_assign_from_checkpoint(checkpoint: str, graph: tf.Graph, tmp_path: Path) -> None:
    operation, feed_dict = framework.assign_from_checkpoint(checkpoint, restored_variables())
    check_restored(values_after(lambda s: s.run(operation, feed_dict), graph, tmp_path / "new"))


@pytest.mark.parametrize("path", [str, Path, lambda path: Path(path).parent])
def test_assign_from_checkpoint_fn(
    path: Callable[[str], Any], checkpoint: str, graph: tf.Graph, tmp_path: Path
) -> None:
    init_fn = framework.assign_from_checkpoint_fn(path(checkpoint), restored_variables())
    check_restored(values_after(init_fn, graph, tmp_path / "new"))


@pytest.mark.parametrize("parts", [1, 3])
def test_a_list_of_variables_and_of_slices(
    parts: int, checkpoint: str, graph: tf.Graph, tmp_path: Path
) -> None:
    zeros("b", [3])
    zeros("table", [7, 2], partitioner=v1.fixed_size_partitioner(parts))
    variables = framework.get_variables()
    assert {framework.get_variable_full_name(variable) for variable in variables} == {"b", "table"}
    operation, feed_dict = framework.assign_from_checkpoint(checkpoint, variables)
    by_function = framework.assign_from_checkpoint_fn(checkpoint, variables, ignore_missing_vars=True)
    for number, init_fn in enumerate([lambda s: s.run(operation, feed_dict), by_function]):
        values = values_after(init_fn, graph, tmp_path / str(number))
        np.testing.assert_array_equal(values["b"], [7.0, 8.0, 9.0])
        np.testing.assert_array_equal(values["table"], np.arange(14.0).reshape(7, 2))


def test_one_slice_alone(checkpoint: str, graph: tf.Graph, tmp_path: Path) -> None:
    second = list(zeros("table", [7, 2], partitioner=v1.fixed_size_partitioner(2)))[1]
    init_fn = framework.assign_from_checkpoint_fn(checkpoint, [second])
    table = values_after(init_fn, graph, tmp_path / "new")["table"]
    np.testing.assert_array_equal(table[:4], np.zeros([4, 2]))
    np.testing.assert_array_equal(table[4:], np.arange(8.0, 14.0).reshape(3, 2))


def test_variables_missing_in_the_checkpoint(
    checkpoint: str, graph: tf.Graph, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    variables = [zeros("b", [3]), zeros("new", [1])]
    for assign in (framework.assign_from_checkpoint, framework.assign_from_checkpoint_fn):
        with pytest.raises(ValueError, match="new"):
            assign(checkpoint, variables)
        caplog.clear()
        assert assign(checkpoint, variables, ignore_missing_vars=True)
        assert [(r.levelno, "[new]" in r.message) for r in caplog.records] == [(logging.WARNING, True)]
    init_fn = framework.assign_from_checkpoint_fn(checkpoint, variables, ignore_missing_vars=True)
    values = values_after(init_fn, graph, tmp_path / "new")
    np.testing.assert_array_equal(values["b"], [7.0, 8.0, 9.0])
    assert framework.assign_from_checkpoint_fn(checkpoint, variables[1:], ignore_missing_vars=True) is None
    with pytest.raises(ValueError, match="var_list"):
        framework.assign_from_checkpoint_fn(checkpoint, [])


def test_shapes_may_differ_only_with_reshape_variables(
    checkpoint: str, graph: tf.Graph, tmp_path: Path
) -> None:
    flat, shorter = zeros("flat", [6]), zeros("shorter", [5])
    message = r"w has shape \(2, 3\) in the checkpoint, and \(%d,\) in the graph"
    for assign in (framework.assign_from_checkpoint, framework.assign_from_checkpoint_fn):
        with pytest.raises(ValueError, match=message % 6):
            assign(checkpoint, {"w": flat})
    with pytest.raises(ValueError, match=message % 5):
        framework.assign_from_checkpoint_fn(checkpoint, {"w": shorter}, reshape_variables=True)
    init_fn = framework.assign_from_checkpoint_fn(checkpoint, {"w": flat}, reshape_variables=True)
    np.testing.assert_array_equal(values_after(init_fn, graph, tmp_path / "new")["flat"], np.arange(6.0))


def test_fine_tuning_begins_where_the_first_training_ended(tmp_path: Path, use_resource: bool) -> None:
    first = graphs.build("linear_sgd", use_resource)
    train(first.graph, tmp_path / "first", first.train_op, first.loss, max_steps=20, log_every_steps=None)
    second: Job = graphs.build("linear_sgd", use_resource)
    with second.graph.as_default():
        restored = framework.get_variables_to_restore(exclude=["global_step"])
        init_fn = framework.assign_from_checkpoint_fn(tmp_path / "first" / "model.ckpt-20", restored)
    train(second.graph, tmp_path / "second", second.train_op, second.loss, init_fn=init_fn, max_steps=5)
    train(first.graph, tmp_path / "first", first.train_op, first.loss, max_steps=25, log_every_steps=None)
    for name in ("w", "b"):
        np.testing.assert_array_equal(
            framework.load_variable(tmp_path / "second", name),
            framework.load_variable(tmp_path / "first", name),
        )
