"""`plot`: draws the scalars of runs, several in one picture."""

from __future__ import annotations

import dataclasses
import html as html_lib
import io
import itertools
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_legacy_train.command_line.reporting import (
    JSON,
    bad_input_in_one_line,
    fail,
    number_text,
    print_json,
)

if TYPE_CHECKING:
    from keras_legacy_train.events import Scalars

_FORMATS = ("png", "svg", "pdf")
_SPEED = "global_step/sec"
_COLUMNS = 2


@dataclasses.dataclass(frozen=True)
class Run:
    """Holds what is drawn of a run.

    Attributes:
        name: Its name in the legend.
        scalars: Its scalars by tag.
    """

    name: str
    scalars: Mapping[str, Scalars]


def plot(
    directories: Annotated[list[str], typer.Argument(help="Directories with event files, also below them.")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="The picture to write: .png, .svg or .pdf.")
    ] = None,
    html: Annotated[
        str | None, typer.Option(help="A page to write with the picture and the numbers, of one file.")
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGEX", help="Draw only the scalars in whose tags it is found. Can be repeated."
        ),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Draws the loss, the steps a second and the other scalars of runs in DIRECTORIES over the steps."""
    with bad_input_in_one_line():
        if output is None and html is None:
            fail("--output or --html must say what to write")
        suffix = (output or ".svg").rpartition(".")[2].lower()
        if suffix not in _FORMATS:
            fail(f"--output: {output!r} ends in none of .{', .'.join(_FORMATS)}")
        for path in filter(None, (output, html)):
            _check_writable(path)
        runs = _read_runs(directories, [_compiled(each) for each in tag or ()])
        figure = _draw(runs)
        from keras_legacy_train.checkpoints.durable import write_durably

        if output is not None:
            write_durably(output, _rendered(figure, suffix))
        if html is not None:
            write_durably(html, _page(figure, runs).encode())
    if as_json:
        print_json({"output": output, "html": html, "runs": [_run_json(run) for run in runs]})
    else:
        print(f"{' and '.join(filter(None, (output, html)))}: {', '.join(run.name for run in runs)}")


def _check_writable(path: str) -> None:
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        fail(f"there is no directory {directory!r} to write to")
    if os.path.isdir(path) or not os.access(directory, os.W_OK | os.X_OK):
        fail(f"{path!r} cannot be written")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        fail(f"--tag: {pattern!r} is no regular expression: {error}")


def _read_runs(directories: Sequence[str], tags: Sequence[re.Pattern[str]]) -> list[Run]:
    from keras_legacy_train.events import EventFiles, find_runs

    runs = []
    for directory in directories:
        if not os.path.isdir(directory):
            fail(f"there is no directory {directory!r}")
        found = find_runs(directory)
        if not found:
            fail(f"there are no event files in {directory!r}")
        for path in found:
            events = EventFiles(path)
            events.update()
            scalars = {name: each for name, each in events.scalars.items() if each.steps}
            if _SPEED not in scalars and scalars:
                scalars[_SPEED] = _speed(max(scalars.values(), key=lambda each: len(each.steps)))
            wanted = {
                name: each
                for name, each in scalars.items()
                if each.steps and (not tags or any(tag.search(name) for tag in tags))
            }
            runs.append(Run(os.path.normpath(path), wanted))
    if not any(run.scalars for run in runs):
        which = "of these tags " if tags else ""
        fail(f"there are no scalars {which}in {', '.join(map(repr, directories))}")
    return runs


def _speed(scalars: Scalars) -> Scalars:
    """Computes the steps a second from the times at which scalars were written."""
    speed = type(scalars)()
    points = list(zip(scalars.steps, scalars.times, strict=True))
    for (step, time), (next_step, next_time) in itertools.pairwise(points):
        if next_step > step and next_time > time:
            speed.add(next_step, (next_step - step) / (next_time - time), next_time)
    return speed


def _draw(runs: Sequence[Run]) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        fail("plot needs matplotlib, which is not installed: pip install 'keras_legacy_train[plot]'")
    tags = sorted(
        {tag for run in runs for tag in run.scalars}, key=lambda tag: (tag != "loss", tag == _SPEED, tag)
    )
    columns = min(_COLUMNS, len(tags))
    rows = math.ceil(len(tags) / columns)
    figure = Figure(figsize=(6 * columns, 3.5 * rows), layout="constrained")
    for position, tag in enumerate(tags):
        axes = figure.add_subplot(rows, columns, position + 1)
        axes.set_title("steps a second" if tag == _SPEED else tag, parse_math=False)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        for number, run in enumerate(runs):
            if tag in run.scalars:
                points = run.scalars[tag]
                marker = "o" if len(points.steps) == 1 else None
                axes.plot(points.steps, points.values, color=f"C{number}", marker=marker)
    if len(runs) > 1:
        from matplotlib.lines import Line2D

        lines = [Line2D([], [], color=f"C{number}", label=run.name) for number, run in enumerate(runs)]
        figure.legend(handles=lines, loc="outside upper center", ncols=min(len(runs), 3))
    return figure


def _rendered(figure: Any, suffix: str) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format=suffix, dpi=120)
    return data.getvalue()


def _page(figure: Any, runs: Sequence[Run]) -> str:
    """Makes a page that needs no other file."""
    picture = _rendered(figure, "svg").decode()
    rows = [
        (run.name, tag, len(each.steps), each.steps[-1], number_text(each.values[-1]))
        for run in runs
        for tag, each in sorted(run.scalars.items())
    ]
    cells = "\n".join(
        "<tr>" + "".join(f"<td>{html_lib.escape(str(each))}</td>" for each in row) + "</tr>" for row in rows
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Runs</title>
<style>
body {{ font-family: sans-serif; margin: 2em; }}
svg {{ max-width: 100%; height: auto; }}
td, th {{ padding: 0.2em 1em 0.2em 0; text-align: left; }}
</style>
{picture[picture.index("<svg") :]}
<table>
<tr><th>run</th><th>scalar</th><th>count</th><th>last step</th><th>last value</th></tr>
{cells}
</table>
</html>
"""


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "run": run.name,
        "scalars": {
            tag: {"steps": each.steps, "values": each.values} for tag, each in sorted(run.scalars.items())
        },
    }
