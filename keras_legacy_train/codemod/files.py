"""Migrates files: modules and notebooks. Reads and writes them as they are: encoding, newlines, mode."""

from __future__ import annotations

import codecs
import dataclasses
import difflib
import io
import itertools
import os
import shutil
import stat
import subprocess
import tempfile
import tokenize
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import libcst as cst

from .module import DisableV2, migrate_code
from .notebooks import Notebook, NotebookError
from .report import Change, Left, Migration
from .syntax import check_syntax

_MODULES = (".py", ".pyw")
_NOTEBOOK = ".ipynb"
# Directories of others' code, and of copies.
_SKIPPED = {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv"}


class BadFileError(ValueError):
    """Raised when a file cannot be migrated. Nothing was written.

    Attributes:
        path: The file.
        problem: Why.
    """

    def __init__(self, path: Path, problem: str):
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@dataclasses.dataclass(frozen=True)
class FileMigration:
    """Holds what becomes of a file.

    Attributes:
        path: The file.
        content: Its new content, `None` if it stays as it is.
        changes: What was changed, by line.
        left: What a person has to look at, by line.
        diff: The lines of a unified diff; of a notebook, that of its code.
    """

    path: Path
    content: bytes | None = None
    changes: tuple[Change, ...] = ()
    left: tuple[Left, ...] = ()
    diff: tuple[str, ...] = ()


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Finds the modules and notebooks that are meant by paths.

    In directories these are the files that end in `.py`, `.pyw` and `.ipynb`, but for hidden directories,
    virtual environments, installed packages and builds. Links to directories are not followed.

    Args:
        paths: Files, taken whatever their names are, and directories.

    Yields:
        The files, each once.

    Raises:
        BadFileError: If a path is not there, or is neither a file nor a directory.
    """
    seen = set()
    for path in paths:
        for file in _walk(path) if path.is_dir() else [path]:
            if (real := file.resolve()) not in seen:
                seen.add(real)
                yield file


def _walk(directory: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise BadFileError(Path(error.filename), f"it cannot be read: {error.strerror}.")

    for root, directories, files in os.walk(directory, onerror=refuse):
        directories[:] = sorted(d for d in directories if not _is_skipped(Path(root, d)))
        for name in sorted(files):
            path = Path(root, name)
            if path.suffix in (*_MODULES, _NOTEBOOK) and path.is_file():
                yield path


def _is_skipped(directory: Path) -> bool:
    name = directory.name
    if name in _SKIPPED or name.startswith(".") or name.endswith(".egg-info"):
        return True
    return (directory / "pyvenv.cfg").exists()


def migrate_file(path: Path, disable_v2: DisableV2 = "scripts", python_2: bool = False) -> FileMigration:
    """Migrates a module or a notebook. Nothing is written.

    Args:
        path: The file.
        disable_v2: As in `migrate_code`. A notebook is a script.
        python_2: Whether what is Python 2 is made Python 3 first. Needs the extra `py2`.

    Returns:
        What becomes of it.

    Raises:
        BadFileError: If it cannot be read, or is not Python 3.
    """
    data = _read(path)
    if b"tensorflow" not in data and not python_2:
        return FileMigration(path)
    source = _Source(path, data)
    to_python_3: Callable[[str], str] = check_syntax
    if python_2:
        from .python2 import to_python_3
    try:
        if path.suffix == _NOTEBOOK:
            return _migrate_notebook(source, disable_v2, to_python_3)
        if path.suffix in _MODULES or data.startswith(b"#!"):
            return _migrate_module(source, disable_v2, to_python_3)
    except SyntaxError as error:
        advice = "" if python_2 else ". If it is Python 2, --py2 makes Python 3 of it first"
        raise BadFileError(path, f"line {error.lineno} is not Python 3 ({error.msg}){advice}.") from None
    except NotebookError as error:
        raise BadFileError(path, f"{error}.") from None
    raise BadFileError(path, "it is neither a Python module nor a notebook.")


class _Source:
    """Holds a file's text, and what makes the same bytes of it."""

    def __init__(self, path: Path, data: bytes):
        self.path = path
        self._mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        try:
            self._encoding = "utf-8"
            if path.suffix != _NOTEBOOK:
                self._encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0].removesuffix("-sig")
            self.text = data[len(self._mark) :].decode(self._encoding)
        except (SyntaxError, UnicodeDecodeError) as error:
            raise BadFileError(path, f"its encoding cannot be told: {error}.") from None

    def encode(self, text: str) -> bytes:
        return self._mark + text.encode(self._encoding)


def _read(path: Path) -> bytes:
    try:
        # A pipe or a device would be waited for.
        if not stat.S_ISREG(path.stat().st_mode):
            raise BadFileError(path, "it is not a file.")
        return path.read_bytes()
    except OSError as error:
        raise BadFileError(path, f"it cannot be read: {error.strerror}.") from None


def _migrate_module(
    source: _Source, disable_v2: DisableV2, to_python_3: Callable[[str], str]
) -> FileMigration:
    python_3 = to_python_3(source.text)
    migration = _migrated(python_3, disable_v2)
    if migration.code == source.text:
        return FileMigration(source.path, left=migration.left)
    changes = (*_changed_lines(source.text, python_3), *migration.changes)
    diff = _diff(source.text, migration.code, str(source.path))
    return FileMigration(source.path, source.encode(migration.code), changes, migration.left, tuple(diff))


def _migrate_notebook(
    source: _Source, disable_v2: DisableV2, to_python_3: Callable[[str], str]
) -> FileMigration:
    notebook = Notebook(source.text, to_python_3)
    migration = _migrated(notebook.code, "all" if disable_v2 == "scripts" else disable_v2)
    changes: list[Change] = []
    diff: list[str] = []
    before, after = notebook.originals, notebook.sources(migration.code)
    python_3 = notebook.sources(notebook.code)
    for number, text in before.items():
        changes += (dataclasses.replace(c, cell=number) for c in _changed_lines(text, python_3[number]))
        diff += _diff(text, after[number], f"{source.path} cell {number}")
    changes += (_in_cell(notebook, each) for each in migration.changes)
    left = tuple(_in_cell(notebook, each) for each in migration.left)
    content = source.encode(notebook.with_code(migration.code)) if diff else None
    return FileMigration(source.path, content, tuple(changes), left, tuple(diff))


def _migrated(code: str, disable_v2: DisableV2) -> Migration:
    try:
        return migrate_code(code, disable_v2)
    except cst.ParserSyntaxError as error:
        raise SyntaxError(error.message, ("", error.raw_line, None, None)) from None


_Found = TypeVar("_Found", Change, Left)


def _in_cell(notebook: Notebook, found: _Found) -> _Found:
    cell, line = notebook.place(found.line)
    return dataclasses.replace(found, cell=cell, line=line)


def _changed_lines(old: str, new: str) -> Iterator[Change]:
    """Yields the lines that were made Python 3."""
    if old == new:
        return
    old_lines, new_lines = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            before, after = " ".join(old_lines[i:j]), " ".join(new_lines[k:m])
            yield Change(i + 1, " ".join(before.split()), " ".join(after.split()))


def _diff(old: str, new: str, name: str) -> list[str]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm="")
    return [line.rstrip("\r\n") for line in lines]


def write_file(migration: FileMigration) -> None:
    """Writes what becomes of a file in its place, whole or not at all, with its mode.

    A link goes on to lead to the same file, which is the one that is written.

    Args:
        migration: A file that changes.

    Raises:
        BadFileError: If it cannot be written.
    """
    assert migration.content is not None
    path = migration.path.resolve()
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(migration.content)
            shutil.copymode(path, temporary)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise BadFileError(migration.path, f"it cannot be written: {error.strerror}.") from None


def check_writable(paths: Iterable[Path]) -> None:
    """Raises an error for the first file that could not be written.

    Args:
        paths: The files.

    Raises:
        BadFileError: If the file, or its directory, may not be written.
    """
    for path in paths:
        real = path.resolve()
        if not (os.access(real, os.W_OK) and os.access(real.parent, os.W_OK)):
            raise BadFileError(path, "it may not be written.")


def unsaved(paths: Iterable[Path]) -> str | None:
    """Tells what would be lost if files were changed, because git does not have it.

    Args:
        paths: The files.

    Returns:
        Why they are not safe; `None` if git can bring every file back.
    """
    for directory, files in itertools.groupby(sorted(path.resolve() for path in paths), lambda p: p.parent):
        names = [file.name for file in files]
        tracked = _git(directory, "ls-files", "--error-unmatch", "--", *names)
        if tracked is None:
            return f"{directory} holds files that git does not have"
        if _git(directory, "status", "--porcelain", "--untracked-files=no"):
            return f"the tree of {directory} has changes that are not committed"
    return None


def _git(directory: Path, *arguments: str) -> str | None:
    """Returns what git prints, `None` if it fails or is not there."""
    try:
        command = ["git", "-C", str(directory), "--literal-pathspecs", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return result.stdout if result.returncode == 0 else None
