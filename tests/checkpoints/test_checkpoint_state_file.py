"""A `checkpoint` file, and all else in an output directory, may be anything, and nothing hangs."""

from __future__ import annotations

import logging
import os
import pathlib
import time
from collections.abc import Callable

import pytest
import tensorflow as tf

from checkpoint_helpers import (
    clean_up,
    data_file,
    index_file,
    listed,
    manager_of,
    names,
    resume,
    saved,
    write,
)
from keras_legacy_train import framework, train
from keras_legacy_train.errors import DamagedCheckpointError

pytestmark = pytest.mark.usefixtures("eager_mode")


def fifo(path: pathlib.Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def device(path: pathlib.Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def sparse(path: pathlib.Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**31)


def directory(path: pathlib.Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def dangling_link(path: pathlib.Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("nowhere")


ODD_FILES = [fifo, device, sparse, directory, dangling_link]


@pytest.mark.parametrize("put", ODD_FILES)
def test_a_list_that_is_no_plain_file_is_passed_over(
    put: Callable[[pathlib.Path], None], tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, 30, 60)
    put(tmp_path / "checkpoint")
    manager = manager_of(tmp_path, saved("w", 7.0))
    clean_up(tmp_path)
    assert resume(tmp_path) == ("model.ckpt-60", 60.0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"{tmp_path}/checkpoint is missing or unreadable" in caplog.text
    manager.save(90)
    assert resume(tmp_path) == ("model.ckpt-90", 7.0)
    assert [os.path.basename(path) for path in listed(tmp_path)] == [f"model.ckpt-{n}" for n in (30, 60, 90)]


@pytest.mark.parametrize("put", ODD_FILES)
@pytest.mark.parametrize("file", [index_file, data_file])
def test_a_checkpoint_of_no_plain_files_is_damaged(
    file: Callable[[pathlib.Path, int], pathlib.Path],
    put: Callable[[pathlib.Path], None],
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(tmp_path, 30, 60)
    put(file(tmp_path, 60))
    assert resume(tmp_path) == ("model.ckpt-30", 30.0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"Checkpoint {tmp_path}/model.ckpt-60 is damaged and passed over" in caplog.text
    with pytest.raises((ValueError, tf.errors.OpError), match="ckpt-60"):
        framework.load_variable(tmp_path / "model.ckpt-60", "w")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "link", "../elsewhere/model.ckpt-99"])
def test_where_the_newest_in_the_list_is_refused_the_highest_step_is_used(
    path: str, tmp_path: pathlib.Path
) -> None:
    """The others in the list are older than it, and need not be all."""
    write(tmp_path, 30, 60)
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "checkpoint").write_text(
        f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "model.ckpt-30"\n'
    )
    assert resume(tmp_path) == ("model.ckpt-60", 60.0)


def write_list(directory: pathlib.Path, count: int) -> None:
    lines = [f'all_model_checkpoint_paths: "model.ckpt-{step}"\n' for step in range(count)]
    lines.append(f'model_checkpoint_path: "model.ckpt-{count - 1}"\n')
    (directory / "checkpoint").write_text("".join(lines))


def seconds_to_resume(directory: pathlib.Path) -> float:
    start = time.process_time()
    manager = manager_of(directory, saved("w", 7.0))
    clean_up(directory)
    assert manager.restore_latest() == str(directory / "model.ckpt-60")
    manager.save(10**6)
    assert resume(directory) == (f"model.ckpt-{10**6}", 60.0)
    return time.process_time() - start


def test_a_list_takes_time_in_proportion_to_its_length(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    for count in (1_000, 10_000):
        write(tmp_path / str(count), 30, 60)
        write_list(tmp_path / str(count), count)
    few = seconds_to_resume(tmp_path / "1000")
    caplog.clear()
    many = seconds_to_resume(tmp_path / "10000")
    assert many < 30 * few + 1  # 100 times, if it went with the square
    (record,) = caplog.records
    assert "The files of 9998 checkpoints" in record.getMessage() and len(record.getMessage()) < 999


def test_where_all_that_is_listed_is_gone_the_error_is_short(tmp_path: pathlib.Path) -> None:
    write_list(tmp_path, 1000)
    with pytest.raises(DamagedCheckpointError, match=r"model\.ckpt-999: its files are gone") as caught:
        resume(tmp_path)
    assert len(caught.value.problems) == 1000 and len(str(caught.value).splitlines()) < 60


@pytest.mark.parametrize("put", [fifo, device, directory])
def test_a_meta_file_that_is_none_is_an_error(
    put: Callable[[pathlib.Path], None], tmp_path: pathlib.Path
) -> None:
    put(tmp_path / "graph.meta")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*graph\.meta"):
        train(str(tmp_path / "graph.meta"), tmp_path / "run", "train", "loss", steps=1)


@pytest.mark.parametrize("put", [fifo, device, dangling_link])
@pytest.mark.parametrize("name", ["graph.pbtxt", "model.ckpt-1.meta", ".trainer.lock"])
def test_odd_files_where_a_run_writes_are_replaced(
    name: str, put: Callable[[pathlib.Path], None], tmp_path: pathlib.Path
) -> None:
    put(tmp_path / name)
    with tf.Graph().as_default() as graph:
        w = tf.compat.v1.get_variable("w", initializer=1.0)
        loss = tf.square(w)
        step = tf.compat.v1.train.create_global_step()
        train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    train(graph, str(tmp_path), train_op, loss, steps=1)
    assert "model.ckpt-1.index" in names(tmp_path)
    assert (tmp_path / "graph.pbtxt").is_file()
