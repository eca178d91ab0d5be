"""Tells which nodes lie in which while loops of TF 1.

Such a loop is a *frame* of the executor: `Enter` nodes bring tensors in, `Exit` nodes take them out. A node
is inside if it depends on an `Enter` with no `Exit` between.
"""

from __future__ import annotations

from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import node_name


class Frames:
    """Keeps the frames of a graph's nodes, which are added in topological order."""

    def __init__(self) -> None:
        # The frames a node is in, outermost first. Nodes outside all loops are left out.
        self._around: dict[str, tuple[str, ...]] = {}
        self._enter_nodes: dict[str, list[str]] = {}
        self._serial: set[str] = set()

    def __contains__(self, node: object) -> bool:
        """Returns whether the node is in a loop."""
        return node in self._around

    def add(self, node: NodeDef) -> None:
        """Adds a node; its inputs must have been added before."""
        around = max((self._around.get(node_name(text), ()) for text in node.input), key=len, default=())
        if node.op in ("Enter", "RefEnter"):
            frame = node.attr["frame_name"].s.decode()
            around = (*around, frame)
            self._enter_nodes.setdefault(frame, []).append(node.name)
        elif node.op in ("Exit", "RefExit"):
            around = around[:-1]
        if around:
            self._around[node.name] = around

    def run_serially(self, node: str) -> bool:
        """Has the loops around a random op run their iterations one after the other.

        An iteration that ran ahead of the one before would draw that one's numbers.

        Returns:
            Whether the node is in a loop.
        """
        around = self._around.get(node, ())
        self._serial.update(around)
        return bool(around)

    def serial_enter_nodes(self) -> list[str]:
        """Returns the `Enter` nodes of the loops that must run one iteration after the other."""
        return [node for frame in self._serial for node in self._enter_nodes[frame]]
