"""Tells what a step exchanges with the servers that hold its variables."""

from __future__ import annotations

import dataclasses

from keras_legacy_train.graph.nodes import node_name, split_inputs
from keras_legacy_train.graph.part import Part

_BY_ROWS = ("Gather", "Scatter", "Sparse")


@dataclasses.dataclass(frozen=True)
class Exchange:
    """Holds what a step exchanges with servers.

    Attributes:
        read: Bytes of the variables that are read whole.
        sent: Bytes of the updates that are sent whole.
        by_rows: Names of the variables of which a step reads or sends rows, as many as its batch asks for.
    """

    read: int
    sent: int
    by_rows: frozenset[str]

    def __str__(self) -> str:
        text = f"reads {self.read:,} bytes of variables and sends {self.sent:,} bytes of updates"
        return f"{text}, and rows of {', '.join(sorted(self.by_rows))}" if self.by_rows else text


def exchange_of(part: Part) -> Exchange:
    """Returns what the nodes of a step exchange with servers. A value counts once, however many use it."""
    sizes = {
        name: (variable.shape.num_elements() or 0) * variable.dtype.size
        for name, variable in part.captured.items()
        if variable.is_shared
    }
    # The nodes that run on a server, with the variables that they use.
    used = {}
    for node in part.graph_def.node:
        variables = [name for name in map(node_name, split_inputs(node)[0]) if name in sizes]
        if variables:
            used[node.name] = variables
    types = {node.name: node.op for node in part.graph_def.node}
    by_rows = {used[name][0] for name in used if any(word in types[name] for word in _BY_ROWS)}
    read: set[str] = set()
    sent = 0
    for node in part.graph_def.node:
        inputs = {node_name(text) for text in split_inputs(node)[0]}
        if node.name not in used:
            read.update(
                used[name][0] for name in inputs if types.get(name) == "ReadVariableOp" and name in used
            )
        elif any(types.get(name, "Const") != "Const" and name not in used for name in inputs):
            first = used[node.name][0]
            sent += 0 if first in by_rows else sizes[first]
    return Exchange(sum(sizes[name] for name in read - by_rows), sent, frozenset(by_rows))
