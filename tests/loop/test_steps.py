"""How many steps `train` runs, when it stops, and what it returns."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import (
    EveryNLosses,
    Job,
    Recorder,
    Silent,
    StopAt,
    checkpoint_numbers,
    checkpoint_values,
    newest_checkpoint,
)
from keras_legacy_train import train

v1 = tf.compat.v1

WATCHING = pytest.mark.parametrize("watched", [True, False], ids=["watched", "in windows"])


def monitor_for(job: Job, watched: bool) -> Any:
    return Recorder(job.loss) if watched else Silent()


def counting_job(raise_step: Any = 1, dtype: tf.DType = tf.float32) -> Job:
    """A loss that is the number of runs so far; `raise_step` may be a function of that number."""

    def build() -> graphs.Parts:
        step = v1.train.get_or_create_global_step()
        runs = v1.get_variable("runs", [], dtype, initializer=v1.zeros_initializer())
        loss = tf.identity(v1.assign_add(runs, 1), name="loss")
        by = raise_step(loss) if callable(raise_step) else raise_step
        return v1.assign_add(step, tf.cast(by, tf.int64)).op, loss

    return graphs.job(build)


@pytest.mark.usefixtures("variable_kind")
@WATCHING
def test_steps_twice_in_one_directory(watched: bool, tmp_path: Path) -> None:
    for first, last in ((1, 10), (11, 20)):
        job = counting_job()
        monitor = monitor_for(job, watched)
        assert train(output_dir=tmp_path, steps=10, monitors=[monitor], **job.arguments()) == last
        assert newest_checkpoint(tmp_path) == f"model.ckpt-{last}"
        if watched:
            assert monitor.steps("step_begin") == list(range(first, last + 1))


@pytest.mark.usefixtures("variable_kind")
@WATCHING
def test_max_steps_twice_in_one_directory(
    watched: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = counting_job()
    assert (
        train(output_dir=tmp_path, max_steps=10, monitors=[monitor_for(job, watched)], **job.arguments())
        == 10
    )
    caplog.set_level(logging.INFO, "keras_legacy_train")
    caplog.clear()
    job = counting_job()
    again = monitor_for(job, watched)
    assert train(output_dir=tmp_path, max_steps=10, monitors=[again], **job.arguments()) is None
    why = [record for record in caplog.records if "max_steps" in record.getMessage()]
    assert [record.levelno for record in why] == [logging.INFO]
    if watched:
        assert again.calls == [["begin", 10], ["end"]]


def test_both_steps_and_max_steps(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Can not provide both steps and max_steps\."):
        train(output_dir=tmp_path / "new", steps=1, max_steps=1, **counting_job().arguments())
    assert not (tmp_path / "new").exists()


def test_steps_0_runs_no_step(tmp_path: Path) -> None:
    job = counting_job()
    recorder = Recorder(job.loss)
    assert train(output_dir=tmp_path, steps=0, monitors=[recorder], **job.arguments()) is None
    assert recorder.steps("step_begin") == []


@pytest.mark.parametrize("name", ["steps", "max_steps"])
@pytest.mark.parametrize("value", [-1, 2.5, True, False, "3"])
def test_impossible_number_of_steps(name: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=name):
        train(output_dir=tmp_path / "new", **{name: value}, **counting_job().arguments())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["steps", "max_steps"])
@pytest.mark.parametrize("value", [np.int32(3), np.int64(3)], ids=lambda value: type(value).__name__)
def test_whole_numbers_of_other_types(name: str, value: Any, tmp_path: Path) -> None:
    assert train(output_dir=tmp_path, **{name: value}, **counting_job().arguments()) == 3


@WATCHING
def test_no_limit_runs_until_the_input_ends(watched: bool, tmp_path: Path) -> None:
    job = graphs.build("queue")
    loss = train(output_dir=tmp_path, monitors=[monitor_for(job, watched)], **job.arguments())
    assert isinstance(loss, np.float32)
    assert newest_checkpoint(tmp_path) == "model.ckpt-16"


def test_no_limit_runs_until_a_monitor_stops(tmp_path: Path) -> None:
    job = counting_job()
    assert train(output_dir=tmp_path, monitors=[StopAt(7)], **job.arguments()) == 7
    assert newest_checkpoint(tmp_path) == "model.ckpt-7"


@WATCHING
@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64], ids=lambda dtype: dtype.name)
def test_returns_a_numpy_scalar_of_the_loss_dtype(dtype: tf.DType, watched: bool, tmp_path: Path) -> None:
    job = counting_job(dtype=dtype)
    loss = train(output_dir=tmp_path, steps=3, monitors=[monitor_for(job, watched)], **job.arguments())
    assert isinstance(loss, np.generic)
    assert loss.dtype == dtype.as_numpy_dtype
    assert loss == 3


def test_max_steps_reached_on_entry_in_a_fresh_directory(tmp_path: Path) -> None:
    assert train(output_dir=tmp_path, max_steps=0, **counting_job().arguments()) is None
    assert checkpoint_numbers(tmp_path) == [0]
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"


def test_train_op_raises_the_step_by_2(tmp_path: Path) -> None:
    job = counting_job(raise_step=2)
    recorder = Recorder(job.loss)
    assert train(output_dir=tmp_path, steps=3, monitors=[recorder], **job.arguments()) == 2
    assert recorder.steps("step_begin") == [1, 3]
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


@pytest.mark.parametrize("max_window", [1, 3, None])
def test_train_op_raises_the_step_by_2_in_windows(max_window: int | None, tmp_path: Path) -> None:
    job = counting_job(raise_step=2)
    monitor = EveryNLosses(job.loss.name, every_n_steps=6)
    train(output_dir=tmp_path, steps=15, monitors=[monitor], max_window=max_window, **job.arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-16"
    assert checkpoint_values(tmp_path)["runs"] == 8
    # Step 1 is the first, 7 and 13 lie six or more after the last one that was active.
    assert {step: loss.item() for step, loss in monitor.losses.items()} == {1: 1, 7: 4, 13: 7, 15: 8}


@WATCHING
def test_train_op_does_not_raise_the_step(
    watched: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = counting_job(raise_step=0)
    with pytest.raises(RuntimeError, match="global_step"):
        train(output_dir=tmp_path, steps=1, monitors=[monitor_for(job, watched)], **job.arguments())
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "not incremented by train op" in errors[0].getMessage()
    assert checkpoint_values(tmp_path)["runs"] == 0  # the files of step 0 are there already


@WATCHING
def test_train_op_raises_the_step_every_third_run(
    watched: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Gradient accumulation is no lack of progress."""
    job = counting_job(raise_step=lambda runs: tf.equal(tf.math.floormod(runs, 3), 0))
    monitor = monitor_for(job, watched)
    assert train(output_dir=tmp_path, steps=400, monitors=[monitor], **job.arguments()) == 1200
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1
    if watched:
        assert monitor.steps("step_begin")[:7] == [1, 1, 1, 2, 2, 2, 3]


@pytest.mark.parametrize("monitor", [Recorder, Silent])
def test_a_train_op_on_a_branch_that_is_not_taken_is_an_error(monitor: Any, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        step = v1.train.get_or_create_global_step()
        switch = tf.raw_ops.Switch(data=1.0, pred=tf.constant(False))
        with tf.control_dependencies([tf.identity(switch.output_true)]):
            train_op = v1.assign_add(step, 1).op
        loss = tf.constant(1.0)
    with pytest.raises(RuntimeError, match="train_op was not run"):
        train(graph, tmp_path, train_op, loss, steps=2, monitors=[monitor()])
