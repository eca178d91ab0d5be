"""`migrate`: moves programs of TensorFlow 1 to the names of today."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keras_legacy_train.command_line.reporting import JSON, console, fail, import_quietly, print_json

if TYPE_CHECKING:
    from keras_legacy_train.codemod import Change, FileMigration, Left

_STYLES = {"+++": "bold", "---": "bold", "@@": "cyan", "+": "green", "-": "red"}


class Where(str, Enum):
    """Says in which modules `disable_v2_behavior()` is called."""

    scripts = "scripts"
    all = "all"
    none = "none"


def migrate(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Modules, notebooks, and directories of them.")
    ],
    write: Annotated[bool, typer.Option("--write", help="Write the files.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write files that git could not bring back, too.")
    ] = False,
    py2: Annotated[
        bool, typer.Option("--py2", help="Make Python 3 of Python 2 first. Needs the extra py2.")
    ] = False,
    disable_v2: Annotated[
        Where, typer.Option(help="Modules that get a call of disable_v2_behavior() below their import.")
    ] = Where.scripts,
    as_json: JSON = False,
) -> None:
    """Moves programs of TensorFlow 1 to the names of today. Without --write the changes are only shown.

    Exit code 0: nothing is left to do. 1: a person has to look at something, or --write has to do it.
    2: a file cannot be read or is no Python; then no file is written.
    """
    from keras_legacy_train.codemod import (
        BadFileError,
        check_writable,
        find_files,
        migrate_file,
        unsaved,
        write_file,
    )

    if py2:
        _need_fissix()
    try:
        found = list(find_files(paths))
        import_quietly("tensorflow", "keras")
        files = [migrate_file(path, disable_v2.value, py2) for path in found]
        changed = [file for file in files if file.content is not None]
        if write and changed:
            check_writable(file.path for file in changed)
            if not force and (reason := unsaved(file.path for file in changed)):
                fail(f"{reason}; commit them first, or pass --force")
            for file in changed:
                write_file(file)
    except BadFileError as error:
        fail(error)
    if as_json:
        print_json(_json(files, write))
    else:
        _print(files, write)
    if any(file.left for file in files) or (changed and not write):
        raise typer.Exit(1)


def _need_fissix() -> None:
    try:
        import fissix  # noqa: F401
    except ImportError:
        fail("--py2 needs fissix: pip install 'keras_legacy_train[py2]'")


def _json(files: Sequence[FileMigration], is_written: bool) -> dict[str, object]:
    def found(each: Change | Left) -> dict[str, object]:
        return {name: value for name, value in vars(each).items() if value is not None}

    return {
        "written": is_written,
        "files": [
            {
                "path": str(file.path),
                "changed": file.content is not None,
                "changes": [found(each) for each in file.changes],
                "left": [found(each) for each in file.left],
                "diff": list(file.diff),
            }
            for file in files
        ],
    }


def _print(files: Sequence[FileMigration], is_written: bool) -> None:
    """Prints the diff of every file, then what was changed, then what was not and why."""
    from rich.text import Text

    out = console()
    for file in files:
        for line in file.diff:
            style = next((style for mark, style in _STYLES.items() if line.startswith(mark)), "")
            out.print(Text(line, style))
    changed = [file for file in files if file.content is not None]
    if changed:
        out.print(Text("\nChanged" if is_written else "\nWould change", "bold"))
    for file in changed:
        # What was changed often in a file is said once.
        places: dict[tuple[str, str], list[Change]] = {}
        for change in file.changes:
            places.setdefault((change.old, change.new), []).append(change)
        for (old, new), there in places.items():
            more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
            what = f"{old} → {new}" if old and new else new or f"{old} is gone"
            out.print(Text(f"{_place(file, there[0])}: {what}{more}"))
    if any(file.left for file in files):
        out.print(Text("\nLeft to you", "bold"))
    for file in files:
        for left in file.left:
            out.print(Text.assemble(f"{_place(file, left)}: ", (left.name, "yellow"), f": {left.reason}"))
    out.print(
        Text(
            f"\n{_summary(files, is_written)}"
            if changed or any(f.left for f in files)
            else _summary(files, is_written)
        )
    )


def _place(file: FileMigration, found: Change | Left) -> str:
    cell = "" if found.cell is None else f" cell {found.cell}"
    return f"{file.path}{cell}:{found.line}"


def _summary(files: Sequence[FileMigration], is_written: bool) -> str:
    changed = sum(file.content is not None for file in files)
    left = sum(len(file.left) for file in files)
    parts = [_count(len(files), "file"), f"{changed} {'changed' if is_written else 'would change'}"]
    parts.append(f"{_count(left, 'place')} left to you" if left else "nothing left to you")
    hint = "" if is_written or not changed else " Nothing was written: --write does it."
    return f"{', '.join(parts)}.{hint}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
