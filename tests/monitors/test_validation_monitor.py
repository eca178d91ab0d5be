"""`ValidationMonitor`: when it evaluates, what it hands on, and when it stops."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import EveryNLosses, Job, newest_checkpoint
from keras_legacy_train import monitors, train
from monitor_helpers import Clock, drive

v1 = tf.compat.v1


class Estimator:
    """Has a checkpoint of each step, of which `losses` says how good it is."""

    def __init__(self, model_dir: Path, losses: Any = ()):
        self.model_dir = str(model_dir)
        self.losses = iter(losses)
        self.evaluated: list[str] = []
        self.given: dict[str, Any] = {}

    def evaluate(self, **given: Any) -> dict[str, Any]:
        self.given = given
        self.evaluated.append(newest_checkpoint(self.model_dir) or "none")
        return {"loss": next(self.losses, 0.0), "accuracy": 0.5}


def save(directory: Path, step: int) -> None:
    """Leaves what `latest_checkpoint` looks for."""
    path = directory / f"model.ckpt-{step}"
    path.with_name(f"{path.name}.index").touch()
    v1.train.update_checkpoint_state(str(directory), str(path))


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.DEBUG, "keras_legacy_train")
    # TensorFlow warns of what is deprecated, once in a process.
    with caplog.filtering(logging.Filter("keras_legacy_train")):
        yield caplog


def validate(
    estimator: Estimator, until: int, *, saves: Any = None, seconds_a_step: float = 10.0, **options: Any
) -> monitors.ValidationMonitor:
    """Trains `until` with a monitor; every step, or those of `saves`, leaves a checkpoint."""
    options.setdefault("every_n_steps", 1)
    monitor = monitors.ValidationMonitor(**{"x": [1.0], **options})
    monitor.set_estimator(estimator)

    def run(step: int, requests: Any) -> dict[Any, Any]:
        if saves is None or step in saves:
            save(Path(estimator.model_dir), step)
        if isinstance(time.time, Clock):
            time.time.now += seconds_a_step
        return {}

    monitor.last_step = drive(monitor, until, run=run)  # type: ignore[attr-defined]
    return monitor


def test_needs_input() -> None:
    with pytest.raises(ValueError, match=r"^Either x or input_fn should be provided\.$"):
        monitors.ValidationMonitor()


def test_needs_an_estimator() -> None:
    with pytest.raises(ValueError, match=r"^Missing call to set_estimator\.$"):
        drive(monitors.ValidationMonitor(x=[1.0], every_n_steps=2), 2)


def test_first_values() -> None:
    monitor = monitors.ValidationMonitor([1.0], every_n_steps=7)
    assert not monitor.early_stopped
    assert monitor.best_step is monitor.best_value is monitor.best_metrics is None
    monitor.begin()
    assert monitor.next_step(0) == 7


@pytest.mark.parametrize(("n", "steps"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4]), (5, [5])])
def test_evaluates_every_n_steps(n: int, steps: list[int], tmp_path: Path, clock: Clock) -> None:
    estimator = Estimator(tmp_path)
    validate(estimator, 5, every_n_steps=n)
    assert estimator.evaluated == [f"model.ckpt-{step}" for step in steps]


def test_log_line(tmp_path: Path, clock: Clock, log: pytest.LogCaptureFixture) -> None:
    validate(Estimator(tmp_path, [0.25]), 3, every_n_steps=3)
    assert log.messages == ["Validation (step 3): loss = 0.25, accuracy = 0.5"]


def test_looks_no_oftener_than_check_interval(
    tmp_path: Path, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    estimator = Estimator(tmp_path)
    validate(estimator, 7, seconds_a_step=2.0, check_interval_secs=5)
    assert estimator.evaluated == ["model.ckpt-1", "model.ckpt-4", "model.ckpt-7"]
    assert log.messages[1] == (
        "Skipping evaluation since less than 5 seconds have passed since last check for a new checkpoint."
    )
    assert log.records[1].levelno == logging.DEBUG


def test_no_check_interval(tmp_path: Path, clock: Clock) -> None:
    estimator = Estimator(tmp_path)
    validate(estimator, 3, seconds_a_step=0.0, check_interval_secs=None)
    assert len(estimator.evaluated) == 3


def test_same_checkpoint_is_skipped_with_a_word_on_the_next(
    tmp_path: Path, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    estimator = Estimator(tmp_path)
    validate(estimator, 10, every_n_steps=2, saves=[1, 8])
    assert estimator.evaluated == ["model.ckpt-1", "model.ckpt-8"]
    skips = [record for record in log.records if "Skipping" in record.getMessage()]
    assert skips[0].getMessage() == (
        f"Skipping evaluation due to same checkpoint {tmp_path}/model.ckpt-1 for step 4 as for step 2. The"
        " next check is due at step 6; it finds a new checkpoint if one has been saved by then."
    )
    # The first of a checkpoint is where everybody sees it.
    levels = [record.levelname for record in skips]
    assert levels == ["INFO", "DEBUG", "INFO"]


@pytest.mark.parametrize("unit", ["steps", "secs"])
def test_word_on_how_often_checkpoints_are_saved(
    unit: str, tmp_path: Path, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    class Config:
        save_checkpoints_steps: int | None = None
        save_checkpoints_secs: int | None = None

    estimator = Estimator(tmp_path)
    estimator.config = Config()  # type: ignore[attr-defined]
    setattr(Config, f"save_checkpoints_{unit}", 600)
    validate(estimator, 2, saves=[1])
    assert log.messages[-1].endswith(f" saved by then (save_checkpoints_{unit} is 600).")


def test_nothing_saved_yet(tmp_path: Path, clock: Clock, log: pytest.LogCaptureFixture) -> None:
    estimator = Estimator(tmp_path)
    validate(estimator, 3, saves=[3])
    assert estimator.evaluated == ["model.ckpt-3"]
    text = "Skipping evaluation since model has not been saved yet at step"
    assert [message[: len(text) + 2] for message in log.messages[:2]] == [f"{text} 1", f"{text} 2"]


def test_next_check_is_no_later_than_the_last_step(
    tmp_path: Path, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    monitor = monitors.ValidationMonitor(x=[1.0], every_n_steps=100)
    monitor.set_estimator(Estimator(tmp_path))
    drive(monitor, 150, max_steps=150)
    assert "at step 100. The next check is due at step 150;" in log.messages[0]


def test_arguments_of_evaluate(tmp_path: Path, clock: Clock) -> None:
    estimator = Estimator(tmp_path)
    given = {
        "x": [1.0],
        "y": [2.0],
        "input_fn": lambda: None,
        "batch_size": 3,
        "metrics": {"m": 1},
        "hooks": [object()],
        "name": "eval",
    }
    validate(estimator, 1, eval_steps=4, **given)
    assert estimator.given == {**given, "steps": 4}


def test_estimator_that_takes_less(tmp_path: Path, clock: Clock) -> None:
    seen = []

    class Takes(Estimator):
        def evaluate(  # type: ignore[override]
            self,
            input_fn: Any,
            steps: Any = None,
            hooks: Any = None,
            checkpoint_path: Any = None,
            name: Any = None,
        ) -> dict[str, Any]:
            seen.append((input_fn, steps, hooks, checkpoint_path, name))
            return {}

    validate(Takes(tmp_path), 1, x=None, input_fn=len, eval_steps=2, name="n")
    assert seen == [(len, 2, None, None, "n")]
    with pytest.raises(
        ValueError, match=r"^Takes\.evaluate does not support following arguments: x, metrics\."
    ):
        validate(Takes(tmp_path), 1, x=[1.0], metrics={}, input_fn=len)


@pytest.mark.parametrize(
    ("options", "warned"),
    [({"input_fn": len}, True), ({"input_fn": len, "eval_steps": 1}, False), ({"x": [1.0]}, False)],
)
def test_warning_of_evaluation_without_end(
    options: dict[str, Any], warned: bool, tmp_path: Path, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    validate(Estimator(tmp_path), 3, **{"x": None, **options})
    warnings = [record.getMessage() for record in log.records if record.levelno == logging.WARNING]
    assert len(warnings) == warned
    assert all("no eval_steps" in text for text in warnings)


@pytest.mark.parametrize(
    ("losses", "minimize", "best_step", "last_step"),
    [
        ([3, 2, 1, 1, 1, 1], True, 3, 6),
        ([3, 2, 1, 1, 0, 1, 1, 1], True, 5, 8),
        ([1, 2, 3, 3, 3, 3], False, 3, 6),
        ([1, 2, 3], True, 1, 4),  # then 0, which is better: no stop before the end
    ],
)
def test_early_stopping(
    losses: list[float], minimize: bool, best_step: int, last_step: int, tmp_path: Path, clock: Clock
) -> None:
    estimator = Estimator(tmp_path, [*losses, *[losses[-1]] * 9])
    monitor = validate(estimator, 20, early_stopping_rounds=3, early_stopping_metric_minimize=minimize)
    assert monitor.early_stopped
    assert monitor.last_step == last_step  # type: ignore[attr-defined]
    assert monitor.best_step == best_step
    assert monitor.best_value == losses[best_step - 1]
    assert monitor.best_metrics == {"loss": losses[best_step - 1], "accuracy": 0.5}


def test_early_stopping_counts_steps_of_the_training(
    tmp_path: Path, clock: Clock, log: pytest.LogCaptureFixture
) -> None:
    estimator = Estimator(tmp_path, [1.0, 2.0, 3.0, 4.0])
    monitor = validate(estimator, 100, every_n_steps=10, early_stopping_rounds=20)
    assert monitor.last_step == 30  # type: ignore[attr-defined]
    assert log.messages[-1] == "Stopping. Best step: 10 with loss = 1.0."


def test_no_early_stopping(tmp_path: Path, clock: Clock) -> None:
    monitor = validate(Estimator(tmp_path, range(9)), 9)
    assert not monitor.early_stopped
    assert monitor.best_step is None


def test_best_metrics_are_a_copy(tmp_path: Path, clock: Clock) -> None:
    shared = {"loss": np.array(1.0)}

    class Reuses(Estimator):
        def evaluate(self, **given: Any) -> dict[str, Any]:
            return shared

    monitor = validate(Reuses(tmp_path), 1, early_stopping_rounds=5)
    shared["loss"] += 1
    assert monitor.best_metrics == {"loss": 1.0}


def test_metric_is_missing(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ValueError, match=r"^Metric auc missing from outputs {'(loss|accuracy)', "):
        validate(Estimator(tmp_path), 1, early_stopping_rounds=1, early_stopping_metric="auc")


def test_in_a_training(job: Job, tmp_path: Path) -> None:
    """It evaluates what is saved while training goes on, between windows."""
    estimator = Estimator(tmp_path, [1.0, 2.0, 3.0])
    monitor = monitors.ValidationMonitor(
        x=[1.0], every_n_steps=10, early_stopping_rounds=10, check_interval_secs=None
    )
    monitor.set_estimator(estimator)
    saver = monitors.CheckpointSaver(tmp_path, save_steps=5)
    losses = EveryNLosses(job.loss, every_n_steps=10)
    train(output_dir=tmp_path, steps=99, monitors=[saver, monitor, losses], **job.arguments())
    assert monitor.early_stopped
    assert monitor.best_step == 10
    assert newest_checkpoint(tmp_path) == "model.ckpt-20"
    # The Saver saves after step_end.
    assert estimator.evaluated == ["model.ckpt-6", "model.ckpt-16"]


def test_without_an_estimator_in_a_training(job: Job, tmp_path: Path) -> None:
    monitor = monitors.ValidationMonitor(x=[1.0], every_n_steps=2)
    with pytest.raises(ValueError, match=r"^Missing call to set_estimator\.$"):
        train(output_dir=tmp_path, steps=9, monitors=[monitor], **job.arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-2"
