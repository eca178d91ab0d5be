"""Variables that are fed: what reads one gets the fed value, what updates one updates the variable."""

from __future__ import annotations

from collections.abc import Mapping

from keras_legacy_train.graph.nodes import NodeDef, make_node, node_name, split_inputs

# These hand a variable on, or read it together with something else.
_OTHER_READERS = frozenset(
    {"Enter", "Exit", "Identity", "IdentityN", "Merge", "NextIteration", "Switch"}
    | {"ResourceGather", "ResourceGatherNd"}
)


def fed_value(variable: str) -> str:
    """Returns the name of the tensor that holds the value fed for a variable."""
    return f"{node_name(variable)}/fed:0"


def with_fed_variables(node: NodeDef, fed: Mapping[str, str]) -> NodeDef:
    """Returns the node to put in the place of one that takes fed variables.

    Args:
        node: A node of a lifted graph. It is not changed.
        fed: The tensors that hold the fed values, by the names of the variables' handles.

    Raises:
        ValueError: It reads a variable in a way that a fed value cannot stand for.
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
