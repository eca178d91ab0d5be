"""Saving: whole and finite checkpoints only, nothing written over, and the newest n kept."""

from __future__ import annotations

import errno
import logging
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoint_helpers import (
    blank,
    data_file,
    flip_a_bit,
    index_file,
    listed,
    manager_of,
    names,
    resume,
    save_with_saver,
    saved,
    truncate,
    unprivileged,
    write,
)
from keras_legacy_train.checkpoints import CheckpointManager, NamedVariables, writing
from keras_legacy_train.checkpoints.reading import read_variable, restore_variables
from keras_legacy_train.errors import CheckpointSaveError, DamagedCheckpointError

pytestmark = pytest.mark.usefixtures("eager_mode", "log")


# Saving.


def test_a_save_is_logged(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, 3)
    assert caplog.messages == [f"Saving checkpoint for step 3 to checkpoint: {tmp_path}/model.ckpt-3."]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64", "complex128"])
def test_what_is_not_finite_is_not_saved(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture, bad: float, dtype: str
) -> None:
    complex_bad = complex(0, bad) if dtype.startswith("complex") else bad
    value = tf.cast(tf.constant(np.array([1, complex_bad])), dtype)
    manager = manager_of(tmp_path, saved("fine", 1.0), saved("sick", value), saved("count", 3))
    assert manager.save(2) is None
    assert names(tmp_path) == []
    assert caplog.messages == ["No checkpoint is saved for step 2: not all values are finite in sick."]
    assert caplog.records[0].levelno == logging.WARNING


def test_the_newest_checkpoint_stays_when_values_are_not_finite(tmp_path: pathlib.Path) -> None:
    w = saved("w", 1.0)
    manager = manager_of(tmp_path, w, max_to_keep=1)
    manager.save(1)
    w.variable.assign(np.nan)
    assert manager.save(1) is None
    assert manager.save(2) is None
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)


def test_what_is_not_finite_is_saved_on_request(tmp_path: pathlib.Path) -> None:
    manager = manager_of(tmp_path, saved("w", np.nan), require_finite=False)
    assert manager.save(2) == str(tmp_path / "model.ckpt-2")
    assert np.isnan(tf.train.load_variable(str(tmp_path / "model.ckpt-2"), "w"))


def test_a_graph_is_written_beside_a_checkpoint(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    state = NamedVariables([saved("v", 7.0)])
    manager = CheckpointManager(str(tmp_path), state, max_to_keep=5, meta_graph=lambda: b"graph")
    prefix = str(manager.save(2))
    assert read_variable(prefix, "v") == 7
    assert read_variable(prefix, "w") is None
    assert (tmp_path / "model.ckpt-2.meta").read_bytes() == b"graph"
    assert len(manager.checkpoints) == 2


def test_the_warning_names_ten_variables_at_most(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    sick = [saved(f"v{i}", np.nan) for i in range(12)]
    halves = [saved("half", tf.constant([np.nan]), f"2 {start},1") for start in (0, 1)]
    manager_of(tmp_path, *halves, *sick).save(1)
    assert "in half, v0, v1, v2, v3, v4, v5, v6, v7, v8 and 3 more variables." in caplog.text


def test_the_newest_number_is_not_written_again(tmp_path: pathlib.Path) -> None:
    manager = write(tmp_path, 3)
    before = data_file(tmp_path, 3).stat().st_mtime_ns, index_file(tmp_path, 3).stat().st_mtime_ns
    assert manager.save(3) == str(tmp_path / "model.ckpt-3")
    assert write(tmp_path, 3, value=9).save(3) == str(tmp_path / "model.ckpt-3")
    assert (data_file(tmp_path, 3).stat().st_mtime_ns, index_file(tmp_path, 3).stat().st_mtime_ns) == before
    assert resume(tmp_path) == ("model.ckpt-3", 3.0)


@pytest.mark.parametrize("harm", [truncate, flip_a_bit, os.remove])
def test_damaged_files_of_the_number_are_moved_aside(
    tmp_path: pathlib.Path, harm: Callable[[pathlib.Path], None]
) -> None:
    write(tmp_path, 1, 2)
    harm(index_file(tmp_path, 2))
    data = data_file(tmp_path, 2).read_bytes()
    write(tmp_path, 2, value=20)
    assert resume(tmp_path) == ("model.ckpt-2", 20.0)
    assert data_file(tmp_path, 2).with_name(data_file(tmp_path, 2).name + ".damaged").read_bytes() == data
    truncate(data_file(tmp_path, 2))
    write(tmp_path, 2, value=21)
    assert resume(tmp_path) == ("model.ckpt-2", 21.0)
    assert data_file(tmp_path, 2).name + ".damaged-1" in names(tmp_path)


def test_an_intact_checkpoint_of_an_abandoned_run_is_moved_aside(tmp_path: pathlib.Path) -> None:
    """The user went back to step 1 by editing `checkpoint`; step 3 is reached anew with other values."""
    write(tmp_path, 1, 2, 3)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"\n')
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)
    write(tmp_path, 3, value=30)
    assert resume(tmp_path) == ("model.ckpt-3", 30.0)
    assert index_file(tmp_path, 3).name + ".replaced" in names(tmp_path)


def test_the_new_checkpoint_is_on_disk_before_it_is_listed_and_old_ones_are_deleted(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut loses what was not synchronised."""
    write(tmp_path, 1)
    on_disk: list[str] = []
    seen = []
    fsync = os.fsync

    def noting_fsync(descriptor: int) -> None:
        on_disk.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        if on_disk[-1] == tmp_path.name:
            seen.append((names(tmp_path), listed(tmp_path), set(on_disk)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    manager_of(tmp_path, saved("w", 2.0), max_to_keep=1, meta_graph=lambda: b"graph").save(2)
    files_of_2 = {index_file(tmp_path, 2).name, data_file(tmp_path, 2).name, "model.ckpt-2.meta"}
    (files, checkpoints, synchronised), (files_after, checkpoints_after, synchronised_after) = seen
    assert files_of_2 <= synchronised | {"model.ckpt-2.meta"}
    assert "model.ckpt-2.meta.temporary" in synchronised
    assert {index_file(tmp_path, 1).name, data_file(tmp_path, 1).name} | files_of_2 <= set(files)
    assert checkpoints == [str(tmp_path / "model.ckpt-1")]
    assert set(files_after) == files_of_2 | {"checkpoint"}
    assert checkpoints_after == [str(tmp_path / "model.ckpt-2")]
    assert "checkpoint" in synchronised_after


# Graphs beside the checkpoints.


def test_the_graph_is_written_beside_and_deleted_with_the_checkpoint(tmp_path: pathlib.Path) -> None:
    graphs = iter([b"one", None, b"three", b"four"])
    manager = manager_of(tmp_path, saved("w", 1.0), max_to_keep=2, meta_graph=lambda: next(graphs))
    (tmp_path / "other.meta").write_bytes(b"not ours")
    for step in (1, 2, 3, 4):
        manager.save(step)
    metas = {path.name: path.read_bytes() for path in tmp_path.glob("*.meta")}
    assert metas == {"model.ckpt-3.meta": b"three", "model.ckpt-4.meta": b"four", "other.meta": b"not ours"}
    assert not list(tmp_path.glob("*.temporary"))


def test_a_failing_graph_leaves_the_earlier_checkpoint_the_newest(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)

    def meta_graph() -> bytes:
        raise RuntimeError("no graph")

    manager = manager_of(tmp_path, saved("w", 2.0), meta_graph=meta_graph)
    with pytest.raises(RuntimeError, match="no graph"):
        manager.save(2)
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)
    assert manager.checkpoints == [str(tmp_path / "model.ckpt-1")]


# Which are kept.


@settings(max_examples=25)
@given(
    runs=st.lists(
        st.tuples(
            st.none() | st.integers(1, 4),
            st.lists(st.integers(1, 3), max_size=5),
        ),
        max_size=4,
    )
)
def test_law_the_newest_n_are_kept(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[int | None, list[int]]]
) -> None:
    """Each run keeps another number of checkpoints and saves after so and so many steps."""
    directory = tmp_path_factory.mktemp("run")
    step, expected = 0, list[int]()
    for max_to_keep, distances in runs:
        manager = manager_of(directory, saved("w", 1.0), max_to_keep=max_to_keep, meta_graph=lambda: b"")
        assert manager.checkpoints == [str(directory / f"model.ckpt-{kept}") for kept in expected]
        for distance in distances:
            step += distance
            manager.save(step)
            expected = [*expected, step][-(max_to_keep or 0) :]
            prefixes = [str(directory / f"model.ckpt-{kept}") for kept in expected]
            assert manager.checkpoints == prefixes
            assert listed(directory) == prefixes
            suffixes = ("data-00000-of-00001", "index", "meta")
            files = [f"model.ckpt-{kept}.{suffix}" for kept in expected for suffix in suffixes]
            assert names(directory) == sorted([*files, "checkpoint"])


def test_all_are_kept_and_listed_without_a_bound(tmp_path: pathlib.Path) -> None:
    manager = write(tmp_path, *range(8))
    assert manager.checkpoints == listed(tmp_path) == [str(tmp_path / f"model.ckpt-{n}") for n in range(8)]


@pytest.mark.parametrize("max_to_keep", [0, -1])
def test_a_bound_must_be_positive(tmp_path: pathlib.Path, max_to_keep: int) -> None:
    with pytest.raises(ValueError, match="max_to_keep"):
        manager_of(tmp_path, max_to_keep=max_to_keep)


@pytest.mark.parametrize("absolute", [False, True])
def test_checkpoints_listed_by_tf_1_take_part(tmp_path: pathlib.Path, absolute: bool) -> None:
    write(tmp_path, 1, 2)
    paths = [f"{tmp_path}/model.ckpt-{n}" if absolute else f"model.ckpt-{n}" for n in (1, 2)]
    lines = [f'model_checkpoint_path: "{paths[-1]}"'] + [f'all_model_checkpoint_paths: "{p}"' for p in paths]
    (tmp_path / "checkpoint").write_text("\n".join(lines))
    manager = manager_of(tmp_path, saved("w", 3.0), max_to_keep=2)
    manager.save(3)
    assert [os.path.basename(p) for p in manager.checkpoints] == ["model.ckpt-2", "model.ckpt-3"]
    assert not index_file(tmp_path, 1).exists()
    assert tmp_path.name not in (tmp_path / "checkpoint").read_text()


def test_a_single_file_of_the_older_format_takes_part(tmp_path: pathlib.Path) -> None:
    save_with_saver(tmp_path, write_version=tf.compat.v1.train.SaverDef.V1)
    manager_of(tmp_path, saved("w", 4.0), max_to_keep=1).save(4)
    assert names(tmp_path) == ["checkpoint", "model.ckpt-4.data-00000-of-00001", "model.ckpt-4.index"]


def test_checkpoints_of_another_name_take_part(tmp_path: pathlib.Path) -> None:
    manager_of(tmp_path, saved("w", 1.0), name="net").save(7)
    assert resume(tmp_path) == ("net-7", 1.0)
    manager_of(tmp_path, saved("w", 2.0), max_to_keep=1).save(8)
    assert [name for name in names(tmp_path) if name.startswith("net")] == []


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_moved_or_copied_directory_still_works(
    tmp_path: pathlib.Path, move: Callable[[str, str], object], absolute: bool
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    write(old, 1, 2)
    if absolute:
        (old / "checkpoint").write_text(f'model_checkpoint_path: "{old}/model.ckpt-2"\n')
    move(str(old), str(new))
    manager = manager_of(new, blank("w", []))
    assert manager.restore_latest() == str(new / "model.ckpt-2")


def test_a_relative_directory_works(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for step in (1, 2, 3):
        manager_of("run", saved("w", float(step)), max_to_keep=2).save(step)
    assert manager_of("run").checkpoints == ["run/model.ckpt-2", "run/model.ckpt-3"]
    assert resume(tmp_path / "run") == ("model.ckpt-3", 3.0)


@pytest.mark.parametrize("path", ["{outside}/model.ckpt-1", "../outside/model.ckpt-1", "../outside/*"])
def test_nothing_outside_the_directory_is_read_or_deleted(tmp_path: pathlib.Path, path: str) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "run"
    write(outside, 1)
    before = names(outside)
    inside.mkdir()
    path = path.format(outside=outside)
    (inside / "checkpoint").write_text(
        f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "{path}"\n'
    )
    with pytest.raises(DamagedCheckpointError, match="outside of the directory"):
        resume(inside)
    manager = manager_of(inside, saved("w", 1.0), max_to_keep=1)
    for step in (5, 6):
        manager.save(step)
    assert names(outside) == before
    assert resume(inside) == ("model.ckpt-6", 1.0)


def test_a_pattern_in_the_list_deletes_nothing(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1, 2)
    (tmp_path / "checkpoint").write_text(
        'model_checkpoint_path: "model.ckpt-2"\nall_model_checkpoint_paths: "*"\n'
    )
    manager_of(tmp_path, saved("w", 3.0), max_to_keep=1).save(3)
    assert index_file(tmp_path, 1).exists()


@pytest.mark.parametrize("name", ["run[1]", "run*", "a?b", "back\\slash"])
def test_a_directory_tensorflow_takes_for_a_pattern_is_refused(tmp_path: pathlib.Path, name: str) -> None:
    with pytest.raises(ValueError, match="as a pattern"):
        manager_of(tmp_path / name)


# Directories that cannot be written.


def test_a_missing_directory_and_its_parents_are_created(tmp_path: pathlib.Path) -> None:
    manager_of(tmp_path / "a" / "b").verify_writable()
    assert names(tmp_path / "a" / "b") == []


@pytest.mark.parametrize("name", [".", "new/run"])
def test_a_directory_that_cannot_be_written_is_told(tmp_path: pathlib.Path, name: str) -> None:
    tmp_path.chmod(0o555)
    manager = manager_of(tmp_path / name)
    with unprivileged(), pytest.raises(PermissionError):
        manager.verify_writable()
    tmp_path.chmod(0o755)
    manager.verify_writable()


def test_a_read_only_file_system_is_told_in_the_same_way(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(PermissionError, match="Read-only file system"):
        manager_of(tmp_path).verify_writable()


def test_a_failed_save_leaves_the_earlier_checkpoints(tmp_path: pathlib.Path) -> None:
    manager = write(tmp_path, 1)
    # A directory lies where the index has to be written.
    index_file(tmp_path, 2).mkdir()
    with pytest.raises((OSError, tf.errors.OpError)):
        manager.save(2)
    assert manager.checkpoints == [str(tmp_path / "model.ckpt-1")]
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)
    assert manager.save(3) == str(tmp_path / "model.ckpt-3")


def test_what_may_be_missing_is_left_as_it_is(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    absent = saved("absent", 5.0, optional=True)
    manager_of(tmp_path, absent).restore(str(tmp_path / "model.ckpt-1"))
    assert absent.variable.numpy() == 5.0


def test_values_that_are_damaged_are_not_restored(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    flip_a_bit(data_file(tmp_path, 1))
    w = saved("w", 5.0)
    with pytest.raises(tf.errors.DataLossError):
        restore_variables(str(tmp_path / "model.ckpt-1"), [w])
    assert w.variable.numpy() == 5.0


def test_an_error_of_another_kind_is_told_as_it_is(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise tf.errors.InternalError(None, None, "an odd thing")

    monkeypatch.setattr(writing, "write_checkpoint", fail)
    with pytest.raises(CheckpointSaveError, match="an odd thing"):
        manager_of(tmp_path, saved("w", 1.0)).save(1)
    assert [name for name in names(tmp_path) if name.startswith("model.ckpt-1.")] == []
