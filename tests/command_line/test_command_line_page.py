"""The examples of `docs/command_line.md` print what the page says; `…` there stands for anything."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line_helpers import run_command

PAGE = (Path(__file__).parents[2] / "docs" / "command_line.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def examples() -> Iterator[tuple[list[str], list[str]]]:
    """Yields the arguments and the printed lines of each command."""
    for block in blocks("console"):
        for example in re.split(r"^\$ keras-legacy-train ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = example.partition("\n")
            yield shlex.split(command), lines(printed)


def lines(text: str) -> list[str]:
    """Returns the lines that are not empty, with one space in the place of many."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in blocks("python"):
        exec(code, {})
    for arguments, expected in examples():
        if arguments[0] == "plot" and importlib.util.find_spec("matplotlib") is None:
            continue
        printed = lines(run_command(*arguments))
        assert len(printed) == len(expected), arguments
        for line, pattern in zip(printed, expected, strict=True):
            assert re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line), (line, pattern)


def test_the_page_shows_every_command() -> None:
    from keras_legacy_train.command_line.app import app

    shown = {arguments[0] for arguments, _ in examples()}
    titles = set(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE))
    assert titles == {*shown, "serve"}  # which does not end
    own = {"convert", "export", "inspect", "plot", "tail", "train"}
    assert own <= {each.callback.__name__ for each in app.registered_commands if each.callback}
    assert shown == own
