"""The monitors that write files: summaries, step rates, checkpoints."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from helpers import read_events, scalar_events
from keras_legacy_train import monitors
from keras_legacy_train.monitors.scheduling import next_step
from monitor_helpers import Clock, Estimator, Line, Writer, drive

v1 = tf.compat.v1


pytestmark = pytest.mark.usefixtures("no_writers_left")


# SummarySaver, StepCounter, get_default_monitors.


@pytest.mark.parametrize(("max_steps", "expected"), [(None, [1, 4, 7, 10]), (11, [1, 4, 7, 10, 11])])
def test_summary_saver(max_steps: int | None, expected: list[int], line: Line) -> None:
    writer = Writer()
    line.drive(
        monitors.SummarySaver(line.summary_op, save_steps=3, summary_writer=writer), 11, max_steps=max_steps
    )
    assert writer.scalars == [(step, 4.0 ** (2 - step)) for step in expected]
    assert writer.flushes == 1


def test_summary_saver_writes_into_output_dir(line: Line, tmp_path: Path) -> None:
    line.drive(monitors.SummarySaver("loss_summary", save_steps=2, output_dir=tmp_path), 4)
    assert scalar_events(tmp_path) == {"loss_summary": {1: 4.0, 3: 0.25}}


def test_summary_saver_writes_through_a_file_writer(line: Line, tmp_path: Path) -> None:
    with line.graph.as_default(), v1.summary.FileWriter(str(tmp_path)) as writer:
        line.drive(monitors.SummarySaver(line.summary_op, summary_writer=writer), 1)
    assert scalar_events(tmp_path) == {"loss_summary": {1: 4.0}}


def test_summary_saver_takes_the_op_of_a_scaffold(line: Line) -> None:
    writer = Writer()
    scaffold = v1.train.Scaffold(summary_op=line.summary_op)
    line.drive(monitors.SummarySaver(None, summary_writer=writer, scaffold=scaffold), 1)
    assert writer.scalars == [(1, 4.0)]


def test_summary_saver_writes_for_its_estimator(line: Line, tmp_path: Path) -> None:
    monitor = monitors.SummarySaver(line.summary_op)
    monitor.set_estimator(Estimator(tmp_path))
    line.drive(monitor, 1)
    assert scalar_events(tmp_path) == {"loss_summary": {1: 4.0}}


def test_summary_saver_without_a_writer_only_asks(line: Line) -> None:
    assert line.drive(monitors.SummarySaver(line.summary_op), 2) == 2


def test_summary_saver_without_an_op_writes_nothing(line: Line) -> None:
    writer = Writer()
    line.drive(monitors.SummarySaver(None, summary_writer=writer), 2)
    assert writer.scalars == []


def test_step_counter(clock: Clock) -> None:
    writer = Writer()

    def run(step: int, requests: Iterable[Any]) -> dict[Any, Any]:
        clock.now += 0.5 if step <= 5 else 0.25
        return {}

    drive(monitors.StepCounter(4, summary_writer=writer), until=13, run=run)
    assert writer.scalars == [(5, 2.0), (9, 4.0), (13, 4.0)]
    assert writer.flushes == 1


def test_step_counter_says_nothing_when_no_time_has_passed(clock: Clock) -> None:
    writer = Writer()
    drive(monitors.StepCounter(1, summary_writer=writer), until=3)
    assert writer.scalars == []


def test_step_counter_does_not_count_the_time_between_runs(clock: Clock) -> None:
    writer = Writer()
    monitor = monitors.StepCounter(1, summary_writer=writer)

    def run(step: int, requests: Iterable[Any]) -> dict[Any, Any]:
        clock.now += 0.5
        return {}

    drive(monitor, until=2, run=run)
    clock.now += 3600
    drive(monitor, start=2, until=4, run=run)
    assert writer.scalars == [(2, 2.0), (4, 2.0)]


@pytest.mark.parametrize("by_estimator", [False, True])
def test_step_counter_writes_into_a_directory(by_estimator: bool, clock: Clock, tmp_path: Path) -> None:
    monitor = monitors.StepCounter(2, output_dir=None if by_estimator else tmp_path)
    if by_estimator:
        monitor.set_estimator(Estimator(tmp_path))

    def run(step: int, requests: Iterable[Any]) -> dict[Any, Any]:
        clock.now += 0.5
        return {}

    drive(monitor, until=3, run=run)
    assert scalar_events(tmp_path) == {"global_step/sec": {3: 2.0}}


def test_default_monitors(line: Line, tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    printer, saver = monitors.get_default_monitors(
        line.loss, line.summary_op, save_summary_steps=2, output_dir=tmp_path
    )
    line.drive(printer, 2)
    assert log.messages == ["Step 1: loss = 4.0"]
    line.session.run(line.init_op)
    line.drive(saver, 3)
    assert scalar_events(tmp_path) == {"loss_summary": {1: 4.0, 3: 0.25}}


def test_default_monitors_only_for_what_there_is(line: Line) -> None:
    assert monitors.get_default_monitors() == []
    (printer,) = monitors.get_default_monitors(loss_op=line.loss)
    assert isinstance(printer, monitors.PrintTensor)
    (saver,) = monitors.get_default_monitors(summary_op=line.summary_op)
    assert isinstance(saver, monitors.SummarySaver)


# CheckpointSaver.


class Saver:
    """Notes the steps it saves."""

    def __init__(self) -> None:
        self.saved: list[tuple[Any, str, int]] = []

    def save(self, session: Any, save_path: str, global_step: int) -> None:
        self.saved.append((session, save_path, global_step))

    @property
    def steps(self) -> list[int]:
        return [step for _, _, step in self.saved]


@pytest.mark.parametrize(
    ("save_steps", "start", "until", "expected"),
    [(3, 0, 8, [1, 4, 7, 8]), (3, 0, 7, [1, 4, 7]), (1, 0, 3, [1, 2, 3]), (3, 100, 105, [101, 104, 105])],
)
def test_checkpoint_saver_by_steps(
    save_steps: int, start: int, until: int, expected: list[int], tmp_path: Path
) -> None:
    saver = Saver()
    drive(monitors.CheckpointSaver(tmp_path, save_steps=save_steps, saver=saver), until, start=start)
    assert saver.steps == expected


def test_checkpoint_saver_by_seconds(clock: Clock, tmp_path: Path) -> None:
    saver = Saver()

    def run(step: int, requests: Iterable[Any]) -> dict[Any, Any]:
        clock.now += 1.0
        return {}

    drive(monitors.CheckpointSaver(tmp_path, save_secs=2.5, saver=saver), until=8, run=run)
    assert saver.steps == [1, 4, 7, 8]


def test_checkpoint_saver_by_seconds_is_asked_again_and_again(clock: Clock, tmp_path: Path) -> None:
    monitor = monitors.CheckpointSaver(tmp_path, save_secs=60, saver=Saver())
    monitor.begin()
    assert next_step(monitor, 0) == 1
    monitor.step_begin(1)
    monitor.step_end(1, {})
    monitor.post_step(1, None)
    assert next_step(monitor, 1) == math.inf
    clock.now += 59
    assert next_step(monitor, 500) == math.inf
    clock.now += 1
    assert next_step(monitor, 500) == 501


def test_checkpoint_saver_by_steps_says_when(tmp_path: Path) -> None:
    monitor = monitors.CheckpointSaver(tmp_path, save_steps=10, saver=Saver())
    monitor.begin()
    assert next_step(monitor, 5) == 6
    monitor.step_begin(6)
    monitor.step_end(6, {})
    monitor.post_step(6, None)
    assert next_step(monitor, 6) == 16
    assert next_step(monitor, 20) == 21


def test_checkpoint_saver_saves_the_last_step_at_the_end_though_it_did_not_see_it(tmp_path: Path) -> None:
    saver = Saver()
    monitor = monitors.CheckpointSaver(tmp_path, save_steps=100, saver=saver)
    monitor.begin()
    monitor.step_begin(1)
    monitor.step_end(1, {})
    monitor.post_step(1, "session")
    monitor.steps_passed(9)
    monitor.end("session")
    assert saver.saved == [("session", str(tmp_path / "model.ckpt"), step) for step in (1, 9)]


def test_checkpoint_saver_does_not_save_a_step_that_failed(tmp_path: Path) -> None:
    saver = Saver()

    def run(step: int, requests: Iterable[Any]) -> dict[Any, Any]:
        if step == 3:
            raise ZeroDivisionError
        return {}

    with pytest.raises(ZeroDivisionError):
        drive(monitors.CheckpointSaver(tmp_path, save_steps=100, saver=saver), until=9, run=run)
    assert saver.steps == [1, 2]


@pytest.mark.parametrize("given", ["saver", "scaffold", "unfinished scaffold", "neither"])
def test_checkpoint_saver_writes_files(
    given: str, line: Line, tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    with line.graph.as_default():
        options: dict[str, Any] = {
            "saver": lambda: {"saver": v1.train.Saver()},
            "scaffold": lambda: {"scaffold": v1.train.Scaffold(saver=v1.train.Saver())},
            "unfinished scaffold": lambda: {"scaffold": v1.train.Scaffold()},
            "neither": dict,
        }[given]()
    monitor = monitors.CheckpointSaver(tmp_path, save_steps=2, checkpoint_basename="line", **options)
    line.drive(monitor, 4)
    state = tf.train.get_checkpoint_state(tmp_path)
    assert [Path(path).name for path in state.all_model_checkpoint_paths] == ["line-1", "line-3", "line-4"]
    reader = tf.train.load_checkpoint(tmp_path / "line-3")
    assert (reader.get_tensor("w"), reader.get_tensor("global_step")) == (0.25, 3)
    logs = [(e.step, e.session_log) for e in read_events(tmp_path) if e.WhichOneof("what") == "session_log"]
    path = str(tmp_path / "line")
    checkpoint = v1.SessionLog(status=v1.SessionLog.CHECKPOINT, checkpoint_path=path)
    assert logs == [(step, checkpoint) for step in (1, 3, 4)]
    assert log.messages == [
        "Create CheckpointSaver.",
        *(f"Saving checkpoints for {step} into {path}." for step in (1, 3, 4)),
    ]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "Either save_steps or save_secs should be provided"),
        ({"save_steps": 1, "save_secs": 1}, "Can not provide both save_steps and save_secs."),
    ],
)
def test_checkpoint_saver_needs_one_interval(options: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as raised:
        monitors.CheckpointSaver(tmp_path / "new", **options)
    assert str(raised.value) == text
    assert not (tmp_path / "new").exists()
