"""What a run does about trouble from outside: a step that is aborted, another trainer, a killed process."""

from __future__ import annotations

import itertools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import (
    TESTS,
    Recorder,
    Silent,
    checkpoint_values,
    newest_checkpoint,
    run_python,
)
from keras_legacy_train import DirectoryInUseError, monitors, train

LOCK = ".trainer.lock"


def failing_feeds(feed_fn: Callable[[], Any], at: set[int], error: Exception) -> Callable[[], Any]:
    """A `feed_fn` whose calls number `at` fail."""
    calls = itertools.count(1)

    def feed() -> Any:
        if next(calls) in at:
            raise error
        return feed_fn()

    return feed


@pytest.mark.parametrize("error", [tf.errors.AbortedError, tf.errors.UnavailableError])
def test_an_aborted_step_is_run_again_from_the_newest_checkpoint(
    error: type[tf.errors.OpError], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = graphs.build("feed_adam")
    same_batch = job.feed_fn() if job.feed_fn else {}
    plain = {**job.arguments(), "feed_fn": lambda: same_batch}
    expected = train(output_dir=tmp_path / "plain", steps=6, monitors=[Silent()], **plain)
    aborted = {**plain, "feed_fn": failing_feeds(lambda: same_batch, {4}, error(None, None, "gone"))}
    recorder = Recorder()
    assert train(output_dir=tmp_path / "aborted", steps=6, monitors=[recorder], **aborted) == expected
    assert newest_checkpoint(tmp_path / "aborted") == "model.ckpt-6"
    assert recorder.steps("step_end") == [1, 2, 3, 1, 2, 3, 4, 5, 6]
    assert any("Step 4 failed" in line for line in caplog.messages)


def test_a_step_that_is_aborted_again_and_again_is_an_error(tmp_path: Path) -> None:
    job = graphs.build("feed_adam")
    feed_fn = failing_feeds(lambda: {}, set(range(1, 100)), tf.errors.AbortedError(None, None, "gone"))
    recorder = Recorder()
    with pytest.raises(tf.errors.AbortedError, match="gone"):
        train(**{**job.arguments(), "feed_fn": feed_fn}, output_dir=tmp_path, steps=3, monitors=[recorder])
    assert recorder.calls[-1] == ["end"]


def test_a_second_trainer_is_told_of_the_first(tmp_path: Path) -> None:
    job = graphs.build("linear_sgd")
    errors: list[DirectoryInUseError] = []

    class TrainsThereToo(monitors.EveryN):
        def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> None:
            with pytest.raises(DirectoryInUseError) as raised:
                train(output_dir=tmp_path, steps=1, **graphs.build("linear_sgd").arguments())
            errors.append(raised.value)

    train(output_dir=tmp_path, steps=1, monitors=[TrainsThereToo()], **job.arguments())
    assert [(error.pid, error.host) for error in errors] == [(os.getpid(), socket.gethostname())]
    assert str(tmp_path) in str(errors[0]) and str(os.getpid()) in str(errors[0])
    assert newest_checkpoint(tmp_path) == "model.ckpt-1"
    assert not (tmp_path / LOCK).exists()


def test_a_trainer_on_another_machine_holds_the_directory(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(json.dumps({"pid": 1, "host": "elsewhere"}))
    with pytest.raises(DirectoryInUseError, match="Process 1 on elsewhere"):
        train(output_dir=tmp_path, steps=1, **graphs.build("linear_sgd").arguments())
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


@pytest.mark.parametrize("content", ["dead process", "", "[1]", '{"pid": "x", "host": 1}'])
def test_a_stale_lock_is_taken_over(content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if content == "dead process":
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        content = json.dumps({"pid": ended.pid, "host": socket.gethostname()})
    (tmp_path / LOCK).write_text(content)
    train(output_dir=tmp_path, steps=1, **graphs.build("linear_sgd").arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-1"
    assert any(
        record.levelno == logging.WARNING and "Taking over" in record.getMessage()
        for record in caplog.records
    )
    assert not (tmp_path / LOCK).exists()


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    killed = run_python(TESTS / "killed_run.py", tmp_path)
    assert killed.returncode == -signal.SIGKILL
    assert newest_checkpoint(tmp_path) == "model.ckpt-6"
    resumed = run_python(TESTS / "killed_run.py", tmp_path, "to the end")
    assert resumed.returncode == 0, resumed.stderr
    velocity, w = 0.0, 0.0
    for _ in range(10):
        velocity = 0.9 * velocity + 2 * (w - 1)
        w -= 0.1 * velocity
    assert checkpoint_values(tmp_path)["global_step"] == 10
    np.testing.assert_allclose(checkpoint_values(tmp_path)["w"], w, rtol=1e-5)


def test_a_directory_that_vanishes_is_an_error_and_every_end_is_called(tmp_path: Path) -> None:
    job = graphs.build("linear_sgd")
    directory = tmp_path / "run"

    class MakesItAFile(monitors.EveryN):
        def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> None:
            directory.rename(tmp_path / "away")
            directory.write_text("")

    recorder = Recorder()
    with pytest.raises((OSError, tf.errors.OpError)):
        train(output_dir=directory, steps=3, monitors=[MakesItAFile(), recorder], **job.arguments())
    assert recorder.calls[-1] == ["end"]
    assert newest_checkpoint(tmp_path / "away") == "model.ckpt-0"


def test_a_model_of_keras_2(tmp_path: Path) -> None:
    model = type("Sequential", (), {"__module__": "tf_keras.src.models"})()
    with pytest.raises(TypeError, match=r"tf_keras.*Keras 3"):
        train(model, tmp_path / "new", "train", "loss", steps=1)
    assert not (tmp_path / "new").exists()
