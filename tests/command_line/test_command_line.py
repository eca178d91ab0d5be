"""The commands start at once, and end as the shell expects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
import typer

from command_line_helpers import run_command
from keras_legacy_train.command_line import reporting, run
from keras_legacy_train.command_line.app import app

COMMANDS = sorted(each.name or each.callback.__name__ for each in app.registered_commands if each.callback)


def test_help_does_not_load_tensorflow() -> None:
    """Not even the package does, before something of it is used."""
    script = (
        "import sys, keras_legacy_train\n"
        "from keras_legacy_train.command_line.app import app\n"
        "app(['--help'], standalone_mode=False)\n"
        "app(['inspect', '--help'], standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras', 'numpy', 'matplotlib'} & sys.modules.keys()))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
    assert "inspect" in ended.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    assert command in run_command("--help")
    assert "Usage" in run_command(command, "--help")


def test_exit_code_and_one_line_of_a_real_process(tmp_path: Path) -> None:
    (tmp_path / "graph.meta").write_bytes(b"no graph")
    command = [sys.executable, "-m", "keras_legacy_train", "inspect", "graph.meta"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == "keras-legacy-train: 'graph.meta' is not a .meta file\n"


def test_sizes_and_times_are_for_people() -> None:
    sizes = [0, 999, 1500, 2.5e6, 3e9, 4e12, 5e15]
    texts = ["0 B", "999 B", "1.5 kB", "2.5 MB", "3.0 GB", "4.0 TB", "5000.0 TB"]
    assert [reporting.size_text(size) for size in sizes] == texts
    assert reporting.time_text(None) == "?"


def test_what_tensorflow_says_of_bad_input_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, reporting.bad_input_in_one_line():
        raise tf.errors.DataLossError(None, None, "it is damaged")
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.strip().endswith("it is damaged")


def test_run_without_a_script_is_told_elsewhere() -> None:
    assert run.parse([]) is None and run.parse(["-m", "--our-loop"]) is None
    assert run.parse(["--no-such-option", "a.py"]) is None
