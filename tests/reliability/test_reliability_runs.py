"""Runs that meet trouble while they save, and runs by the thousand: all end in order and leave nothing."""

from __future__ import annotations

import functools
import gc
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

import graphs
from helpers import (
    Recorder,
    Silent,
    assert_values_equal,
    checkpoint_numbers,
    checkpoint_values,
    listed_checkpoints,
    newest_checkpoint,
)
from keras_legacy_train import (
    DirectoryInUseError,
    NanLossDuringTrainingError,
    fit,
    monitors,
    train,
)
from keras_legacy_train._tensorflow import eager_mode
from keras_legacy_train.checkpoints import index
from keras_legacy_train.errors import CheckpointSaveError
from keras_legacy_train.testing import Fault, FaultInjector, InjectedError, full_disk

LOCK = ".trainer.lock"
ALWAYS = {"supervisor_save_model_secs": 1e-9, "max_window": 1, "keep_checkpoint_max": None}


class Waits(monitors.BaseMonitor):
    """At a step, waits until no checkpoint is being written."""

    def __init__(self, step: int):
        super().__init__()
        self.step = step

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        super().step_end(step, output)
        if step == self.step:
            for thread in threading.enumerate():
                if "background" in thread.name:
                    thread.join()
        return False


def test_an_error_of_a_save_ends_the_run_at_the_next_step(tmp_path: Path) -> None:
    recorder = Recorder()
    with (
        full_disk(3),
        pytest.raises(CheckpointSaveError, match="No space left on device") as raised,
    ):
        train(
            output_dir=tmp_path,
            steps=9,
            monitors=[Waits(4), recorder],
            **ALWAYS,
            **graphs.build("linear_sgd").arguments(),
        )
    assert raised.value.filename == str(tmp_path / "model.ckpt-3")
    assert recorder.steps("step_end")[-1] == 4 and recorder.calls[-1] == ["end"]
    assert checkpoint_numbers(tmp_path) == [0, 1, 2, 4]  # there is space again for the last one
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


def test_the_last_checkpoint_is_saved_though_one_before_it_failed(tmp_path: Path) -> None:
    with full_disk(5), pytest.raises(CheckpointSaveError, match=r"model\.ckpt-5"):
        train(
            output_dir=tmp_path,
            steps=6,
            monitors=[Silent()],
            **ALWAYS,
            **graphs.build("linear_sgd").arguments(),
        )
    assert newest_checkpoint(tmp_path) == "model.ckpt-6"


def test_a_disk_that_stays_full_is_told_at_the_end(tmp_path: Path) -> None:
    recorder = Recorder()
    arguments = graphs.build("linear_sgd").arguments()
    with full_disk(4), pytest.raises(CheckpointSaveError, match=r"model\.ckpt-4"):
        train(output_dir=tmp_path, steps=4, monitors=[recorder], **arguments)
    assert recorder.calls[-1] == ["end"]
    assert checkpoint_numbers(tmp_path) == [0] and not (tmp_path / LOCK).exists()
    train(output_dir=tmp_path, steps=2, monitors=[Silent()], **arguments)
    assert newest_checkpoint(tmp_path) == "model.ckpt-2"


def test_no_step_is_run_if_the_first_checkpoint_cannot_be_saved(tmp_path: Path) -> None:
    recorder = Recorder()
    with full_disk(), pytest.raises(CheckpointSaveError):
        train(output_dir=tmp_path, steps=4, monitors=[recorder], **graphs.build("linear_sgd").arguments())
    assert recorder.steps("step_begin") == [] and recorder.calls[-1] == ["end"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_in_a_checkpoint_of_its_step(number: int, tmp_path: Path) -> None:
    """Though another one is being written at that time."""

    class Signals(monitors.BaseMonitor):
        def step_end(self, step: int, output: dict[Any, Any]) -> bool:
            super().step_end(step, output)
            if step == 6:
                os.kill(os.getpid(), number)
            return False

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    recorder = Recorder()
    expected = SystemExit if number == signal.SIGTERM else KeyboardInterrupt
    with pytest.raises(expected) as raised:
        train(
            output_dir=tmp_path,
            steps=99,
            monitors=[Signals(), recorder],
            **ALWAYS,
            **graphs.build("linear_sgd").arguments(),
        )
    if number == signal.SIGTERM:
        assert raised.value.code == 143
    assert newest_checkpoint(tmp_path) == "model.ckpt-6"
    assert checkpoint_values(tmp_path)["global_step"] == 6
    assert recorder.calls[-1] == ["end"] and not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("compiled", [False, True])
def test_checkpoints_beside_the_training_are_those_of_their_steps(compiled: bool, tmp_path: Path) -> None:
    """Bit for bit what a run that stops there saves."""
    for steps in (3, 5, 7):
        train(
            output_dir=tmp_path / str(steps),
            steps=steps,
            monitors=[Silent()],
            max_window=1,
            jit_compile=compiled,
            **graphs.build("linear_adam").arguments(),
        )
    train(
        output_dir=tmp_path / "all",
        steps=8,
        monitors=[Silent()],
        jit_compile=compiled,
        **ALWAYS,
        **graphs.build("linear_adam").arguments(),
    )
    assert checkpoint_numbers(tmp_path / "all") == list(range(9))
    for steps in (3, 5, 7):
        actual = checkpoint_values(tmp_path / "all", f"model.ckpt-{steps}")
        assert_values_equal(actual, checkpoint_values(tmp_path / str(steps)))


def test_the_event_of_a_checkpoint_comes_when_it_is_there(tmp_path: Path) -> None:
    with full_disk(2), pytest.raises(CheckpointSaveError):
        train(
            output_dir=tmp_path,
            steps=4,
            monitors=[Waits(3)],
            **ALWAYS,
            **graphs.build("linear_sgd").arguments(),
        )
    events = tf.compat.v1.train.summary_iterator(str(next(tmp_path.glob("events.*"))))
    saved = [event.step for event in events if event.session_log.checkpoint_path]
    assert saved == [0, 1, 3]


# The directory is held.


def test_the_directory_is_held_before_the_newest_checkpoint_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else another trainer could add some in between."""
    arguments = graphs.build("linear_sgd").arguments()
    train(output_dir=tmp_path, steps=1, monitors=[Silent()], **arguments)
    held = []
    find_damage = index.find_damage

    def note(prefix: str) -> str | None:
        held.append((tmp_path / LOCK).exists())
        return find_damage(prefix)

    monkeypatch.setattr(index, "find_damage", note)
    train(output_dir=tmp_path, steps=1, monitors=[Silent()], **arguments)
    assert held and all(held)


def test_a_trainer_that_was_succeeded_writes_no_more(tmp_path: Path) -> None:
    """As one that was suspended for so long that another one took its directory over."""

    class IsSucceeded(monitors.BaseMonitor):
        def step_end(self, step: int, output: dict[Any, Any]) -> bool:
            super().step_end(step, output)
            if step == 2:
                successor = {"pid": 1, "host": "elsewhere", "token": "ab" * 16}
                (tmp_path / LOCK).write_text(json.dumps(successor))
            return False

    with pytest.raises(DirectoryInUseError, match="Process 1 on elsewhere"):
        train(
            output_dir=tmp_path,
            steps=4,
            monitors=[IsSucceeded()],
            **graphs.build("linear_sgd").arguments(),
        )
    assert listed_checkpoints(tmp_path) == ["model.ckpt-0"]
    assert (tmp_path / LOCK).exists()


# Nothing is left.


def nan_job() -> Any:
    def build() -> graphs.Parts:
        w = tf.compat.v1.get_variable("w", [], initializer=tf.compat.v1.ones_initializer())
        loss = w * np.float32(np.nan)
        return graphs.minimize(tf.compat.v1.train.GradientDescentOptimizer(0.1), loss), loss

    return graphs.job(build)


def run_graph(directory: Path) -> None:
    job = graphs.build("linear_sgd")
    options = {"supervisor_save_model_secs": 1e-9, "max_window": 2}
    train(output_dir=directory, steps=4, monitors=[Silent()], **options, **job.arguments())


def run_queue(directory: Path) -> None:
    train(output_dir=directory, monitors=[Silent()], **graphs.build("queue").arguments())


def run_dataset(directory: Path) -> None:
    job = graphs.build("one_shot_dropout")
    train(output_dir=directory, steps=4, monitors=[Silent()], **job.arguments())


def run_error(directory: Path) -> None:
    fails = FaultInjector(Fault("error", step=1))
    with pytest.raises(InjectedError):
        train(output_dir=directory, steps=4, monitors=[fails], **graphs.build("linear_sgd").arguments())


def run_nan(directory: Path) -> None:
    with pytest.raises(NanLossDuringTrainingError):
        train(output_dir=directory, steps=4, monitors=[Silent()], **nan_job().arguments())


@functools.cache
def model_to_fit() -> keras.Model:
    """Always the same one: a new one takes half a megabyte for ever, of Keras's own."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def run_model(directory: Path) -> None:
    x = np.ones((8, 2), np.float32)
    options = {"monitors": [], "save_secs": 1e-9, "max_window": 2}
    with eager_mode():
        fit(model_to_fit(), x, x[:, :1], batch_size=2, output_dir=directory, **options)


RUNS = {
    "graph": run_graph,
    "queue": run_queue,
    "dataset": run_dataset,
    "error": run_error,
    "nan": run_nan,
    "model": run_model,
}


def open_things() -> tuple[list[str], int]:
    """The threads of Python and the descriptors of this process."""
    return sorted(thread.name for thread in threading.enumerate()), len(os.listdir("/proc/self/fd"))


def functions() -> set[str]:
    """What is registered in TensorFlow's runtime."""
    gc.collect()
    return set(context.context().list_function_names())


pytestmark = pytest.mark.usefixtures("no_writers_left")


@pytest.mark.parametrize("kind", RUNS)
def test_calls_leave_no_thread_no_descriptor_and_no_function(kind: str, tmp_path: Path) -> None:
    """Each in a directory of its own."""
    for number in range(2):
        RUNS[kind](tmp_path / str(number))
    registered, before = functions(), open_things()
    for number in range(2, 6):
        RUNS[kind](tmp_path / str(number))
    assert functions() <= registered  # those of earlier tests may have gone meanwhile
    assert open_things() == before


def resident_kilobytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["graph", "model"])
def test_1000_calls(kind: str, tmp_path: Path) -> None:
    """As many threads and descriptors as after the tenth, and hardly more memory."""
    for number in range(10):
        RUNS[kind](tmp_path / str(number))
    before, kilobytes = open_things(), resident_kilobytes()
    for number in range(10, 1000):
        RUNS[kind](tmp_path / str(number))
    gc.collect()
    assert open_things() == before
    assert (resident_kilobytes() - kilobytes) / 990 < 200
