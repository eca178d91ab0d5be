"""Makes one module of the code in a notebook, and puts it back."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

# Lines that IPython understands and Python does not: %magic, !command, name?, x = !command.
_MAGIC = r"(?:[%!?].*|[\w.]+\?\??[ \t]*|[\w, ]+=[ \t]*[%!].*)"
_UNINDENTED_MAGIC = re.compile(rf"^(){_MAGIC}$", re.MULTILINE)
_ANY_MAGIC = re.compile(rf"^([ \t]*){_MAGIC}$", re.MULTILINE)
# The first line of a cell that is Python all the same; after other ones of %% stands something else.
_PYTHON_CELL = re.compile(r"\s*%%(capture|prun|time|timeit)\b")


class NotebookError(ValueError):
    """Raised when a file is no notebook of Python, or a cell of it is no Python."""


@dataclasses.dataclass
class _Cell:
    number: int
    content: dict[str, Any]
    key: str
    masked: str = ""

    @property
    def text(self) -> str:
        source = self.content[self.key]
        return source if isinstance(source, str) else "".join(source)


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
            self._content = json.loads(text)
            self._cells = self._python_cells()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise NotebookError(f"it is no notebook: {error}") from None
        for cell in self._cells:
            cell.masked = self._mask(cell, to_python_3)

    def _python_cells(self) -> list[_Cell]:
        metadata = self._content["metadata"]
        described = [
            metadata.get("language_info", {}).get("name"),
            metadata.get("kernelspec", {}).get("language"),
        ]
        if any(language not in (None, "python", "ipython") for language in described):
            raise NotebookError("its language is not Python")
        # Before version 4 of the format cells stood in sheets.
        sheets = self._content.get("worksheets", [self._content])
        cells = []
        for number, content in enumerate((cell for sheet in sheets for cell in sheet["cells"]), 1):
            key = "source" if "source" in content else "input"
            cell = _Cell(number, content, key)
            if content["cell_type"] == "code" and (
                not cell.text.lstrip().startswith("%%") or _PYTHON_CELL.match(cell.text)
            ):
                cells.append(cell)
        return cells

    def _mask(self, cell: _Cell, to_python_3: Callable[[str], str]) -> str:
        """Returns the code of a cell with `pass` in the place of magics."""
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
        self._magics.append(match[0])
        return f"{match[1]}pass  {self._mark}, magic {len(self._magics) - 1}"

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
        for cell in self._cells:
            new = sources[cell.number]
            if new != cell.text:
                is_text = isinstance(cell.content[cell.key], str)
                cell.content[cell.key] = new if is_text else re.findall(r"[^\n]*\n|[^\n]+", new)
        return _written_like(self._text, self._content)


def _written_like(text: str, content: Any) -> str:
    """Returns JSON with the indentation, escapes and last newline of another text."""
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    body = text.rstrip()
    first = re.match(r"[{]\n([ \t]*)", body)
    indent = None if first is None else first[1]
    old = json.loads(text)
    ascii_only = json.dumps(old, indent=indent, ensure_ascii=False) != body and body.isascii()
    written = json.dumps(content, indent=indent, ensure_ascii=ascii_only) + text[len(body) :]
    return written.replace("\n", newline)
