"""Holds what a migration did to a file, and what it leaves to a person."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Change:
    """Says what was changed.

    Attributes:
        line: Line of the file as it was, from 1.
        old: What stood there.
        new: What stands there now.
        cell: Number of the cell in which the line is counted, from 1, in a notebook.
    """

    line: int
    old: str
    new: str
    cell: int | None = None


@dataclasses.dataclass(frozen=True)
class Left:
    """Says what was left as it is.

    Attributes:
        line: Line of the file as it was, from 1.
        name: What stands there.
        reason: Why it was left, and what to do.
        cell: Number of the cell in which the line is counted, from 1, in a notebook.
    """

    line: int
    name: str
    reason: str
    cell: int | None = None


@dataclasses.dataclass(frozen=True)
class Migration:
    """Holds the migrated text of a module.

    Attributes:
        code: The text.
        changes: What was changed, by line.
        left: What a person has to look at, by line.
    """

    code: str
    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
