"""What `train` leaves in its output directory."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
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
    listed_checkpoints,
    newest_checkpoint,
    read_events,
    scalar_events,
)
from keras_legacy_train import train

_NOBODY = 65534


def train_in_turns(output_dir: Path, turns: int, **arguments: Any) -> None:
    """Trains one step `turns` times, each leaving a checkpoint."""
    for _ in range(turns):
        train(
            output_dir=output_dir,
            steps=1,
            monitors=[Silent()],
            **graphs.build("linear_sgd").arguments(),
            **arguments,
        )


def test_files(job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=3, **job.arguments())
    names = {path.name for path in tmp_path.iterdir()}
    events = {name for name in names if name.startswith("events.out.tfevents.")}
    assert len(events) == 1
    endings = (".index", ".data-00000-of-00001", ".meta")
    checkpoints = {f"model.ckpt-{step}{ending}" for step in (0, 3) for ending in endings}
    assert names - events == {"checkpoint", "graph.pbtxt", *checkpoints}


def test_graph_pbtxt_is_the_graph(job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=1, **job.arguments())
    with tf.Graph().as_default() as graph:
        definition = tf.compat.v1.GraphDef()
        from google.protobuf import text_format

        text_format.Parse((tmp_path / "graph.pbtxt").read_text(), definition)
        tf.import_graph_def(definition, name="")
    assert graph.get_operation_by_name(job.train_op.name)


@pytest.mark.parametrize("monitor", [Recorder, Silent], ids=["watched", "in windows"])
def test_first_checkpoint_is_of_step_0(monitor: Callable[[], Any], job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=3, monitors=[monitor()], **job.arguments())
    first = checkpoint_values(tmp_path, "model.ckpt-0")
    assert first["global_step"] == 0
    np.testing.assert_array_equal(first["w"], np.zeros([8, 1]))


@pytest.mark.parametrize(("keep", "kept"), [(1, [6]), (5, [2, 3, 4, 5, 6])])
def test_keep_checkpoint_max(keep: int, kept: list[int], tmp_path: Path) -> None:
    train_in_turns(tmp_path, 6, keep_checkpoint_max=keep)
    assert checkpoint_numbers(tmp_path) == kept
    assert listed_checkpoints(tmp_path) == [f"model.ckpt-{step}" for step in kept]
    assert sorted(int(path.stem.rpartition("-")[2]) for path in tmp_path.glob("*.meta")) == kept


@pytest.mark.parametrize("keep", [0, None])
def test_keep_every_checkpoint(keep: int | None, tmp_path: Path) -> None:
    train_in_turns(tmp_path, 7, keep_checkpoint_max=keep)
    assert checkpoint_numbers(tmp_path) == list(range(8))
    assert listed_checkpoints(tmp_path) == [f"model.ckpt-{step}" for step in range(8)]


def test_negative_keep_checkpoint_max(job: Job, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keep_checkpoint_max"):
        train(output_dir=tmp_path / "new", steps=1, keep_checkpoint_max=-1, **job.arguments())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("seconds", [0, None])
def test_no_timed_checkpoints(seconds: int | None, job: Job, tmp_path: Path) -> None:
    monitors = [Recorder()]
    train(
        output_dir=tmp_path, steps=9, supervisor_save_model_secs=seconds, monitors=monitors, **job.arguments()
    )
    assert checkpoint_numbers(tmp_path) == [0, 9]


def test_timed_checkpoints(job: Job, tmp_path: Path) -> None:
    """So short a time has passed after every step."""
    train(
        output_dir=tmp_path,
        steps=4,
        supervisor_save_model_secs=1e-9,
        keep_checkpoint_max=None,
        monitors=[Recorder()],
        **job.arguments(),
    )
    assert checkpoint_numbers(tmp_path) == [0, 1, 2, 3, 4]
    for step in range(5):
        assert checkpoint_values(tmp_path, f"model.ckpt-{step}")["global_step"] == step


def test_directory_and_parents_are_created(job: Job, tmp_path: Path) -> None:
    train(output_dir=str(tmp_path / "a" / "b" / "c"), steps=1, **job.arguments())
    assert newest_checkpoint(tmp_path / "a" / "b" / "c") == "model.ckpt-1"


@pytest.mark.parametrize("kind", [str, Path, os.fsencode], ids=["str", "pathlib.Path", "bytes"])
def test_kinds_of_path(kind: Callable[[str], Any], job: Job, tmp_path: Path) -> None:
    train(output_dir=kind(str(tmp_path)), steps=1, **job.arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-1"


def test_relative_path(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train(output_dir="run", steps=1, **job.arguments())
    train(output_dir="run", steps=1, **job.arguments())
    assert newest_checkpoint(tmp_path / "run") == "model.ckpt-2"


def test_directory_can_be_moved(tmp_path: Path) -> None:
    train(output_dir=tmp_path / "before", steps=1, **graphs.build("linear_sgd").arguments())
    (tmp_path / "before").rename(tmp_path / "after")
    train(output_dir=tmp_path / "after", steps=1, **graphs.build("linear_sgd").arguments())
    assert checkpoint_numbers(tmp_path / "after") == [0, 1, 2]


@pytest.fixture
def read_only_directory() -> Iterator[Path]:
    """A directory that this process, even one of root's, may read but not write to."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(
            stat.S_IRUSR | stat.S_IXUSR | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH
        )
        user = os.geteuid()
        if user == 0:
            os.seteuid(_NOBODY)
        yield directory
        os.seteuid(user)
        directory.chmod(stat.S_IRWXU)


def test_directory_is_not_writable(tmp_path: Path, read_only_directory: Path) -> None:
    job = graphs.build("linear_sgd")
    recorder = Recorder()
    with pytest.raises(PermissionError):
        train(output_dir=read_only_directory, steps=1, monitors=[recorder], **job.arguments())
    assert recorder.steps("step_begin") == []
    assert list(read_only_directory.iterdir()) == []


def test_output_dir_is_a_file(job: Job, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(OSError):
        train(output_dir=tmp_path / "file", steps=1, **job.arguments())


@pytest.mark.usefixtures("variable_kind")
def test_events(job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=205, **job.arguments())
    events = read_events(tmp_path)
    assert any(event.WhichOneof("what") == "graph_def" for event in events)
    logs = [
        (event.session_log.status, event.step)
        for event in events
        if event.WhichOneof("what") == "session_log"
    ]
    log_kinds = tf.compat.v1.SessionLog
    assert (log_kinds.START, 0) in logs
    checkpoints = [step for status, step in logs if status == log_kinds.CHECKPOINT]
    assert checkpoints == [0, 205]
    scalars = scalar_events(tmp_path)
    assert {"loss_summary", "global_step/sec"} <= set(scalars)
    assert all(rate > 0 for rate in scalars["global_step/sec"].values())


def test_checkpoint_event_names_the_checkpoint(job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=2, **job.arguments())
    paths = [
        event.session_log.checkpoint_path
        for event in read_events(tmp_path)
        if event.session_log.status == tf.compat.v1.SessionLog.CHECKPOINT
    ]
    assert [Path(path).name for path in paths] == ["model.ckpt-0", "model.ckpt-2"]


def test_events_of_a_resumed_run(tmp_path: Path) -> None:
    for _ in range(2):
        train(output_dir=tmp_path, steps=2, **graphs.build("linear_sgd").arguments())
    starts = [
        event.step
        for event in read_events(tmp_path)
        if event.session_log.status == tf.compat.v1.SessionLog.START
    ]
    assert starts == [0, 2]


@pytest.mark.usefixtures("variable_kind")
@pytest.mark.parametrize(
    ("n", "steps", "expected"), [(4, 10, [1, 5, 9, 10]), (1, 3, [1, 2, 3]), (100, 5, [1, 5])]
)
def test_summaries_every_n_steps(n: int, steps: int, expected: list[int], job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=steps, supervisor_save_summaries_steps=n, **job.arguments())
    assert sorted(scalar_events(tmp_path)["loss_summary"]) == expected


def test_summary_values_are_of_their_step(tmp_path: Path) -> None:
    job = graphs.build("linear_sgd")
    recorder = Recorder(job.loss)
    train(output_dir=tmp_path / "watched", steps=5, monitors=[recorder], **job.arguments())
    job = graphs.build("linear_sgd")
    train(output_dir=tmp_path / "summary", steps=5, supervisor_save_summaries_steps=2, **job.arguments())
    expected = {step: recorder.outputs[step]["loss:0"] for step in (1, 3, 5)}
    assert scalar_events(tmp_path / "summary")["loss_summary"] == pytest.approx(expected)


@pytest.mark.usefixtures("variable_kind")
def test_non_chief_writes_nothing(job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path / "new", steps=2, supervisor_is_chief=False, **job.arguments())
    assert not list(tmp_path.glob("new/*"))
