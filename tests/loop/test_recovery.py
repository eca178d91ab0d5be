"""What a run does about trouble from outside: a step that is aborted, another trainer, a killed process."""

from __future__ import annotations

import itertools
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import (
    SCRIPTS,
    Job,
    Recorder,
    Silent,
    assert_values_equal,
    checkpoint_values,
    newest_checkpoint,
    run_python,
)
from keras_legacy_train import DirectoryInUseError, monitors, train
from keras_legacy_train.loop.recovery import MAX_RECOVERIES_WITHOUT_PROGRESS, Recovery
from keras_legacy_train.programs.window import Window

v1 = tf.compat.v1

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


def calling(function: Callable[[], None]) -> Job:
    """A linear model that calls a function before each step."""

    def build() -> graphs.Parts:
        x, y = graphs.rows()
        with tf.control_dependencies([v1.py_func(function, [], [])]):
            loss = graphs.linear_loss(tf.identity(x), tf.identity(y))
        return graphs.minimize(v1.train.AdamOptimizer(0.05), loss), loss

    return graphs.job(build)


@pytest.mark.parametrize("error", [tf.errors.AbortedError, tf.errors.UnavailableError])
def test_a_step_is_aborted_in_a_window(
    error: type[tf.errors.OpError],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A Python function stands for the op that fails: none does with these errors in a single process."""
    run = Window.run

    def run_and_translate(self: Window, *arguments: Any) -> Any:
        rows, raised = run(self, *arguments)
        assert raised is None or "gone" in raised.message
        return rows, None if raised is None else error(None, None, raised.message)

    monkeypatch.setattr(Window, "run", run_and_translate)
    calls = itertools.count(1)

    def fail_once() -> None:
        if next(calls) == 4:
            raise ConnectionAbortedError("gone")

    job = calling(lambda: None)
    expected = train(output_dir=tmp_path / "plain", steps=6, monitors=[Silent()], **job.arguments())
    job = calling(fail_once)
    assert train(output_dir=tmp_path / "aborted", steps=6, monitors=[Silent()], **job.arguments()) == expected
    assert next(calls) == 3 + 1 + 6 + 1
    assert_values_equal(checkpoint_values(tmp_path / "aborted"), checkpoint_values(tmp_path / "plain"))
    assert sum("Step 4 failed" in line for line in caplog.messages) == 1


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
    killed = run_python(SCRIPTS / "killed_run.py", tmp_path)
    assert killed.returncode == -signal.SIGKILL
    assert newest_checkpoint(tmp_path) in ("model.ckpt-5", "model.ckpt-6")  # the last one was being written
    resumed = run_python(SCRIPTS / "killed_run.py", tmp_path, "to the end")
    assert resumed.returncode == 0, resumed.stderr
    velocity, w = 0.0, 0.0
    for _ in range(10):
        velocity = 0.9 * velocity + 2 * (w - 1)
        w -= 0.1 * velocity
    assert checkpoint_values(tmp_path)["global_step"] == 10
    np.testing.assert_allclose(checkpoint_values(tmp_path)["w"], w, rtol=1e-5)


def set_read_only(directory: Path, read_only: bool) -> None:
    """Lets nobody make or remove files in a directory."""
    if os.geteuid() != 0:
        directory.chmod(0o500 if read_only else 0o700)
        return
    # No permissions hold back root.
    subprocess.run(["chattr", "+i" if read_only else "-i", str(directory)], check=True, capture_output=True)


@pytest.fixture
def output_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory that can be made read-only."""
    directory = tmp_path / "run"
    directory.mkdir()
    try:
        set_read_only(directory, True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"root cannot make a directory read-only here: {error}")
    set_read_only(directory, False)
    yield directory
    if directory.exists():
        set_read_only(directory, False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    directory = tmp_path / "disk"
    directory.mkdir()
    options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", str(directory)]
    try:
        mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no command to mount a file system")
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr}")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)  # the event file is still open


class Spoils(monitors.BaseMonitor):
    """Does something to the directory after the third step."""

    def __init__(self, spoil: Callable[[], None]):
        super().__init__()
        self.spoil = spoil

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        if step == 3:
            self.spoil()
        return super().step_end(step, output)


def wide_job() -> Job:
    """A model of a quarter of a megabyte; each step takes a fifth off its weights, which begin at one."""

    def build() -> graphs.Parts:
        w = v1.get_variable("w", [64, 1024], initializer=v1.ones_initializer())
        loss = tf.reduce_sum(tf.square(w))
        return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), loss), loss

    return graphs.job(build)


def assert_fails_and_goes_on(
    output_dir: Path,
    spoil: Callable[[], None],
    repair: Callable[[], Any],
    newest: Sequence[int] = (0,),
    **options: Any,
) -> None:
    """A run in a directory that is spoiled after step 3 is an error, but in a better place another goes on.

    It goes on from one of the steps `newest`.
    """
    recorder = Recorder()
    with pytest.raises((OSError, tf.errors.OpError)):
        train(
            output_dir=output_dir,
            steps=5,
            monitors=[Spoils(spoil), recorder],
            **wide_job().arguments(),
            **options,
        )
    assert recorder.calls[-1] == ["end"]
    repair()
    output_dir = output_dir.rename(output_dir.with_name("better"))
    step = checkpoint_values(output_dir)["global_step"]
    assert step in newest
    np.testing.assert_allclose(checkpoint_values(output_dir)["w"], np.full([64, 1024], 0.8**step), rtol=1e-6)
    recorder = Recorder()
    train(output_dir=output_dir, steps=2, monitors=[recorder], **wide_job().arguments())
    assert recorder.steps("step_end") == [step + 1, step + 2]
    assert newest_checkpoint(output_dir) == f"model.ckpt-{step + 2}"


def test_the_directory_is_made_read_only(output_dir: Path) -> None:
    def repair() -> None:
        set_read_only(output_dir, False)
        (output_dir / LOCK).unlink(missing_ok=True)  # this process could not remove it, and holds it still

    assert_fails_and_goes_on(output_dir, lambda: set_read_only(output_dir, True), repair)


def test_the_disk_gets_full(small_disk: Path) -> None:
    filler = small_disk / "filler"

    def fill() -> None:
        with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    assert_fails_and_goes_on(small_disk / "run", fill, filler.unlink)


@pytest.mark.parametrize(
    ("save_secs", "newest"), [(None, [0]), (1e-6, [1, 2])], ids=["last save", "save between"]
)
def test_files_may_not_grow(save_secs: float | None, newest: Sequence[int], tmp_path: Path) -> None:
    """Like a full disk, but needs no rights."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    try:
        assert_fails_and_goes_on(
            tmp_path / "run",
            lambda: limit(100_000),
            lambda: limit(before[0]),
            newest,
            supervisor_save_model_secs=save_secs,
        )
    finally:
        limit(before[0])


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


def test_what_an_error_has_ended_is_begun_again_while_there_is_hope(log: pytest.LogCaptureFixture) -> None:
    calls: list[str] = []

    def fails(times: int, error: Exception) -> Callable[[], str]:
        def call() -> str:
            calls.append("call")
            if calls.count("call") <= times:
                raise error
            return "done"

        return call

    recovery = Recovery(lambda: calls.append("restore"))
    lost = tf.errors.UnavailableError(None, None, "gone")
    assert recovery.run(fails(2, lost)) == "done"
    assert calls == ["call", "restore", "call", "restore", "call"]
    assert sum("beginning again. gone" in message for message in log.messages) == 2
    calls.clear()
    with pytest.raises(tf.errors.UnavailableError):
        recovery.run(fails(100, lost))
    assert calls.count("call") == MAX_RECOVERIES_WITHOUT_PROGRESS + 1
    calls.clear()
    with pytest.raises(ZeroDivisionError):
        recovery.run(fails(1, ZeroDivisionError()))
    assert calls == ["call"]
