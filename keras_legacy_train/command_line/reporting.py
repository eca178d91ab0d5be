"""Prints what commands have found, and ends them in one line where their input is bad."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import json
import logging
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, NoReturn

import typer

# Exit codes. 2 is also that of click, for wrong options.
FAILED = 1
BAD_INPUT = 2

JSON = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def fail(message: object, code: int = BAD_INPUT) -> NoReturn:
    """Ends the command with an exit code and one line on the standard error output."""
    print(" ".join(f"keras-legacy-train: {message}".split()), file=sys.stderr)
    raise typer.Exit(code)


@contextlib.contextmanager
def bad_input_in_one_line() -> Iterator[None]:
    """Ends the command with exit code 2 and one line for what the library says of bad input."""
    import_quietly("tensorflow", "keras")
    import tensorflow as tf

    from keras_legacy_train import errors

    refusals = (OSError, TypeError, ValueError, errors.DirectoryInUseError, errors.NotInitializedError)
    try:
        yield
    except refusals as error:
        fail(error)
    except tf.errors.OpError as error:
        fail(error.message)


def import_quietly(*modules: str) -> None:
    """Imports modules without what C++ code writes to the standard error output meanwhile.

    TensorFlow tells there which accelerators it has not found, before any setting of its log is read.
    """
    if all(module in sys.modules for module in modules):
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what ends a command is an exception, too
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        for module in modules:
            importlib.import_module(module)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


@contextlib.contextmanager
def log_on_stderr() -> Iterator[None]:
    """Shows the lines that this package logs."""
    logger = logging.getLogger("keras_legacy_train")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # a handler of TensorFlow's would show them once more
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def print_json(value: Any) -> None:
    """Prints a value as one JSON document; numbers that JSON does not have become strings."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_line_of_json(value: Any) -> None:
    """Prints a value as JSON in one line, at once."""
    print(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False), flush=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows under headings; those that begin with `>` are aligned to the right."""
    console().print(table(headings, rows))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Any:
    """Returns a table for rich; see `print_table`."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        is_number = heading.startswith(">")
        made.add_column(heading.lstrip(">"), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if each is None else str(each)) for each in row))
    return made


def console() -> Any:
    """Returns a rich console on the standard output; lines are never cut where that is no terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 10_000, highlight=False, soft_wrap=True)


def time_text(seconds: float | None) -> str:
    """Returns a time in seconds since the epoch as local date and time."""
    if seconds is None:
        return "?"
    return datetime.datetime.fromtimestamp(seconds).isoformat(" ", "seconds")


def time_json(seconds: float | None) -> str | None:
    """Returns a time in seconds since the epoch in the form of ISO 8601, with the time zone."""
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds).astimezone().isoformat()


def size_text(size: float) -> str:
    """Returns a number of bytes for people."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


def number_text(number: float | None) -> str:
    """Returns a number with four digits; nothing for none."""
    return "" if number is None else f"{number:.4g}"


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
