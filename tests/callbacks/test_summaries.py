"""Event files: what is in them, and that one directory has one writer."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from helpers import read_events, run_python, scalar_events
from keras_legacy_train.summaries import SummaryWriter, clear_summary_writers, get_summary_writer

v1 = tf.compat.v1


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[SummaryWriter]:
    with SummaryWriter(tmp_path) as writer:
        yield writer


pytestmark = pytest.mark.usefixtures("no_writers_left")


def scalar(tag: str, value: float) -> Any:
    return v1.Summary(value=[v1.Summary.Value(tag=tag, simple_value=value)])


def content(logdir: Path) -> list[Any]:
    """The events but for the one that begins each file."""
    return [event for event in read_events(logdir) if not event.file_version]


def event_files(logdir: Path) -> list[Path]:
    return sorted(logdir.glob("events.out.tfevents.*"))


@pytest.mark.parametrize("form", [lambda summary: summary, lambda summary: summary.SerializeToString()])
def test_add_summary_takes_a_summary_or_its_bytes(
    form: Callable[[Any], Any], writer: SummaryWriter, tmp_path: Path
) -> None:
    writer.add_summary(form(scalar("loss", 0.5)), 7)
    writer.flush()
    (event,) = content(tmp_path)
    assert event.step == 7
    assert event.summary == scalar("loss", 0.5)


@given(st.text(max_size=8), st.floats(width=32, allow_nan=False), st.integers(0, 2**62))
def test_a_scalar_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, tag: str, value: float, step: int
) -> None:
    logdir = tmp_path_factory.mktemp("scalar")
    with SummaryWriter(logdir) as writer:
        writer.add_scalar(tag, value, step)
    assert scalar_events(logdir) == {tag: {step: value}}


def test_add_scalar_takes_what_a_step_gives(writer: SummaryWriter, tmp_path: Path) -> None:
    writer.add_scalar("float16", np.float16(0.5), np.int64(1))
    writer.add_scalar("int32", np.int32(2), step=3)
    writer.flush()
    assert scalar_events(tmp_path) == {"float16": {1: 0.5}, "int32": {3: 2.0}}


def test_events_are_stamped_with_the_time(
    writer: SummaryWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1234.5)
    writer.add_scalar("loss", 1.0, 1)
    writer.flush()
    assert [event.wall_time for event in read_events(tmp_path)] == [1234.5, 1234.5]


def test_step_may_be_left_out(writer: SummaryWriter, tmp_path: Path) -> None:
    writer.add_summary(scalar("loss", 1.0))
    writer.flush()
    assert [event.step for event in content(tmp_path)] == [0]


def test_add_graph(writer: SummaryWriter, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        tf.constant([1.0, 2.0], name="pair")
    writer.add_graph(graph)
    writer.add_graph(graph.as_graph_def(), 3)
    writer.flush()
    first, second = content(tmp_path)
    with_shapes = v1.GraphDef.FromString(first.graph_def)
    assert with_shapes == graph.as_graph_def(add_shapes=True)
    assert with_shapes.node[0].attr["_output_shapes"].list.shape[0].dim[0].size == 2
    assert second.step == 3
    assert v1.GraphDef.FromString(second.graph_def) == graph.as_graph_def()


@pytest.mark.parametrize("not_a_graph", [None, "graph.pbtxt", v1.Summary()])
def test_add_graph_refuses_what_is_none(not_a_graph: Any, writer: SummaryWriter, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=type(not_a_graph).__name__):
        writer.add_graph(not_a_graph)
    assert event_files(tmp_path) == []


def test_add_session_log(writer: SummaryWriter, tmp_path: Path) -> None:
    log = v1.SessionLog(status=v1.SessionLog.CHECKPOINT, checkpoint_path="dir/model.ckpt")
    writer.add_session_log(log, 5)
    writer.flush()
    (event,) = content(tmp_path)
    assert (event.step, event.session_log) == (5, log)


def test_add_event_writes_it_as_it_is(writer: SummaryWriter, tmp_path: Path) -> None:
    event = v1.Event(wall_time=1.5, step=4, summary=scalar("loss", 2.0))
    writer.add_event(event)
    writer.flush()
    assert content(tmp_path) == [event]


def test_a_file_is_made_by_its_first_event(tmp_path: Path) -> None:
    logdir = tmp_path / "missing" / "too"
    writer = SummaryWriter(logdir)
    writer.flush()
    writer.close()
    assert not logdir.exists()
    writer.add_scalar("loss", 1.0, 1)
    writer.close()
    (first, _) = read_events(logdir)
    assert first.file_version == "brain.Event:2"


def test_events_after_close_go_into_a_new_file(writer: SummaryWriter, tmp_path: Path) -> None:
    for step in (1, 2):
        writer.add_scalar("loss", 0.0, step)
        writer.close()
    assert len(event_files(tmp_path)) == 2
    assert sorted(scalar_events(tmp_path)["loss"]) == [1, 2]


def test_reopen_opens_a_file_only_if_none_is_open(writer: SummaryWriter, tmp_path: Path) -> None:
    writer.reopen()
    writer.reopen()
    assert len(event_files(tmp_path)) == 1
    writer.close()
    writer.reopen()
    assert len(event_files(tmp_path)) == 2


def test_many_threads_may_write(writer: SummaryWriter, tmp_path: Path) -> None:
    def write(tag: str) -> None:
        for step in range(20):
            writer.add_scalar(tag, step, step)

    threads = [threading.Thread(target=write, args=(tag,)) for tag in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.flush()
    assert len(event_files(tmp_path)) == 1
    assert scalar_events(tmp_path) == {tag: {step: step for step in range(20)} for tag in "abcd"}


@pytest.mark.parametrize("form", [str, os.fsencode, lambda path: path, lambda path: f"{path}/"])
def test_a_directory_has_one_writer(form: Callable[[Path], Any], tmp_path: Path) -> None:
    assert get_summary_writer(form(tmp_path)) is get_summary_writer(tmp_path)
    assert get_summary_writer(tmp_path / "other") is not get_summary_writer(tmp_path)


def test_relative_and_absolute_paths_name_one_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert get_summary_writer("run") is get_summary_writer(tmp_path / "run")


def test_get_logdir_is_a_string(tmp_path: Path) -> None:
    assert SummaryWriter(tmp_path).get_logdir() == str(tmp_path)
    assert SummaryWriter(os.fsencode(tmp_path)).get_logdir() == str(tmp_path)


def test_clear_summary_writers_closes_and_forgets(tmp_path: Path) -> None:
    writer = get_summary_writer(tmp_path)
    writer.add_scalar("loss", 0.5, 1)
    clear_summary_writers()
    assert scalar_events(tmp_path) == {"loss": {1: 0.5}}
    assert get_summary_writer(tmp_path) is not writer


def test_in_a_graph(writer: SummaryWriter, tmp_path: Path) -> None:
    with tf.Graph().as_default():
        summary_op = v1.summary.scalar("loss", tf.constant(0.25))
        with v1.Session() as session:
            writer.add_summary(session.run(summary_op), 1)
        writer.flush()
    assert scalar_events(tmp_path) == {"loss": {1: 0.25}}


@pytest.mark.slow
def test_without_tf_2_behaviour(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "import tensorflow.compat.v1 as tf\n"
        "tf.disable_v2_behavior()\n"
        "from keras_legacy_train.summaries import SummaryWriter\n"
        "with SummaryWriter(sys.argv[1]) as writer:\n"
        "    writer.add_graph(tf.get_default_graph())\n"
        "    writer.add_scalar('loss', 0.5, 2)\n"
    )
    result = run_python(script, tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert scalar_events(tmp_path / "run") == {"loss": {2: 0.5}}
