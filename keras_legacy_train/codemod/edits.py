"""Applies changes to the tree of a module; what is not changed keeps its text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias, cast

import libcst as cst
from libcst import matchers

Edit: TypeAlias = Callable[[cst.CSTNode], cst.CSTNode]
Updated: TypeAlias = cst.CSTNode | cst.FlattenSentinel[cst.SimpleStatementLine]
_Line: TypeAlias = cst.SimpleStatementLine | cst.SimpleStatementSuite

_SEMICOLON = cst.Semicolon(whitespace_after=cst.SimpleWhitespace(" "))


class Edits:
    """Collects changes, and makes them all at once.

    Args:
        ancestors: Gives the nodes around a node.
    """

    def __init__(self, ancestors: Callable[[cst.CSTNode], Iterator[cst.CSTNode]]):
        self._ancestors = ancestors
        self._edits: dict[int, Edit] = {}
        self._statements: dict[int, Sequence[cst.BaseSmallStatement]] = {}
        self._below: dict[int, dict[str, cst.BaseSmallStatement]] = {}
        self._comments: dict[int, list[cst.EmptyLine]] = {}
        self._touched: set[int] = set()

    def change(self, node: cst.CSTNode, edit: Edit) -> None:
        """Changes a node.

        Args:
            node: A node of the tree.
            edit: Makes the new node from the old one, in which changes within it are made.
        """
        self._touch(node)
        self._edits[id(node)] = edit

    def replace_statement(
        self, statement: cst.BaseSmallStatement, new: Sequence[cst.BaseSmallStatement]
    ) -> None:
        """Replaces a statement by others, each on a line of its own if it has one of its own.

        Args:
            statement: A statement of the tree.
            new: What stands in its place.
        """
        self._touch(statement)
        self._statements[id(statement)] = new

    def keep_comments(self, statement: cst.BaseSmallStatement) -> None:
        """Puts the comments within a statement on lines above it.

        Args:
            statement: A statement that is replaced.
        """
        line = next(self._ancestors(statement))
        for comment in matchers.findall(statement, matchers.Comment()):
            kept = cst.EmptyLine(comment=cst.ensure_type(comment, cst.Comment))
            self._comments.setdefault(id(line), []).append(kept)

    def add_below(self, statement: cst.BaseSmallStatement, key: str, new: cst.BaseSmallStatement) -> None:
        """Adds a statement on a line below another one. The lines are sorted by their keys.

        Args:
            statement: A statement of the tree.
            key: Names the line; a second one of this name is not added.
            new: The added statement.
        """
        self._touch(statement)
        self._below.setdefault(id(next(self._ancestors(statement))), {}).setdefault(key, new)

    def apply(self, module: cst.Module) -> cst.Module:
        """Returns the module with all changes.

        Args:
            module: The tree.

        Returns:
            A new tree.
        """
        return module.visit(_Editor(self, self._touched)) if self._touched else module

    def _touch(self, node: cst.CSTNode) -> None:
        self._touched.add(id(node))
        for ancestor in self._ancestors(node):
            if id(ancestor) in self._touched:
                break
            self._touched.add(id(ancestor))

    def new_node(self, original: cst.CSTNode, updated: cst.CSTNode) -> Updated:
        """Returns what stands in the place of a node.

        Args:
            original: A node of the tree.
            updated: The same, with the changes within it.

        Returns:
            A node, or several lines.
        """
        if isinstance(original, (cst.SimpleStatementLine, cst.SimpleStatementSuite)):
            return self._new_lines(original, cast(_Line, updated))
        edit = self._edits.get(id(original))
        return updated if edit is None else edit(updated)

    def _new_lines(self, original: _Line, updated: _Line) -> Updated:
        pairs = zip(original.body, updated.body, strict=True)
        statements = [each for old, new in pairs for each in self._statements.get(id(old), [new])]
        below = [new for _, new in sorted(self._below.get(id(original), {}).items())]
        if isinstance(updated, cst.SimpleStatementSuite):
            return updated.with_changes(body=_joined([*statements, *below]))
        if len(original.body) == 1:
            first, below = statements[:1], [*statements[1:], *below]
        else:
            first = _joined(statements)
        comments = self._comments.get(id(original), [])
        line = updated.with_changes(body=first, leading_lines=[*updated.leading_lines, *comments])
        return cst.FlattenSentinel([line, *(cst.SimpleStatementLine([each]) for each in below)])


class _Editor(cst.CSTTransformer):
    """Goes to the nodes that change and to no others."""

    def __init__(self, edits: Edits, touched: set[int]):
        super().__init__()
        self._edits = edits
        self._touched = touched

    def on_visit(self, node: cst.CSTNode) -> bool:
        return id(node) in self._touched

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Updated:  # type: ignore[override]
        if id(original_node) not in self._touched:
            return updated_node
        return self._edits.new_node(original_node, updated_node)


def _joined(statements: Sequence[cst.BaseSmallStatement]) -> list[cst.BaseSmallStatement]:
    """Returns statements as they stand on one line."""
    *firsts, last = statements
    apart = [
        s if isinstance(s.semicolon, cst.Semicolon) else s.with_changes(semicolon=_SEMICOLON) for s in firsts
    ]
    return [*apart, last]


def expression(path: str) -> cst.Name | cst.Attribute:
    """Returns a dotted name as an expression.

    Args:
        path: The name: `"tf.nn.relu"`.

    Returns:
        The tree.
    """
    root, *attributes = path.split(".")
    node: cst.Name | cst.Attribute = cst.Name(root)
    for attribute in attributes:
        node = cst.Attribute(node, cst.Name(attribute))
    return node


def import_from(module: str, aliases: Iterable[cst.ImportAlias]) -> cst.ImportFrom:
    """Returns a `from … import` on one line.

    Args:
        module: Dotted name of the module.
        aliases: What it imports.

    Returns:
        The statement.
    """
    names = [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in aliases]
    return cst.ImportFrom(module=expression(module), names=names)


def import_as(alias: cst.ImportAlias, name: str) -> cst.ImportAlias:
    """Returns an import of another name that binds the name of before.

    Args:
        alias: The import of before.
        name: What it imports from now on.

    Returns:
        The import, with `as` where the names differ.
    """
    if alias.asname is None and alias.evaluated_name != name:
        return alias.with_changes(name=cst.Name(name), asname=cst.AsName(cst.Name(alias.evaluated_name)))
    return alias.with_changes(name=cst.Name(name))
