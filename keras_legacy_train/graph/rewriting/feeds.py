"""Rewrites nodes that take fed variables: reads get the fed value, updates still update the variable."""

from __future__ import annotations

from collections.abc import Mapping

from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import make_node, node_name, split_inputs

# These forward a variable's handle, or read only some of its rows.
_OTHER_READERS = frozenset(
    {"Enter", "Exit", "Identity", "IdentityN", "Merge", "NextIteration", "Switch"}
    | {"ResourceGather", "ResourceGatherNd"}
)


def fed_value(variable: str) -> str:
    """Returns the name of the tensor that holds the value fed for a variable."""
    return f"{node_name(variable)}/fed:0"


def with_fed_variables(node: NodeDef, fed: Mapping[str, str]) -> NodeDef:
    """Returns the replacement of a node that takes fed variables; the node itself if it needs none.

    Args:
        node: A node of a lifted graph. It is not changed.
        fed: The tensors that hold the fed values, by the names of the variables' handles.

    Raises:
        ValueError: It reads a variable in a way that a fed value cannot replace.
    """
    data, controls = split_inputs(node)
    if node.op == "ReadVariableOp":
        read = make_node("Identity", node.name, [fed[data[0]]], controls)
        read.attr["T"].CopyFrom(node.attr["dtype"])
        return read
    calls = any(value.HasField("func") or value.list.func for value in node.attr.values())
    if calls or node.op in _OTHER_READERS:
        variables = ", ".join(repr(name) for name in data if name in fed)
        raise ValueError(
            f"The variable {variables} cannot be fed: {node.name!r} ({node.op}) reads it in a branch, a loop"
            " or row by row. Feed what is computed from it, or assign the variable."
        )
    return node
