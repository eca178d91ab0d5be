"""Makes one module of the code in a notebook, and puts it back."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Callable, Iterator

_DECODER = json.JSONDecoder()
# Lines that IPython understands and Python does not: %magic, !command, name?, x = !command.
_MAGIC = r"(?:[%!?](?:.*\\\n)*.*|[\w.]+\?\??[ \t]*|[\w, ]+=[ \t]*[%!].*)"
_UNINDENTED_MAGIC = re.compile(rf"^(){_MAGIC}$", re.MULTILINE)
_ANY_MAGIC = re.compile(rf"^([ \t]*){_MAGIC}$", re.MULTILINE)
# The first line of a cell that is Python all the same; after other ones of %% stands something else.
_PYTHON_CELL = re.compile(r"\s*%%(capture|prun|time|timeit)\b")


class NotebookError(ValueError):
    """Raised when a file is no notebook of Python, or a cell of it is no Python."""


@dataclasses.dataclass
class _Cell:
    """Holds a cell with Python code.

    Attributes:
        number: Counts all cells, from 1.
        text: The code.
        start: Where in the file its source begins.
        end: Where it ends.
        masked: The code with `pass` in the place of magics.
    """

    number: int
    text: str
    start: int
    end: int
    masked: str = ""


class Notebook:
    """Reads a notebook of any version of the format.

    Args:
        text: The file.
        to_python_3: Makes Python 3 of the code of a cell.

    Raises:
        NotebookError: If it is no notebook of Python, or a cell is no Python.
    """

    def __init__(self, text: str, to_python_3: Callable[[str], str]):
        self._text = text
        self._magics: list[str] = []
        self._mark = "# cell of the notebook"
        while self._mark in text:
            self._mark += "'"
        try:
            _check_language(json.loads(text)["metadata"])
            self._cells = list(_python_cells(text))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise error if isinstance(error, NotebookError) else NotebookError("it is no notebook") from None
        for cell in self._cells:
            cell.masked = self._mask(cell, to_python_3)

    def _mask(self, cell: _Cell, to_python_3: Callable[[str], str]) -> str:
        problem = None
        for magic in (None, _UNINDENTED_MAGIC, _ANY_MAGIC):
            known = len(self._magics)
            text = cell.text if magic is None else magic.sub(self._keep_magic, cell.text)
            try:
                return to_python_3(text)
            except SyntaxError as error:
                problem = problem or error
                del self._magics[known:]
        assert problem is not None
        raise NotebookError(f"line {problem.lineno} of cell {cell.number} is not Python 3 ({problem.msg})")

    def _keep_magic(self, match: re.Match[str]) -> str:
        masks = []
        for line in match[0].split("\n"):  # a command may go on behind a backslash
            masks.append(f"{match[1]}pass  {self._mark}, magic {len(self._magics)}")
            self._magics.append(line)
        return "\n".join(masks)

    @property
    def code(self) -> str:
        """Returns the code of all cells as one module."""
        return "".join(f"{self._mark}, {cell.number}\n{cell.masked}\n" for cell in self._cells)

    @property
    def originals(self) -> dict[int, str]:
        """Returns the code of each cell as it stands in the notebook, by its number."""
        return {cell.number: cell.text for cell in self._cells}

    def place(self, line: int) -> tuple[int, int]:
        """Returns where a line of the module stands.

        Args:
            line: Number of the line in `code`, from 1.

        Returns:
            The number of the cell and of the line in it, from 1.
        """
        for cell in self._cells:
            lines = cell.masked.count("\n") + 2
            if line <= lines:
                return cell.number, line - 1
            line -= lines
        raise IndexError("there is no such line")

    def sources(self, code: str) -> dict[int, str]:
        """Returns the code of each cell.

        Args:
            code: The module.

        Returns:
            The code, with magics, by the number of the cell.
        """
        magic = re.compile(rf"^[ \t]*pass  {re.escape(self._mark)}, magic (\d+)$", re.MULTILINE)
        code = magic.sub(lambda match: self._magics[int(match[1])], code)
        parts = re.split(rf"^{re.escape(self._mark)}, (\d+)\n", code, flags=re.MULTILINE)
        return {int(parts[i]): parts[i + 1][:-1] for i in range(1, len(parts), 2)}

    def with_code(self, code: str) -> str:
        """Returns the notebook with other code; what is the same stays as it is written.

        Args:
            code: The module.

        Returns:
            The text of the file.
        """
        sources = self.sources(code)
        text = self._text
        for cell in reversed(self._cells):
            if sources[cell.number] != cell.text:
                source = _written_like(text[cell.start : cell.end], sources[cell.number], text.isascii())
                text = text[: cell.start] + source + text[cell.end :]
        return text


def _check_language(metadata: dict[str, dict[str, str]]) -> None:
    described = [
        metadata.get("language_info", {}).get("name"),
        metadata.get("kernelspec", {}).get("language"),
    ]
    if any(language not in (None, "python", "ipython") for language in described):
        raise NotebookError("its language is not Python")


def _python_cells(text: str) -> Iterator[_Cell]:
    for number, start in enumerate(_cells(text, _skip_space(text, 0)), 1):
        places = {key: (begin, end) for key, begin, end in _values(text, start)}
        content, _ = _DECODER.raw_decode(text, start)
        if content["cell_type"] != "code":
            continue
        key = "source" if "source" in content else "input"
        code = content[key] if isinstance(content[key], str) else "".join(content[key])
        if not code.lstrip().startswith("%%") or _PYTHON_CELL.match(code):
            begin, end = places[key]
            yield _Cell(number, code, begin, end)


def _cells(text: str, start: int) -> Iterator[int]:
    """Yields where each cell begins."""
    for key, begin, _ in _values(text, start):
        if key == "cells":
            yield from (place for _, place, _ in _values(text, begin))
        elif key == "worksheets":  # before version 4 of the format
            for _, sheet, _ in _values(text, begin):
                yield from _cells(text, sheet)


def _values(text: str, start: int) -> Iterator[tuple[str | int, int, int]]:
    """Yields key or index, start and end of each value in the JSON object or array that begins there."""
    place = _skip_space(text, start + 1)
    for index in itertools.count():
        if text[place] in "]}":
            return
        key: str | int = index
        if text[start] == "{":
            key, place = _DECODER.raw_decode(text, place)
            place = _skip_space(text, _skip_space(text, place) + 1)
        _, end = _DECODER.raw_decode(text, place)
        yield key, place, end
        place = _skip_space(text, end)
        if text[place] == ",":
            place = _skip_space(text, place + 1)


def _skip_space(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place


def _written_like(old: str, code: str, ascii_only: bool) -> str:
    """Returns code as JSON in the form that other code has: one text, or a list with a line in each text."""
    if old.startswith('"'):
        return json.dumps(code, ensure_ascii=ascii_only)
    places = [place for _, *place in _values(old, 0)]
    # A line that was there keeps its escapes.
    written = {json.loads(old[start:end]): old[start:end] for start, end in places}
    lines = re.findall(r"[^\n]*\n|[^\n]+", code)
    texts = [written.get(line) or json.dumps(line, ensure_ascii=ascii_only) for line in lines]
    before, after = old[: places[0][0]], old[places[-1][1] :]
    between = old[places[0][1] : places[1][0]] if len(places) > 1 else f",{before[1:] or ' '}"
    return before + between.join(texts) + after
