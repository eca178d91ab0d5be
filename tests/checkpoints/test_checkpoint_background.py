"""Saving beside the training: from a copy of one moment, with errors told and nothing left over."""

from __future__ import annotations

import gc
import logging
import os
import pathlib
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from checkpoint_helpers import blank, manager_of, names, resume, saved
from keras_legacy_train._tensorflow import eager_mode
from keras_legacy_train.checkpoints import CheckpointManager, SavedVariable, writing
from keras_legacy_train.errors import CheckpointSaveError

pytestmark = pytest.mark.usefixtures("eager_mode")


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Nothing is written until the event is set."""
    event = threading.Event()
    write = writing.write_checkpoint

    def wait_and_write(*arguments: Any) -> Any:
        assert event.wait(20)
        return write(*arguments)

    monkeypatch.setattr(writing, "write_checkpoint", wait_and_write)
    yield event
    event.set()
    for thread in saving_threads():
        thread.join()


def saving_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "background" in thread.name]


def test_a_checkpoint_holds_the_values_of_the_moment_it_was_asked_for(
    tmp_path: pathlib.Path, held_back: threading.Event
) -> None:
    w = saved("w", 1.0)
    manager = manager_of(tmp_path, w, meta_graph=lambda: b"graph")
    manager.save_in_background(1)
    w.variable.assign(2.0)
    assert names(tmp_path) == []
    held_back.set()
    manager.wait()
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)
    assert (tmp_path / "model.ckpt-1.meta").read_bytes() == b"graph"
    assert saving_threads() == []


def sparse_adagrad(variable: tf.Variable) -> None:
    tf.raw_ops.ResourceSparseApplyAdagrad(
        var=variable.handle,
        accum=tf.Variable(tf.ones_like(variable)).handle,
        lr=1.0,
        grad=tf.ones([1, *variable.shape[1:]]),
        indices=[0],
    )


CHANGES: dict[str, Callable[[tf.Variable], Any]] = {
    "assign": lambda v: v.assign(v + 1),
    "assign_add": lambda v: v.assign_add(tf.ones_like(v)),
    "dense": lambda v: tf.raw_ops.ResourceApplyGradientDescent(
        var=v.handle, alpha=-1.0, delta=tf.ones_like(v)
    ),
    "scatter": lambda v: v.scatter_add(tf.IndexedSlices(tf.ones([1, 2]), tf.constant([0]))),
    "sparse": sparse_adagrad,
    "slice": lambda v: v[0].assign(v[0] + 1),
    "compiled": tf.function(lambda v: v.assign_add(tf.ones_like(v)), jit_compile=True),
}


@pytest.mark.parametrize("first", CHANGES)
@pytest.mark.parametrize("second", CHANGES)
def test_law_no_change_reaches_the_copy(
    first: str, second: str, tmp_path: pathlib.Path, held_back: threading.Event
) -> None:
    """Also where an op writes into the variable's buffer, or has switched it to copy on read."""
    w = SavedVariable("w", tf.Variable(tf.zeros([3, 2])))
    CHANGES[first](w.variable)
    expected = w.variable.numpy().copy()
    manager = manager_of(tmp_path, w)
    manager.save_in_background(1)
    for change in (first, second):
        CHANGES[change](w.variable)
    assert not np.array_equal(w.variable.numpy(), expected)
    held_back.set()
    manager.wait()
    np.testing.assert_array_equal(tf.train.load_variable(str(tmp_path / "model.ckpt-1"), "w"), expected)


def address(variable: tf.Variable) -> int:
    """Where in memory its value lies."""
    return np.asarray(memoryview(variable.read_value())).__array_interface__["data"][0]


def test_values_are_not_copied_before_they_change(tmp_path: pathlib.Path, held_back: threading.Event) -> None:
    w = saved("w", np.zeros(1000, np.float32))
    manager = manager_of(tmp_path, w)
    before = address(w.variable)
    manager.save_in_background(1)
    assert address(w.variable) == before
    w.variable.assign_add(np.ones(1000, np.float32))
    assert address(w.variable) != before


def test_the_copy_is_freed_when_it_is_written(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies: list[weakref.ref[tf.Tensor]] = []
    write = writing.write_checkpoint

    def note(prefix: str, checkpoint: Any, *arguments: Any) -> Any:
        copies.extend(weakref.ref(tensor) for _, tensor, _ in checkpoint._tensors_by_name)
        return write(prefix, checkpoint, *arguments)

    monkeypatch.setattr(writing, "write_checkpoint", note)
    checkpoints = manager_of(tmp_path, saved("w", np.zeros(1000, np.float32)))
    gc.disable()
    try:
        checkpoints.save_in_background(1)
        checkpoints.wait()
        assert [copy() for copy in copies] == [None]
    finally:
        gc.enable()


def test_one_save_at_a_time(tmp_path: pathlib.Path, held_back: threading.Event) -> None:
    w = saved("w", 1.0)
    manager = manager_of(tmp_path, w)
    manager.save_in_background(1)
    second = threading.Thread(target=in_eager_mode(lambda: manager.save_in_background(2)))
    second.start()
    assert len(saving_threads()) == 1
    held_back.set()
    second.join()
    manager.wait()
    assert [os.path.basename(path) for path in manager.checkpoints] == ["model.ckpt-1", "model.ckpt-2"]


def in_eager_mode(function: Callable[[], Any]) -> Callable[[], None]:
    def call() -> None:
        with eager_mode():
            function()

    return call


@pytest.mark.parametrize("look", ["latest", "checkpoints", "restore_latest", "save"])
def test_what_looks_at_checkpoints_waits_for_the_one_that_is_written(
    look: str, tmp_path: pathlib.Path, held_back: threading.Event
) -> None:
    manager = manager_of(tmp_path, saved("w", 1.0))
    manager.save_in_background(1)
    threading.Timer(0.01, held_back.set).start()
    prefix = str(tmp_path / "model.ckpt-1")
    looked = {
        "latest": lambda: manager.latest,
        "checkpoints": lambda: manager.checkpoints[0],
        "restore_latest": manager.restore_latest,
        "save": lambda: manager.save(1),
    }[look]()
    assert looked == prefix


def test_whether_values_are_finite_is_asked_of_the_copy(
    tmp_path: pathlib.Path, held_back: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    held_back.set()
    w = saved("w", 1.0)
    manager = manager_of(tmp_path, w)
    saved_prefixes: list[str] = []
    for step, values in enumerate([(1.0, np.nan), (np.nan, 1.0), (3.0, np.inf)], start=1):
        w.variable.assign(values[0])
        manager.save_in_background(step, saved_prefixes.append)
        w.variable.assign(values[1])
    manager.wait()
    assert [os.path.basename(prefix) for prefix in saved_prefixes] == ["model.ckpt-1", "model.ckpt-3"]
    assert "No checkpoint is saved for step 2: not all values are finite in w." in caplog.messages


# Errors.


def failing_manager(tmp_path: pathlib.Path) -> CheckpointManager:
    """The index of step 2 cannot be written: a directory lies in its place."""
    manager = manager_of(tmp_path, saved("w", 1.0))
    manager.save(1)
    (tmp_path / "model.ckpt-2.index").mkdir()
    return manager


@pytest.mark.parametrize("notice", ["check", "wait", "save_in_background", "save"])
def test_an_error_is_raised_once_at_the_next_occasion(notice: str, tmp_path: pathlib.Path) -> None:
    manager = failing_manager(tmp_path)
    saved_prefixes: list[str] = []
    manager.save_in_background(2, saved_prefixes.append)
    manager._background.join()
    arguments = [3] if notice.startswith("save") else []
    with pytest.raises(CheckpointSaveError, match=r"model\.ckpt-2 could not be saved") as raised:
        getattr(manager, notice)(*arguments)
    assert isinstance(raised.value.__cause__, (OSError, tf.errors.OpError))
    assert saved_prefixes == []
    getattr(manager, notice)(*arguments)
    manager.wait()
    assert resume(tmp_path)[0] == ("model.ckpt-3" if arguments else "model.ckpt-1")


def test_an_error_is_not_raised_by_looking(tmp_path: pathlib.Path) -> None:
    manager = failing_manager(tmp_path)
    manager.save_in_background(2)
    assert manager.latest == str(tmp_path / "model.ckpt-1")
    with pytest.raises(CheckpointSaveError):
        manager.check()


def test_an_error_while_copying_is_raised_at_once(tmp_path: pathlib.Path) -> None:
    manager = manager_of(tmp_path, blank("w", [2]))
    with pytest.raises(tf.errors.FailedPreconditionError):
        manager.save_in_background(1)
    manager.wait()
    assert names(tmp_path) == []


def test_an_error_of_what_is_told_is_raised_too(tmp_path: pathlib.Path) -> None:
    def fail(prefix: str) -> None:
        raise ZeroDivisionError(prefix)

    manager = manager_of(tmp_path, saved("w", 1.0))
    manager.save_in_background(1, fail)
    with pytest.raises(ZeroDivisionError, match=r"model\.ckpt-1"):
        manager.wait()
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)


def test_a_hundred_saves_leave_no_thread_and_no_descriptor(tmp_path: pathlib.Path) -> None:
    manager = manager_of(tmp_path, saved("w", 1.0), max_to_keep=2)
    manager.save(0)
    before = len(os.listdir("/proc/self/fd"))
    for step in range(1, 101):
        manager.save_in_background(step)
        manager.check()
    manager.wait()
    assert saving_threads() == []
    assert len(os.listdir("/proc/self/fd")) == before
    assert resume(tmp_path) == ("model.ckpt-100", 1.0)


def test_log_lines_are_those_of_a_save(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="keras_legacy_train")
    manager = manager_of(tmp_path, saved("w", 1.0))
    manager.save_in_background(3)
    manager.wait()
    assert caplog.messages == [f"Saving checkpoint for step 3 to checkpoint: {tmp_path}/model.ckpt-3."]


def test_a_checkpoint_that_is_there_is_not_written_again(tmp_path: pathlib.Path) -> None:
    manager = manager_of(tmp_path, saved("w", 1.0))
    told: list[str] = []
    prefix = manager.save(3)
    index = (tmp_path / "model.ckpt-3.index").stat().st_ino
    manager.save_in_background(3, told.append)
    assert told == [prefix] == [str(tmp_path / "model.ckpt-3")]
    assert (tmp_path / "model.ckpt-3.index").stat().st_ino == index
