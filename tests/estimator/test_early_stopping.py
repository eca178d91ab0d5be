"""Hooks stop training where those of `tf.estimator.experimental` stopped it, of TensorFlow 2.15.1."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from keras_legacy_train import estimator
from keras_legacy_train.estimator import experimental

v1 = tf.compat.v1

# Two metrics at four steps; the best of both is that of step 20.
ACCURACIES = {10: 0.5, 20: 0.75, 30: 0.625, 40: 0.6875}


class OfWorker(estimator.RunConfig):
    @property
    def is_chief(self) -> bool:
        return False


def counting_model_fn(features: Any, labels: Any, mode: str) -> Any:
    step = v1.assign_add(v1.train.get_global_step(), 1)
    return estimator.EstimatorSpec(mode, loss=tf.constant(0.0), train_op=step)


def endless_zeros() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors((tf.zeros([1]), tf.zeros([1]))).repeat()


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = str(tmp_path_factory.mktemp("evaluations"))
    with tf.Graph().as_default(), v1.summary.FileWriter(directory) as writer:
        for step, accuracy in ACCURACIES.items():
            values = {"accuracy": accuracy, "loss": -accuracy}
            writer.add_summary(
                v1.Summary(
                    value=[v1.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
                ),
                step,
            )
    return directory


@pytest.mark.parametrize(
    ("name", "metric", "limit", "min_steps", "reason"),
    [
        ("stop_if_higher", "accuracy", 0.7, 0, "At step 20, metric %s has value 0.75 which is greater than"),
        ("stop_if_higher", "accuracy", 0.75, 0, None),
        ("stop_if_higher", "accuracy", 0.7, 21, None),
        ("stop_if_lower", "loss", -0.7, 0, "At step 20, metric %s has value -0.75 which is less than"),
        ("stop_if_lower", "accuracy", 0.5, 0, None),
        ("stop_if_no_increase", "accuracy", 20, 0, "No increase in metric %s for 20 steps, which is greater"),
        ("stop_if_no_increase", "accuracy", 21, 0, None),
        ("stop_if_no_increase", "accuracy", 15, 30, None),
        (
            "stop_if_no_decrease",
            "loss",
            20,
            0,
            "No decrease in metric %s for 20 steps, which is greater than",
        ),
        ("stop_if_no_decrease", "accuracy", 31, 0, None),
    ],
)
def test_training_stops_by_the_metrics_of_evaluations(
    name: str,
    metric: str,
    limit: float,
    min_steps: int,
    reason: str | None,
    evaluations: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    model = estimator.Estimator(counting_model_fn, str(tmp_path))
    make = getattr(experimental, f"{name}_hook")
    hook = make(model, metric, limit, evaluations, min_steps, run_every_secs=None, run_every_steps=1)
    model.train(endless_zeros, hooks=[hook], steps=3)
    assert model.get_variable_value("global_step") == (3 if reason is None else 1)
    assert model.get_variable_value("signal_early_stopping/STOP") == (reason is not None)
    stopping = [line for line in caplog.messages if "early stopping" in line]
    if reason is None:
        assert not stopping
    else:
        why, at = stopping
        assert why.startswith(reason % f'"{metric}"') and at.startswith("Requesting early stopping at global")


def test_a_worker_stops_when_a_checkpoint_has_reached_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chief = estimator.Estimator(counting_model_fn, str(tmp_path / "chief"))
    chief.train(endless_zeros, steps=4)
    worker = estimator.Estimator(counting_model_fn, config=OfWorker(str(tmp_path / "worker")))
    hook = experimental.make_stop_at_checkpoint_step_hook(worker, 4, wait_after_file_check_secs=30)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:  # the chief saves while the worker waits
            shutil.copytree(tmp_path / "chief", tmp_path / "worker", dirs_exist_ok=True)

    ran = 0
    with tf.Graph().as_default():
        step = v1.assign_add(v1.train.create_global_step(), 1)
        with v1.train.MonitoredSession(hooks=[hook]) as session:
            monkeypatch.setattr(time, "sleep", sleep)
            while not session.should_stop():
                session.run(step)
                ran += 1
            monkeypatch.undo()
    # It waits from the step before the last on, and goes on by a step after each wait. It may read the step
    # before or after the one that is just run.
    assert ran in (5, 6) and slept == [30, 30]


def test_a_worker_stops_when_the_chief_has_set_the_variable(tmp_path: Path) -> None:
    worker = estimator.Estimator(counting_model_fn, config=OfWorker(str(tmp_path)))
    hook = experimental.make_early_stopping_hook(worker, lambda: True, None, 1)
    with tf.Graph().as_default():
        v1.train.create_global_step()
        with v1.variable_scope("signal_early_stopping"):
            variable = v1.get_variable("STOP", [], tf.bool, v1.constant_initializer(False), trainable=False)
        stop, nothing = v1.assign(variable, True), tf.constant(0)
        with v1.train.MonitoredSession(hooks=[hook]) as session:
            session.run(nothing)
            assert not session.should_stop()
            session.run(stop)
            if not session.should_stop():  # it may have read the variable before the assignment
                session.run(nothing)
            assert session.should_stop()
