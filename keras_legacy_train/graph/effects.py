"""Finds what must run for an operation to have its effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import BRANCHES, node_name, split_inputs

# Compute a value, or none, and do nothing else.
_VALUES = frozenset({"NoOp", "Identity", "ReadVariableOp", "Const", "Maximum", "RealDiv", "DivNoNan"})


def effects(
    operations: Sequence[str], nodes: Mapping[str, NodeDef], feeds: Set[str], variables: Set[str]
) -> list[str]:
    """Returns the operations that must run for the given ones to have their effects.

    One that only computes a value, as the `update_op` of a metric does from what it has updated, is left out
    for those that it waits for. If these are on a branch that may not be taken, it stays: whether it has run
    is how one knows.

    Args:
        operations: Names of operations.
        nodes: All nodes by name, but for the variables.
        feeds: Names of the tensors that are fed.
        variables: Names of the variables.
    """
    found = []
    seen = set(variables)
    waiting = list(reversed(operations))
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        node = nodes[name]
        data, controls = split_inputs(node)
        tensors = (*data, *(f"{control}:0" for control in controls))
        needed = [node_name(tensor) for tensor in tensors if tensor not in feeds]
        needed = [each for each in needed if each not in variables]
        if node.op not in _VALUES or any(nodes[each].op in BRANCHES for each in needed):
            found.append(name)
        else:
            waiting.extend(reversed(needed))
    return found
