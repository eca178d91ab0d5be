"""What killed and failed saves leave behind, and that the next start clears it away, and nothing else."""

from __future__ import annotations

import errno
import logging
import os
import pathlib
import resource
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.lib.io import file_io

from checkpoint_helpers import (
    blank,
    clean_up,
    data_file,
    flip_a_bit,
    index_file,
    manager_of,
    names,
    resume,
    saved,
    unprivileged,
    write,
)
from crashes import CrashServer
from keras_legacy_train.checkpoints import leftovers
from keras_legacy_train.errors import CheckpointSaveError

pytestmark = pytest.mark.usefixtures("eager_mode")


def complete(*steps: int, metas: bool = False) -> list[str]:
    """Names of all the files of a directory with these checkpoints."""
    suffixes = ["data-00000-of-00001", "index", *["meta"] * metas]
    return sorted(["checkpoint", *(f"model.ckpt-{step}.{suffix}" for step in steps for suffix in suffixes)])


def contents(directory: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


# Kills.


@pytest.mark.parametrize(
    ("max_to_keep", "background"), [(2, True), pytest.param(1, False, marks=pytest.mark.slow)]
)
def test_law_a_kill_between_any_two_file_operations_loses_nothing(
    max_to_keep: int, background: bool, tmp_path: pathlib.Path, crash_server: CrashServer
) -> None:
    """What was the newest checkpoint is there, or the next one is, and all the rest is cleared away."""
    arguments = {"steps": [3], "max_to_keep": max_to_keep, "background": background}
    write(tmp_path / "0", 1, 2, max_to_keep=max_to_keep, meta_graph=lambda: b"graph")
    newest = []
    for operation in range(1, 100):
        directory = tmp_path / str(operation)
        shutil.copytree(tmp_path / "0", directory)
        outcome = crash_server.run("save", kill_before=operation, directory=str(directory), **arguments)
        if not outcome.was_killed:
            assert outcome.returncode == 0, outcome.output
            break
        found = resume(directory)
        assert found in (("model.ckpt-2", 2.0), ("model.ckpt-3", 3.0))
        newest.append(found[1])
        clean_up(directory)
        assert resume(directory) == found
        lying = [step for step in (1, 2, 3) if index_file(directory, step).exists()]
        metas = set(names(directory)) - set(complete(*lying))
        assert set(names(directory)) - metas == set(complete(*lying))
        # The graph beside a checkpoint is deleted last of all.
        assert metas - {f"model.ckpt-{step}.meta" for step in lying} <= {f"model.ckpt-{lying[0] - 1}.meta"}
        write(directory, 4)
        assert resume(directory) == ("model.ckpt-4", 4.0)
    assert len(newest) > 15
    assert newest == sorted(newest) and set(newest) == {2.0, 3.0}


# Errors.


@pytest.fixture
def fails_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Has the so-and-so-manieth file operation from now on fail, of Python's own and of TensorFlow's."""
    countdown = [0]

    def failing(function: Callable[..., Any], error: Exception) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            countdown[0] -= 1
            if countdown[0] == 0:
                raise error
            return function(*arguments, **options)

        return call

    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for name in ("fsync", "replace", "rename"):
        monkeypatch.setattr(os, name, failing(getattr(os, name), full))
    full_of_tensorflow = tf.errors.ResourceExhaustedError(None, None, f"x; {os.strerror(errno.ENOSPC)}")
    for name in ("rename", "write_string_to_file", "recursive_create_dir"):
        monkeypatch.setattr(file_io, name, failing(getattr(file_io, name), full_of_tensorflow))
    return lambda number: countdown.__setitem__(0, number)


@pytest.mark.parametrize("background", [False, True])
def test_law_an_error_at_any_file_operation_is_told_and_loses_nothing(
    background: bool, tmp_path: pathlib.Path, fails_at: Callable[[int], None]
) -> None:
    w = saved("w", 0.0)
    failures = 0
    for operation in range(1, 100):
        directory = tmp_path / str(operation)
        manager = manager_of(directory, w, max_to_keep=2, meta_graph=lambda: b"graph")
        for step in (1, 2):
            w.variable.assign(step)
            manager.save(step)
        before = contents(directory)
        w.variable.assign(3)
        fails_at(operation)
        try:
            manager.save_in_background(3) if background else manager.save(3)
            manager.wait()
        except CheckpointSaveError as error:
            failures += 1
            assert error.errno == errno.ENOSPC and "No space left on device" in str(error)
            assert str(directory / "model.ckpt-3") in str(error)
        else:
            break
        fails_at(-1)
        if resume(directory) == ("model.ckpt-2", 2.0):
            after = contents(directory)
            assert after.keys() == before.keys()
            assert {**after, "checkpoint": b""} == {**before, "checkpoint": b""}
        else:
            assert resume(directory) == ("model.ckpt-3", 3.0)
        w.variable.assign(4)
        assert manager.save(4) == str(directory / "model.ckpt-4")
        assert resume(directory) == ("model.ckpt-4", 4.0)
        clean_up(directory)
        assert not set(names(directory)) - set(complete(1, 2, 3, 4, metas=True))
    assert failures > 10


@pytest.fixture
def full_disk() -> Iterator[Callable[[], None]]:
    """Lets no file grow beyond 64 KB, also of those that TensorFlow writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("background", [False, True])
def test_data_that_does_not_fit_on_the_disk(
    background: bool, tmp_path: pathlib.Path, full_disk: Callable[[], None]
) -> None:
    w = saved("w", np.zeros(2**18, np.float32))
    manager = manager_of(tmp_path, w)
    manager.save(1)
    before = contents(tmp_path)
    full_disk()
    with pytest.raises(CheckpointSaveError, match="File too large") as raised:
        manager.save_in_background(2) if background else manager.save(2)
        manager.wait()
    assert raised.value.errno == errno.EFBIG
    assert contents(tmp_path).keys() == before.keys()
    assert manager.latest == str(tmp_path / "model.ckpt-1")


@pytest.mark.parametrize("becomes", ["nothing", "a file"])
def test_a_directory_that_is_gone_is_told_and_not_made_anew(becomes: str, tmp_path: pathlib.Path) -> None:
    manager = write(tmp_path / "run", 1)
    (tmp_path / "run").rename(tmp_path / "away")
    if becomes == "a file":
        (tmp_path / "run").touch()
    with pytest.raises(CheckpointSaveError) as raised:
        manager.save(2)
    assert raised.value.errno == {"nothing": errno.ENOENT, "a file": errno.ENOTDIR}[becomes]
    assert names(tmp_path) == (["away"] if becomes == "nothing" else ["away", "run"])
    assert resume(tmp_path / "away") == ("model.ckpt-1", 1.0)


def test_a_directory_that_can_no_longer_be_written_to(tmp_path: pathlib.Path) -> None:
    manager = write(tmp_path, 1)
    tmp_path.chmod(0o555)
    try:
        with unprivileged(), pytest.raises(CheckpointSaveError, match="Permission denied") as raised:
            manager.save(2)
    finally:
        tmp_path.chmod(0o755)
    assert raised.value.errno == errno.EACCES
    assert names(tmp_path) == complete(1)
    assert manager.save(2) == str(tmp_path / "model.ckpt-2")


# What the next start clears away.


def test_temporary_files_are_deleted(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="keras_legacy_train")
    write(tmp_path, 1)
    for name in (
        "checkpoint.temporary",
        "graph.pbtxt.temporary",
        f"checkpoint.tmp{'0a' * 16}",
        "model.ckpt-1.meta.temporary",
        "model.ckpt-2.unfinished.temporary",
    ):
        (tmp_path / name).write_bytes(b"torn")
    folder = tmp_path / "model.ckpt-2_temp"
    folder.mkdir()
    for name in ("part-00000-of-00001.data-00000-of-00001.tempstate123", "part-00000-of-00001.index"):
        (folder / name).write_bytes(b"torn")
    caplog.clear()
    clean_up(tmp_path)
    assert names(tmp_path) == complete(1)
    (line,) = caplog.messages
    assert line.startswith(f"Deleted what killed saves have left in {tmp_path}: ")
    assert "checkpoint.temporary" in line and "model.ckpt-2" in line
    clean_up(tmp_path)
    assert len(caplog.messages) == 1


OTHERS = [
    "checkpoint.tmp",
    "checkpoint.tmp-mine",
    "model.ckpt.temporary",
    "model.ckpt-1.index.temporary",
    "other-2.meta.temporary",
    "model.ckpt-2.data",
    "model.ckpt-2.meta",
    "model.ckpt-x.data-00000-of-00001",
    "other-2.data-00000-of-00001",
    "model.ckpt-1.data-00000-of-00001.damaged",
    "notes.txt",
    "events.out.tfevents.1",
]


def test_files_of_others_are_left(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    for name in OTHERS:
        (tmp_path / name).touch()
    folder = tmp_path / "model.ckpt-3_temp"
    folder.mkdir()
    (folder / "mine").touch()
    before = names(tmp_path)
    clean_up(tmp_path)
    assert names(tmp_path) == before and names(folder) == ["mine"]


def test_a_link_in_the_place_of_a_temporary_folder_is_not_followed(tmp_path: pathlib.Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    part = outside / "part-00000-of-00001.index"
    part.touch()
    run = tmp_path / "run"
    write(run, 1)
    (run / "model.ckpt-2_temp").symlink_to(outside)
    clean_up(run)
    assert names(run) == complete(1) and part.exists()


def test_data_without_an_index_is_deleted_if_it_is_not_listed(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    data_file(tmp_path, 2).write_bytes(b"torn")
    clean_up(tmp_path)
    assert names(tmp_path) == complete(1)


@pytest.mark.parametrize("state", ["listed", "no list"])
def test_damage_is_not_taken_for_a_leftover(state: str, tmp_path: pathlib.Path) -> None:
    """Not the newest checkpoint, whatever it lacks, and nothing at all if no list tells what counts."""
    write(tmp_path, 1, 2)
    index_file(tmp_path, 2).unlink()
    if state == "no list":
        (tmp_path / "checkpoint").unlink()
    before = names(tmp_path)
    clean_up(tmp_path)
    assert names(tmp_path) == before


def test_damaged_files_are_renamed_before_the_next_save_and_then_left(tmp_path: pathlib.Path) -> None:
    """Whether they are listed or found, the next start must not take them for leftovers."""
    write(tmp_path, 1, 2, 3)
    index_file(tmp_path, 3).unlink()
    flip_a_bit(data_file(tmp_path, 2))
    w = blank("w", [])
    clean_up(tmp_path)
    manager = manager_of(tmp_path, w)
    assert manager.restore_latest() == str(tmp_path / "model.ckpt-1")
    manager.save(5)
    damaged = [name for name in names(tmp_path) if name.endswith(".damaged")]
    assert damaged == [
        f"{path.name}.damaged"
        for path in (data_file(tmp_path, 2), index_file(tmp_path, 2), data_file(tmp_path, 3))
    ]
    clean_up(tmp_path)
    assert names(tmp_path) == sorted(complete(1, 5) + damaged)


@pytest.mark.parametrize("intact", [True, False])
def test_an_unfinished_checkpoint_is_kept_if_it_is_all_there_is(intact: bool, tmp_path: pathlib.Path) -> None:
    """After a power cut the `checkpoint` file may be older than the deletion of what it lists."""
    write(tmp_path, 1, 2)
    (tmp_path / "model.ckpt-2.unfinished").touch()
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"\n')
    for path in (index_file(tmp_path, 1), data_file(tmp_path, 1)):
        path.unlink()
    if not intact:
        flip_a_bit(data_file(tmp_path, 2))
    clean_up(tmp_path)
    assert names(tmp_path) == (complete(2) if intact else ["checkpoint"])
    if intact:
        assert resume(tmp_path) == ("model.ckpt-2", 2.0)


@pytest.mark.slow
def test_a_directory_need_not_exist(tmp_path: pathlib.Path) -> None:
    clean_up(tmp_path / "missing")
    assert names(tmp_path) == []


def test_there_may_be_nothing_to_take_back(tmp_path: pathlib.Path) -> None:
    (tmp_path / "checkpoint").write_text("of somebody else")
    manager_of(tmp_path, saved("w", 1.0)).take_back()
    assert (tmp_path / "checkpoint").read_text() == "of somebody else"
    leftovers.remove_all(str(tmp_path / "missing"), "model.ckpt")
    write(tmp_path, 1, 2)
    leftovers.remove_all(str(tmp_path), "model.ckpt")
    assert names(tmp_path) == ["checkpoint.damaged"]  # what was there before
