"""Runs commands of `keras-legacy-train` in this process, and looks at what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from keras_legacy_train.command_line.app import app


def run_command(*arguments: object) -> str:
    """Runs a command that must succeed, and returns what it prints."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def run_json(*arguments: object) -> Any:
    """Runs a command with `--json`, and returns what it prints."""
    return json.loads(run_command(*arguments, "--json"))


def refusal(*arguments: object) -> str:
    """Runs a command whose input is bad, and returns the one line that it prints."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line.removeprefix("keras-legacy-train: ")


def tree(directory: Path) -> dict[str, bytes]:
    """Returns every regular file below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
