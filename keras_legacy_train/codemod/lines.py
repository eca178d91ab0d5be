"""Finds the lines of nodes.

`libcst.metadata.PositionProvider` finds those of all nodes, which takes longer than the rest of a migration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import libcst as cst
from libcst._nodes.internal import CodegenState  # what its own providers of positions are made of

_NEWLINE = re.compile(r"\r\n?|\n")


class _LineCounter(CodegenState):
    """Counts lines while the text of a module is made."""

    def __init__(self, module: cst.Module, nodes: Iterable[cst.CSTNode]):
        super().__init__(module.default_indent, module.default_newline)
        self._wanted = {id(node) for node in nodes}
        self._line = 1
        self.lines: dict[int, int] = {}

    def add_token(self, value: str) -> None:
        if "\n" in value or "\r" in value:
            self._line += len(_NEWLINE.findall(value))

    def before_codegen(self, node: cst.CSTNode) -> None:
        if id(node) in self._wanted:
            self.lines[id(node)] = self._line


def lines_of(module: cst.Module, nodes: Iterable[cst.CSTNode]) -> dict[int, int]:
    """Returns the lines on which nodes begin.

    Args:
        module: The tree.
        nodes: Expressions and small statements of the tree.

    Returns:
        The number of the line, from 1, by the `id` of the node.
    """
    counter = _LineCounter(module, nodes)
    module._codegen(counter)
    return counter.lines
