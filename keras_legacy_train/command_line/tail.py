"""`tail`: follows a training in the terminal."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_legacy_train.command_line.inspect import lock_json, lock_text
from keras_legacy_train.command_line.reporting import (
    JSON,
    bad_input_in_one_line,
    console,
    fail,
    number_text,
    print_json,
    print_line_of_json,
    table,
)

if TYPE_CHECKING:
    from keras_legacy_train.checkpoints.directory_lock import LockHolder
    from keras_legacy_train.events import EventFiles

_BLOCKS = "▁▂▃▄▅▆▇█"
_CURVE_LENGTH = 40


def tail(
    directory: Annotated[str, typer.Argument(help="The output directory of a training.")],
    once: Annotated[bool, typer.Option("--once", help="Print the state as it is now, and end.")] = False,
    interval: Annotated[float, typer.Option(min=0.05, help="Seconds from one look to the next.")] = 1.0,
    as_json: JSON = False,
) -> None:
    """Shows the scalars, the newest checkpoint and the trainer of DIRECTORY, live until Ctrl-C.

    With --json and without --once, it prints a line of JSON whenever something has changed.
    """
    with bad_input_in_one_line():
        if not os.path.isdir(directory):
            fail(f"there is no directory {directory!r}")
        from keras_legacy_train.events import EventFiles

        events = EventFiles(directory)
        if once:
            events.update()
            if as_json:
                print_json(_state(events))
            else:
                console().print(_picture(events))
            return
        with contextlib.suppress(KeyboardInterrupt):
            (_follow_in_json if as_json else _follow)(events, interval)


def _follow(events: EventFiles, interval: float) -> None:
    from rich.live import Live

    with Live(console=console(), auto_refresh=False) as live:
        while True:
            events.update()
            live.update(_picture(events), refresh=True)
            time.sleep(interval)


def _follow_in_json(events: EventFiles, interval: float) -> None:
    last = None
    while True:
        events.update()
        state = _state(events)
        if state != last:
            print_line_of_json(state)
            last = state
        time.sleep(interval)


def _state(events: EventFiles) -> dict[str, Any]:
    return {
        "directory": events.directory,
        "step": _last_step(events),
        "scalars": {
            tag: {"step": each.steps[-1], "value": each.values[-1]}
            for tag, each in sorted(events.scalars.items())
            if each.steps
        },
        "checkpoint": _newest_checkpoint(events.directory),
        "lock": lock_json(_holder(events.directory)),
    }


def _picture(events: EventFiles) -> Any:
    """Returns what is shown, for rich."""
    from rich.console import Group
    from rich.text import Text

    step = _last_step(events)
    lines = [
        Text(f"{events.directory}: " + ("no events yet" if step is None else f"step {step}"), style="bold"),
        Text(f"Trainer: {lock_text(_holder(events.directory))}"),
        Text(f"Newest checkpoint: {_newest_checkpoint(events.directory) or 'none'}"),
    ]
    rows = [
        (tag, each.steps[-1], number_text(each.values[-1]), _curve(each.values))
        for tag, each in sorted(events.scalars.items(), key=lambda pair: (pair[0] != "loss", pair[0]))
        if each.steps
    ]
    return Group(*lines, table(["scalar", ">step", ">value", "curve"], rows) if rows else Text())


def _last_step(events: EventFiles) -> int | None:
    return max((each.steps[-1] for each in events.scalars.values() if each.steps), default=None)


def _newest_checkpoint(directory: str) -> str | None:
    from keras_legacy_train.checkpoints.directory import newest_listed

    newest = newest_listed(directory)
    return None if newest is None else os.path.basename(newest)


def _holder(directory: str) -> LockHolder | None:
    from keras_legacy_train.checkpoints.directory_lock import lock_holder

    return lock_holder(directory)


def _curve(values: Sequence[float]) -> str:
    """Draws the last numbers with blocks; a space stands for what is no number."""
    shown = values[-_CURVE_LENGTH:]
    finite = [each for each in shown if abs(each) < float("inf")]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        _BLOCKS[round((each - low) * scale)] if abs(each) < float("inf") else " " for each in shown
    )
