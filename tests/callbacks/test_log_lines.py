"""The lines `train` writes to the logger `keras_legacy_train`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import graphs
from helpers import Silent, StopAt, scalar_events
from keras_legacy_train import train

STEP_LINE = re.compile(r"training step (\d+), loss = \d+\.\d{5} \(\d+\.\d{3} sec/batch\)\.")


def logged_steps(log: pytest.LogCaptureFixture) -> list[int]:
    return [int(match[1]) for match in map(STEP_LINE.fullmatch, log.messages) if match]


@pytest.mark.parametrize("monitor", [Silent, lambda: StopAt(1000)], ids=["in windows", "watched"])
@pytest.mark.parametrize(
    ("log_every_steps", "steps", "expected"),
    [
        pytest.param(10, 25, [10, 20, 25], id="every 10 and the last"),
        pytest.param(10, 5, [5], id="only the last"),
        pytest.param(5, 10, [5, 10], id="the last is one of them"),
        pytest.param(0, 3, [1, 2, 3], id="0 is every step"),
        pytest.param(-1, 3, [1, 2, 3], id="negative is every step"),
        pytest.param(None, 3, [], id="None is never"),
    ],
)
def test_training_step_lines(log_every_steps, steps, expected, monitor, log, tmp_path: Path) -> None:
    job = graphs.build("linear_sgd")
    train(
        output_dir=tmp_path,
        steps=steps,
        log_every_steps=log_every_steps,
        monitors=[monitor()],
        **job.arguments(),
    )
    assert logged_steps(log) == expected


def test_training_step_lines_count_from_where_the_run_began(log, tmp_path: Path) -> None:
    for _ in range(2):
        train(output_dir=tmp_path, steps=7, log_every_steps=5, **graphs.build("linear_sgd").arguments())
    assert logged_steps(log) == [5, 7, 12, 14]


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"steps": 3}, ["Training steps [0,3)", "Training steps [3,6)"]),
        ({"max_steps": 3}, ["Training steps [0,3)", "Training steps [3,3)"]),
        ({}, ["Training steps [0,inf)", "Training steps [3,inf)"]),
    ],
    ids=["steps", "max_steps", "no limit"],
)
def test_training_steps_line(limit, expected, log, tmp_path: Path) -> None:
    for last in (3, 6):
        job = graphs.build("linear_sgd")
        train(output_dir=tmp_path, monitors=[StopAt(last)], **limit, **job.arguments())
    assert [line for line in log.messages if line.startswith("Training steps")] == expected


def test_print_tensor_line(log, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=1, **graphs.build("linear_sgd").arguments())
    assert [line for line in log.messages if re.fullmatch(r"Step 1: loss = \d+\.\d+", line)]


def test_saving_checkpoint_line(log, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=3, **graphs.build("linear_sgd").arguments())
    assert f"Saving checkpoint for step 3 to checkpoint: {tmp_path / 'model.ckpt'}-3." in log.messages


def test_the_loss_is_told_where_no_summaries_are_wanted(job: Any, tmp_path: Path, log: Any) -> None:
    options = {"supervisor_save_summaries_steps": None, "log_every_steps": None}
    train(output_dir=tmp_path, steps=2, **options, **job.arguments())
    assert any("loss" in message for message in log.messages)
    assert "loss" not in scalar_events(tmp_path)


def test_a_bar_is_drawn_where_it_is_asked_for(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes what is captured for a terminal
    monkeypatch.setenv("TERM", "xterm")
    train(output_dir=tmp_path, steps=3, progress_bar=True, **job.arguments())
    assert "\x1b[?25l" in capsys.readouterr().out  # hides the cursor; it draws when time has passed
    train(output_dir=tmp_path, steps=3, progress_bar=False, **job.arguments())
    assert "\x1b" not in capsys.readouterr().out
