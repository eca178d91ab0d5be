"""Keeps the values of a checkpoint in memory while those are told of it who may restore it at once."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import os
from collections.abc import Iterator, Mapping

import tensorflow as tf

# By the name in the file and the slice specification.
Values = Mapping[tuple[str, str], tf.Tensor]


@dataclasses.dataclass
class _Recent:
    file: tuple[int, ...] | None = None
    values: Values | None = None


_recent: contextvars.ContextVar[_Recent | None] = contextvars.ContextVar("recent checkpoint", default=None)


@contextlib.contextmanager
def keeping_in_memory() -> Iterator[None]:
    """Keeps the values of the checkpoint that is saved in this context, until it is left."""
    token = _recent.set(_Recent())
    try:
        yield
    finally:
        _recent.reset(token)


def note_saved(prefix: str, values: Values) -> None:
    """Keeps the values of a checkpoint that has just been written, if they are to be kept."""
    recent = _recent.get()
    if recent is not None:
        recent.file, recent.values = _identity(prefix), values


def values_in_memory(prefix: str) -> Values | None:
    """Returns the values of a checkpoint; `None` if they are not kept, or it has been written anew."""
    recent, file = _recent.get(), _identity(prefix)
    return None if recent is None or file is None or recent.file != file else recent.values


def _identity(prefix: str) -> tuple[int, ...] | None:
    """Returns what changes when a checkpoint is written again, by whichever path; `None` if there is none."""
    try:
        found = os.stat(f"{prefix}.index")
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
