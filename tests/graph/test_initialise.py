"""What is initialised or restored before the first step, and in which order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import (
    Job,
    Recorder,
    Silent,
    assert_values_close,
    assert_values_equal,
    checkpoint_numbers,
    checkpoint_values,
    initialised_session,
    newest_checkpoint,
    run_in_session,
)
from keras_legacy_train import monitors, train
from keras_legacy_train.errors import CheckpointMismatchError

v1 = tf.compat.v1


def variable(job: Job, name: str) -> Any:
    return next(v for v in job.graph.get_collection(v1.GraphKeys.GLOBAL_VARIABLES) if v.op.name == name)


def noting_job(log: list[str]) -> Job:
    """A job that notes when each kind of initialiser, and each step, runs."""

    def noted(text: str, value: Any) -> tf.Tensor:
        with tf.control_dependencies([graphs.note(log, text)]):
            return tf.constant(value)

    def build() -> Any:
        start = v1.placeholder(tf.float32, [], name="start")
        with tf.control_dependencies([graphs.note(log, "global variable")]):
            initial = tf.identity(start)
        w = v1.Variable(initial, name="w")
        v1.Variable(noted("local variable", 1.0), trainable=False, collections=[v1.GraphKeys.LOCAL_VARIABLES])
        v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, graphs.note(log, "table"))
        with tf.control_dependencies([graphs.note(log, "step")]):
            loss = tf.square(w)
        train_op = graphs.minimize(v1.train.GradientDescentOptimizer(0.1), loss)
        return train_op, loss, {"init_feed_dict": {start: 2.0}}

    return graphs.job(build)


class NotesBegin(monitors.BaseMonitor):
    def __init__(self, log: list[str]):
        super().__init__()
        self.log = log

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        self.log.append("begin")


def test_order_in_a_fresh_directory_and_with_a_checkpoint(tmp_path: Path) -> None:
    log: list[str] = []
    for order in (
        ["begin", "global variable", "init_fn", {"local variable", "table"}, "step", "step"],
        ["begin", {"local variable", "table"}, "step", "step"],
    ):
        log.clear()
        job = noting_job(log)
        train(
            output_dir=tmp_path,
            steps=2,
            init_fn=lambda session: log.append("init_fn"),
            monitors=[NotesBegin(log)],
            **job.arguments(),
        )
        at = order.index({"local variable", "table"})
        assert [*log[:at], set(log[at : at + 2]), *log[at + 2 :]] == order


def test_init_feed_dict_reaches_the_variables(tmp_path: Path) -> None:
    loss = train(output_dir=tmp_path, steps=1, monitors=[Silent()], **noting_job([]).arguments())
    assert loss == 4.0
    assert checkpoint_values(tmp_path, "model.ckpt-0")["w"] == 2.0


def test_explicit_init_op_gets_init_feed_dict(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        start = v1.placeholder(tf.float32, [8, 1])
        with tf.control_dependencies([v1.global_variables_initializer()]):
            init_op = v1.assign(variable(job, "w"), start).op
    job.init_feed_dict = {start: np.full([8, 1], 3.0)}
    train(output_dir=tmp_path, max_steps=0, init_op=init_op, **job.arguments())
    np.testing.assert_array_equal(checkpoint_values(tmp_path)["w"], np.full([8, 1], 3.0))


@pytest.mark.parametrize("watched", [True, False], ids=["watched", "in windows"])
def test_init_op_leaves_a_variable_out(watched: bool, job: Job, tmp_path: Path) -> None:
    init_op = variable(job, "w").initializer
    recorder = Recorder()
    with pytest.raises(RuntimeError, match="Init operations did not make model ready") as raised:
        train(
            output_dir=tmp_path,
            steps=1,
            init_op=init_op,
            monitors=[recorder if watched else Silent()],
            **job.arguments(),
        )
    assert "b" in raised.value.names and "global_step" in raised.value.names
    assert "w" not in raised.value.names
    assert recorder.steps("step_begin") == []
    assert checkpoint_numbers(tmp_path) == []


def as_tensor(init_op: tf.Operation) -> tf.Tensor:
    with tf.control_dependencies([init_op]):
        return tf.constant(0.0)


@pytest.mark.parametrize(
    "form",
    [lambda op: op, as_tensor, lambda op: [op], lambda op: (op, as_tensor(op)), lambda op: op.name],
    ids=["operation", "tensor", "list", "tuple", "name"],
)
def test_forms_of_init_op(form: Callable[[tf.Operation], Any], job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        init_op = form(v1.global_variables_initializer())
    assert train(output_dir=tmp_path, steps=1, init_op=init_op, **job.arguments()) > 0


def test_init_fn_restores_with_a_saver(job: Job, tmp_path: Path) -> None:
    donor = graphs.build("linear_sgd")
    train(output_dir=tmp_path / "donor", steps=5, **donor.arguments())
    with job.graph.as_default():
        saver = v1.train.Saver([variable(job, "w"), variable(job, "b")])
    train(
        output_dir=tmp_path / "own",
        max_steps=0,
        init_fn=lambda session: saver.restore(session, str(tmp_path / "donor" / "model.ckpt-5")),
        **job.arguments(),
    )
    given, own = checkpoint_values(tmp_path / "donor"), checkpoint_values(tmp_path / "own")
    assert_values_equal({name: own[name] for name in "wb"}, {name: given[name] for name in "wb"})
    assert own["global_step"] == 0


def test_init_fn_runs_an_assignment_with_a_feed(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        value = v1.placeholder(tf.float32, [8, 1])
        assign = v1.assign(variable(job, "w"), value)
    train(
        output_dir=tmp_path,
        max_steps=0,
        init_fn=lambda session: session.run(assign, {value: np.ones([8, 1])}),
        **job.arguments(),
    )
    np.testing.assert_array_equal(checkpoint_values(tmp_path)["w"], np.ones([8, 1]))


def test_init_fn_finds_initialised_variables(job: Job, tmp_path: Path) -> None:
    seen = {}
    train(
        output_dir=tmp_path,
        max_steps=0,
        init_fn=lambda session: seen.update(b=session.run("b:0"), graph=session.graph),
        **job.arguments(),
    )
    np.testing.assert_array_equal(seen["b"], [0.0])
    assert seen["graph"] is job.graph


@pytest.mark.parametrize("same_directory", [True, False], ids=["same directory", "another directory"])
def test_same_graph_twice(same_directory: bool, job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path / "1", steps=3, monitors=[Silent()], **job.arguments())
    second = tmp_path / ("1" if same_directory else "2")
    train(output_dir=second, steps=3, monitors=[Silent()], **job.arguments())
    expected = run_in_session(graphs.build("linear_sgd"), 6 if same_directory else 3)
    assert_values_close(checkpoint_values(second), expected.variables, rtol=1e-5)


def wider_job() -> Job:
    """`linear_sgd` with a variable more, one of another shape and one of another dtype."""

    def build() -> graphs.Parts:
        w = v1.get_variable("w", [8, 2], initializer=v1.zeros_initializer())
        v1.get_variable("b", [1], tf.float64, initializer=v1.zeros_initializer(), trainable=False)
        added = v1.get_variable("added", [], initializer=v1.ones_initializer())
        loss = tf.reduce_sum(tf.square(w)) + tf.square(added)
        return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), loss), loss

    return graphs.job(build)


def test_checkpoint_that_does_not_fit(job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=2, **job.arguments())
    files = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("model.ckpt*")}
    recorder = Recorder()
    with pytest.raises(CheckpointMismatchError) as raised:
        train(output_dir=tmp_path, steps=1, monitors=[recorder], **wider_job().arguments())
    assert {problem.split()[0].strip("':") for problem in raised.value.problems} == {"added", "b", "w"}
    assert recorder.steps("step_begin") == []
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("model.ckpt*")} == files


def test_checkpoint_has_more_variables(tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=2, **graphs.build("linear_adam").arguments())
    assert "w/Adam" in checkpoint_values(tmp_path)
    train(output_dir=tmp_path, steps=2, **graphs.build("linear_sgd").arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


@pytest.mark.parametrize("sharded", [False, True], ids=["one file", "sharded"])
@pytest.mark.parametrize("name", ["linear_adam", "sparse_embedding"])
def test_checkpoint_of_a_saver(name: str, sharded: bool, tmp_path: Path) -> None:
    donor = graphs.build(name, use_resource=False)
    with donor.graph.as_default():
        saver = v1.train.Saver(sharded=sharded)
    with initialised_session(donor) as session:
        for _ in range(4):
            session.run(donor.train_op)
        saver.save(session, str(tmp_path / "model.ckpt"), global_step=4)
    job = graphs.build(name, use_resource=True)
    train(output_dir=tmp_path, steps=4, monitors=[Silent()], **job.arguments())
    expected = run_in_session(graphs.build(name), 8)
    assert newest_checkpoint(tmp_path) == "model.ckpt-8"
    assert_values_close(checkpoint_values(tmp_path), expected.variables, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["linear_adam", "sparse_embedding", "one_shot_dropout"])
def test_our_checkpoint_restored_by_a_saver(name: str, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=4, monitors=[Silent()], **graphs.build(name).arguments())
    job = graphs.build(name)
    with job.graph.as_default():
        saver = v1.train.Saver()
        variables = {v.op.name: v.read_value() for v in v1.global_variables()}
    with v1.Session(graph=job.graph) as session:
        saver.restore(session, str(tmp_path / "model.ckpt-4"))
        restored = session.run(variables)
    expected = run_in_session(graphs.build(name), 4)
    whole = {name: value for name, value in restored.items() if "part_" not in name}
    assert restored["global_step"] == 4
    assert_values_close(whole, {name: expected.variables[name] for name in whole}, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["linear_adam", "sparse_embedding"])
def test_our_meta_graph_imported(name: str, tmp_path: Path) -> None:
    job = graphs.build(name)
    train(output_dir=tmp_path, steps=4, monitors=[Silent()], **job.arguments())
    with tf.Graph().as_default() as graph, v1.Session() as session:
        saver = v1.train.import_meta_graph(str(tmp_path / "model.ckpt-4.meta"))
        saver.restore(session, str(tmp_path / "model.ckpt-4"))
        session.run(graph.get_operation_by_name(job.train_op.name))
        assert session.run(v1.train.get_global_step(graph)) == 5


def test_our_checkpoint_read_by_name(job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=4, **job.arguments())
    assert tf.train.load_variable(str(tmp_path), "w").shape == (8, 1)
    assert tf.train.load_variable(str(tmp_path), "global_step") == 4
    assert ("w", [8, 1]) in tf.train.list_variables(str(tmp_path))


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"\x00garbage"), Path.unlink], ids=["garbage", "gone"]
)
def test_checkpoint_file_is_damaged(
    damage: Callable[[Path], Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(output_dir=tmp_path, steps=4, **graphs.build("linear_sgd").arguments())
    damage(tmp_path / "checkpoint")
    caplog.clear()
    job = graphs.build("linear_sgd")
    recorder = Recorder()
    train(output_dir=tmp_path, steps=1, monitors=[recorder], **job.arguments())
    assert recorder.steps("step_begin") == [5]
    assert newest_checkpoint(tmp_path) == "model.ckpt-5"
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert any("checkpoint" in warning and "model.ckpt-4" in warning for warning in warnings)
