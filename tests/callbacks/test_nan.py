"""What happens when the loss, or a variable, becomes NaN or infinite."""

from __future__ import annotations

import logging
import pickle
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
    checkpoint_numbers,
    checkpoint_values,
    newest_checkpoint,
)
from keras_legacy_train import NanLossDuringTrainingError, callbacks, train

v1 = tf.compat.v1

WATCHING = pytest.mark.parametrize("monitor", [Recorder, Silent], ids=["watched", "in windows"])


def spoiled_job(spoil_at: int, value: float = np.nan, *, in_variable: bool = True, late: int = 0) -> Job:
    """A job whose loss, or variable, is spoilt by the step `spoil_at`.

    Args:
        spoil_at: The step, as monitors number it.
        value: What the loss, and with it the gradient, becomes.
        in_variable: Whether the variable takes part; otherwise it stays finite.
        late: How many steps later the loss shows what the variable already has.
    """

    def build() -> graphs.Parts:
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        step = tf.identity(v1.train.get_or_create_global_step())
        spoiled = tf.square(w * tf.where(tf.equal(step, spoil_at - 1), value, 1.0))
        loss = tf.where(step < spoil_at - 1 + late, 1.0, spoiled, name="loss")
        trained = spoiled if in_variable else tf.square(w)
        with tf.control_dependencies([loss]):  # which is of the step before it is raised
            return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), trained), loss

    return graphs.job(build)


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


@WATCHING
def test_nan_loss_is_fatal(monitor: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(output_dir=tmp_path, steps=9, monitors=[monitor()], **spoiled_job(5).arguments())
    assert isinstance(raised.value, RuntimeError)
    assert str(raised.value).startswith("NaN loss during training.")
    assert raised.value.step == 5
    assert raised.value.last_good_checkpoint == str(tmp_path / "model.ckpt-0")
    assert str(tmp_path / "model.ckpt-0") in str(raised.value)
    assert "Model diverged with loss = NaN." in messages(caplog, logging.ERROR)
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"


def test_step_end_and_end_run_before_the_error(tmp_path: Path) -> None:
    job = spoiled_job(3)
    recorder = Recorder(job.loss)
    with pytest.raises(NanLossDuringTrainingError):
        train(output_dir=tmp_path, steps=9, monitors=[recorder], **job.arguments())
    assert recorder.calls[-3:] == [["step_begin", 3], ["step_end", 3], ["end"]]
    assert np.isnan(recorder.outputs[3][job.loss])


def test_no_checkpoint_after_a_nan_even_of_finite_variables(tmp_path: Path) -> None:
    """Only the loss is NaN: that the variables are finite is no proof that the run is sound."""
    with pytest.raises(NanLossDuringTrainingError):
        train(
            output_dir=tmp_path, steps=9, monitors=[Silent()], **spoiled_job(5, in_variable=False).arguments()
        )
    for step in checkpoint_numbers(tmp_path):
        assert np.isfinite(checkpoint_values(tmp_path, f"model.ckpt-{step}")["w"])


def test_last_good_checkpoint_is_the_newest_timed_one(tmp_path: Path) -> None:
    job = spoiled_job(5)
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(
            output_dir=tmp_path,
            steps=9,
            supervisor_save_model_secs=1e-9,
            monitors=[Recorder()],
            **job.arguments(),
        )
    assert raised.value.last_good_checkpoint == str(tmp_path / "model.ckpt-4")
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"
    assert checkpoint_values(tmp_path)["w"] == pytest.approx(0.8**4)


def test_run_again_resumes_from_the_last_good_checkpoint(tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=3, monitors=[Silent()], **spoiled_job(5).arguments())
    with pytest.raises(NanLossDuringTrainingError):
        train(output_dir=tmp_path, steps=9, monitors=[Silent()], **spoiled_job(5).arguments())
    mended = spoiled_job(100)
    recorder = Recorder(mended.loss)
    train(output_dir=tmp_path, steps=2, monitors=[recorder], **mended.arguments())
    assert recorder.steps("step_begin") == [4, 5]
    assert checkpoint_values(tmp_path)["w"] == pytest.approx(0.8**5)


@pytest.mark.parametrize("monitors_per_step", [True, False], ids=["watched", "in windows"])
def test_weights_turn_nan_before_the_loss_does(monitors_per_step: bool, tmp_path: Path) -> None:
    job = spoiled_job(3, late=3)
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(
            output_dir=tmp_path,
            steps=9,
            supervisor_save_model_secs=1e-9,
            keep_checkpoint_max=None,
            monitors=[Recorder() if monitors_per_step else Silent()],
            max_window=1,
            **job.arguments(),
        )
    assert raised.value.step == 6
    assert newest_checkpoint(tmp_path) == "model.ckpt-2"
    assert np.isfinite(checkpoint_values(tmp_path)["w"])


def test_final_checkpoint_of_nan_weights_is_not_written(tmp_path: Path) -> None:
    """The run ends by itself before the loss has shown the NaN."""
    train(output_dir=tmp_path, steps=4, monitors=[Silent()], **spoiled_job(3, late=3).arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"


@WATCHING
def test_nan_is_not_fatal_if_not_wanted(
    monitor: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = spoiled_job(3, in_variable=False)
    train(output_dir=tmp_path, steps=8, fail_on_nan_loss=False, monitors=[monitor()], **job.arguments())
    warnings = [
        text for text in messages(caplog, logging.WARNING) if text == "Model diverged with loss = NaN."
    ]
    assert len(warnings) == 1
    assert newest_checkpoint(tmp_path) == "model.ckpt-8"


@WATCHING
def test_nan_warnings_come_at_the_first_nan_and_at_log_steps(
    monitor: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """From step 3 on every loss is NaN; steps 10, 20 and 25 are logged."""
    job = spoiled_job(3)
    loss = train(
        output_dir=tmp_path, steps=25, fail_on_nan_loss=False, monitors=[monitor()], **job.arguments()
    )
    assert np.isnan(loss)
    warnings = [
        text for text in messages(caplog, logging.WARNING) if text == "Model diverged with loss = NaN."
    ]
    assert len(warnings) == 4


@WATCHING
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_loss_is_ignored(value: float, monitor: Any, tmp_path: Path) -> None:
    def build() -> graphs.Parts:
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        loss = tf.identity(value * tf.ones([]), name="loss")
        return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), tf.square(w)), loss

    loss = train(output_dir=tmp_path, steps=4, monitors=[monitor()], **graphs.job(build).arguments())
    assert loss == value
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


VALUES = pytest.mark.parametrize(
    ("value", "logged", "told"),
    [
        (np.nan, "NaN", "NaN loss during training."),
        (np.inf, "inf", "Infinite loss (inf) during training."),
        (-np.inf, "-inf", "Infinite loss (-inf) during training."),
    ],
    ids=["nan", "inf", "-inf"],
)


def diverging_job(value: float) -> Job:
    """A job whose loss has that value from step 3 on; its variables stay finite."""

    def build() -> graphs.Parts:
        step = tf.identity(v1.train.get_or_create_global_step())
        loss = tf.where(step < 2, 1.0, value)
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        with tf.control_dependencies([loss]):
            return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), tf.square(w)), loss

    return graphs.job(build)


@WATCHING
@VALUES
def test_the_fatal_value_is_named(
    value: float, logged: str, told: str, monitor: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = diverging_job(value)
    stop = callbacks.TerminateOnNaN(check_inf=True)
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(output_dir=tmp_path, monitors=[monitor()], callbacks=[stop], **job.arguments())
    assert messages(caplog, logging.ERROR) == [f"Model diverged with loss = {logged}."]
    assert str(raised.value).startswith(f"{told} It appeared at step 3.")
    for error in (raised.value, pickle.loads(pickle.dumps(raised.value))):
        np.testing.assert_equal(error.loss, value)


@WATCHING
@VALUES
def test_the_warning_names_the_value(
    value: float, logged: str, told: str, monitor: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At the first bad step, at the logged one after it, and at the last."""
    job = diverging_job(value)
    given = [callbacks.TerminateOnNaN(fail=False, check_inf=True)]
    options = {"fail_on_nan_loss": False, "log_every_steps": None, "callbacks": given}
    loss = train(output_dir=tmp_path, steps=12, monitors=[monitor()], **options, **job.arguments())
    np.testing.assert_equal(loss, np.float32(value))
    warnings = 4 if np.isnan(value) else 3  # the training's own callback warns of the first NaN as well
    assert messages(caplog, logging.WARNING) == [f"Model diverged with loss = {logged}."] * warnings
