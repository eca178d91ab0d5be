"""Fetches public scripts of TensorFlow 1, and runs them by `keras_legacy_train run`.

`tests/scripts/public_scripts.json` lists them; none of their code is kept here. Each is cloned by git at its
commit into a temporary folder, gets small synthetic data, and runs with the interpreter that runs this:

    python tests/support/run_public_scripts.py --only 33 --only 40

It ends with 1 if a script does not do what the list says of it. Some scripts read their data in fixed places
below `/tmp`.

Those whose losses TensorFlow 1 repeats are compared with it, each random op with the same seed:

    python tests/support/run_public_scripts.py --against .venv-tf1/bin/python
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import rich
import typer
from rich.table import Table

from public_script_data import MAKERS

LIST = Path(__file__).parents[1] / "scripts" / "public_scripts.json"
SAME_SEEDS = Path(__file__).parents[1] / "scripts" / "same_seeds.py"
PACKAGE = Path(__file__).parents[2]
RUN = (sys.executable, "-m", "keras_legacy_train", "run")


@dataclasses.dataclass(frozen=True)
class Script:
    """Holds a row of the list.

    Attributes:
        number: Its number.
        repository: Owner and name on GitHub.
        commit: Full hash.
        date: That of the commit.
        folder: Where in the repository the commands run.
        checkout: Folders that are fetched. All of the repository, if there are none.
        commands: Lines of arguments of `run`, one after the other.
        kind: What it trains, and by what means.
        data: Name of a maker of data, if the repository has no data.
        data_folder: Where the data is made, seen from `folder`.
        packages: What it needs besides.
        verdict: `"unchanged"`: runs as it is. `"migrate"`: runs after `migrate`. `"fails"`: does not run.
            `"not run"`: nobody knows.
        missing: Why it does not run unchanged.
        losses: Finds the numbers that it prints of its training; `None` if TensorFlow 1 does not repeat them.
        difference: How far they may be from those of TensorFlow 1.15.5, relatively.
    """

    number: int
    repository: str
    commit: str
    date: str
    folder: str
    checkout: list[str]
    commands: list[str]
    kind: str
    data: str | None
    data_folder: str | None
    packages: list[str]
    verdict: str
    missing: str
    losses: str | None = None
    difference: float = 0.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Holds how a script ended.

    Attributes:
        code: Exit code of the first command that failed, or 0. `None` if it took too long.
        seconds: How long all commands took.
        output: What the last command wrote.
    """

    code: int | None
    seconds: float
    output: str

    @property
    def last_line(self) -> str:
        """Returns what the script wrote at its end."""
        return next((line for line in self.output.split("\n")[::-1] if line.strip()), "")


def read_list() -> list[Script]:
    """Returns the scripts of the list, in its order."""
    return [Script(**row) for row in json.loads(LIST.read_text(encoding="utf-8"))]


def fetch(script: Script, folder: Path) -> None:
    """Clones the part of a repository that a script needs.

    Raises:
        subprocess.CalledProcessError: Git failed.
    """

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)

    url = f"https://github.com/{script.repository}"
    subprocess.run(
        ["git", "clone", "--quiet", "--filter=blob:none", "--no-checkout", url, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    if script.checkout:
        git("sparse-checkout", "set", *script.checkout)
    git("checkout", "--quiet", script.commit)


def make_data(script: Script, folder: Path) -> None:
    """Makes the data of a script, which runs in `folder`."""
    if script.data is not None and script.data_folder is not None:
        data_folder = folder / script.data_folder
        data_folder.mkdir(parents=True, exist_ok=True)
        MAKERS[script.data](data_folder)


def execute(script: Script, folder: Path, limit: float, start_of_command: Sequence[str] = RUN) -> Outcome:
    """Runs the commands of a script in `folder`, for `limit` seconds at most."""
    paths = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}
    start = time.monotonic()
    output = ""
    code: int | None = 0
    for command in script.commands:
        try:
            done = subprocess.run(
                [*start_of_command, *shlex.split(command)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=limit - (time.monotonic() - start),
            )
        except subprocess.TimeoutExpired:
            code = None
            break
        output, code = done.stdout, done.returncode
        if code != 0:
            break
    return Outcome(code, time.monotonic() - start, output)


def difference(losses: str, ours: str, originals: str) -> float:
    """Returns the greatest relative difference of numbers in two outputs; infinity if some are missing."""
    found = [[float(number) for number in re.findall(losses, output)] for output in (ours, originals)]
    if not found[0] or len(found[0]) != len(found[1]):
        return math.inf
    return max(abs(one - other) / max(abs(other), 1e-9) for one, other in zip(*found, strict=True))


def compare(script: Script, folder: Path, python: str, limit: float) -> float:
    """Runs a script twice, with the same seeds, and returns how far its losses are from TensorFlow 1's."""
    assert script.losses is not None
    outputs = []
    for interpreter in (sys.executable, python):
        place = folder.with_name(f"{folder.name}_{len(outputs)}")
        shutil.copytree(folder, place)
        command = [interpreter, str(SAME_SEEDS)]
        outputs.append(execute(script, place, limit, command).output)
    return difference(script.losses, *outputs)


def is_as_listed(script: Script, outcome: Outcome) -> bool:
    """Tells whether a script has done what the list says of it."""
    return script.verdict == "not run" or (outcome.code == 0) == (script.verdict == "unchanged")


def main(
    only: Annotated[list[int] | None, typer.Option(help="Numbers of scripts; all, if none is given.")] = None,
    limit: Annotated[float, typer.Option(help="Seconds for each script.")] = 600,
    against: Annotated[
        str | None, typer.Option(help="A Python with TensorFlow 1.15.5, whose losses are compared.")
    ] = None,
) -> None:
    """Fetches public scripts of TensorFlow 1, runs them, and prints how they ended."""
    table = Table("", "script", "listed as", "exit code", "seconds", "last line")
    all_as_listed = True
    for script in read_list():
        if (only and script.number not in only) or (against and script.losses is None):
            continue
        with tempfile.TemporaryDirectory() as temporary:
            repository = Path(temporary) / "repository"
            try:
                fetch(script, repository)
            except subprocess.CalledProcessError as error:
                rich.print(f"{script.repository} is not to be had: {error.stderr.strip()}")
                all_as_listed = False
                continue
            folder = repository / script.folder
            make_data(script, folder)
            if against:
                far = compare(script, folder, against, limit)
                rich.print(f"{script.number} {script.repository}: losses differ by {far:.2g} at most")
                all_as_listed &= far <= script.difference
                continue
            outcome = execute(script, folder, limit)
        all_as_listed &= is_as_listed(script, outcome)
        table.add_row(
            str(script.number),
            f"{script.repository}\n{script.commands[-1].partition(' --')[0]}",
            script.verdict,
            "too long" if outcome.code is None else str(outcome.code),
            f"{outcome.seconds:.0f}",
            outcome.last_line[:200],
        )
    if not against:
        rich.print(table)
    raise typer.Exit(0 if all_as_listed else 1)


if __name__ == "__main__":
    typer.run(main)
