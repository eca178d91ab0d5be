"""What is kept of a training that ended with a NaN: the variables at that step, and a report."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import Job, Recorder, Silent, checkpoint_values, newest_checkpoint
from keras_legacy_train import NanLossDuringTrainingError, callbacks, fit, train

v1 = tf.compat.v1


def spoiled_job(spoil_at: int, value: float = np.nan, rest: float = 0.0) -> Job:
    """A job in which a step spoils the loss, and with it the first entry of `w`; `rest` is the second one."""

    def build() -> graphs.Parts:
        w = v1.get_variable("w", initializer=tf.constant([1.0, rest]))
        v1.get_variable("untouched", initializer=tf.constant([1.0, 2.0]), trainable=False)
        step = tf.identity(v1.train.get_or_create_global_step())
        loss = w[0] * tf.where(tf.equal(step, spoil_at - 1), value, 1.0)
        with tf.control_dependencies([loss]):
            return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), loss), loss

    return graphs.job(build)


def run(output_dir: Path, job: Job, **options: Any) -> NanLossDuringTrainingError:
    arguments = {"steps": 9, "monitors": [Silent()], **options}
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(output_dir=output_dir, **arguments, **job.arguments())
    return raised.value


def report_of(error: NanLossDuringTrainingError) -> Any:
    assert error.report is not None
    return json.loads(Path(error.report).read_text(), parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize("monitor", [Recorder, Silent], ids=["watched", "in windows"])
def test_a_report_tells_what_was_not_finite(monitor: Any, tmp_path: Path) -> None:
    error = run(tmp_path, spoiled_job(5), monitors=[monitor()])
    assert error.report == str(tmp_path / "nan" / "report.json")
    assert error.report in str(error)
    report = report_of(error)
    assert report["step"] == report["global_step"] == 5
    assert [step for step, _ in report["losses"]] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose([loss for _, loss in report["losses"][:4]], [1.0, 0.9, 0.8, 0.7], rtol=1e-5)
    assert report["losses"][4][1] == report["loss"] == "nan"
    assert report["not_finite"] == [{"variable": "w", "nan": 1, "infinite": 0, "entries": 2}]
    assert report["last_good_checkpoint"] == error.last_good_checkpoint == str(tmp_path / "model.ckpt-0")
    assert report["checkpoint"] == str(tmp_path / "nan" / "model.ckpt-5")


def test_the_variables_are_those_of_the_fatal_step(tmp_path: Path) -> None:
    run(tmp_path, spoiled_job(5))
    values = checkpoint_values(tmp_path / "nan")
    np.testing.assert_array_equal(values["w"], [np.nan, 0.0])
    assert values["global_step"] == 5
    assert (tmp_path / "nan" / "model.ckpt-5.meta").exists()


def test_it_is_no_checkpoint_of_the_run(tmp_path: Path) -> None:
    run(tmp_path, spoiled_job(5))
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"
    recorder = Recorder()
    train(output_dir=tmp_path, steps=2, monitors=[recorder], **spoiled_job(100).arguments())
    assert recorder.steps("step_begin") == [1, 2]
    assert (tmp_path / "nan" / "report.json").exists()


@pytest.mark.parametrize("again_at", [3, 5, 7])
def test_only_the_newest_report_is_kept(again_at: int, tmp_path: Path) -> None:
    run(tmp_path, spoiled_job(5))
    (tmp_path / "nan" / "notes.txt").write_text("mine")
    for path in [*tmp_path.glob("model.ckpt*"), tmp_path / "checkpoint"]:
        path.unlink()  # so that the second run begins anew
    report = report_of(run(tmp_path, spoiled_job(again_at, rest=again_at)))
    assert report["step"] == again_at
    assert sorted(os.listdir(tmp_path / "nan")) == sorted(
        [
            "checkpoint",
            *(f"model.ckpt-{again_at}.{end}" for end in ("data-00000-of-00001", "index", "meta")),
            "notes.txt",
            "report.json",
        ]
    )
    np.testing.assert_array_equal(checkpoint_values(tmp_path / "nan")["w"], [np.nan, again_at])


def test_losses_of_earlier_windows_are_in_it_up_to_a_bound(tmp_path: Path) -> None:
    report = report_of(run(tmp_path, spoiled_job(2_500), steps=3_000, max_window=300))
    assert [step for step, _ in report["losses"]] == list(range(1_501, 2_501))


def test_what_is_infinite_is_counted_apart(tmp_path: Path) -> None:
    stop = callbacks.TerminateOnNaN(check_inf=True)
    error = run(tmp_path, spoiled_job(4, np.inf, rest=-np.inf), callbacks=[stop], fail_on_nan_loss=False)
    report = report_of(error)
    assert report["losses"][-1] == [4, report["loss"]] == [4, "inf"]
    assert report["not_finite"] == [{"variable": "w", "nan": 0, "infinite": 2, "entries": 2}]
    assert error.last_good_checkpoint == str(tmp_path / "model.ckpt-0")


def test_all_variables_may_be_finite(tmp_path: Path) -> None:
    def build() -> graphs.Parts:
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), w), tf.constant(np.nan)

    assert report_of(run(tmp_path, graphs.job(build)))["not_finite"] == []


def test_who_is_not_the_chief_writes_none(tmp_path: Path) -> None:
    error = run(tmp_path, spoiled_job(5), supervisor_is_chief=False)
    assert error.report is None and "not finite" not in str(error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("obstacle", ["a file", "a link"])
def test_a_report_that_cannot_be_written_does_not_hide_the_nan(
    obstacle: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_dir, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    run_dir.mkdir()
    elsewhere.mkdir()
    if obstacle == "a file":
        (run_dir / "nan").touch()
    else:
        (run_dir / "nan").symlink_to(elsewhere)
    error = run(run_dir, spoiled_job(5))
    assert error.step == 5 and error.report is None
    assert "No report about the NaN loss could be written" in [
        record.getMessage() for record in caplog.records if record.levelno == logging.ERROR
    ]
    assert list(elsewhere.iterdir()) == []


@pytest.mark.usefixtures("eager_mode")
def test_a_model_has_one_too(tmp_path: Path) -> None:
    """In the form of the model's other checkpoints."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.ones((4, 2), np.float32)
    y = np.array([[1.0], [1.0], [np.nan], [1.0]], np.float32)
    with pytest.raises(NanLossDuringTrainingError) as raised:
        fit(model, x, y, batch_size=1, shuffle=False, output_dir=tmp_path, monitors=[])
    report = report_of(raised.value)
    assert report["step"] == 3
    kernel, bias = model.layers[0].kernel, model.layers[0].bias
    counts = {each["variable"]: (each["nan"], each["entries"]) for each in report["not_finite"]}
    assert counts[kernel.path] == (2, 2) and counts[bias.path] == (1, 1)
    restored = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    status = tf.train.Checkpoint(model=restored).restore(report["checkpoint"])
    status.assert_existing_objects_matched().expect_partial()
    assert np.isnan(restored.layers[0].kernel.numpy()).all()
    assert raised.value.last_good_checkpoint == str(tmp_path / "model.ckpt-0")
