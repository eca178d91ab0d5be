"""Finds what must run for an operation to have its effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from keras_legacy_train import _tensorflow
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
    is how one knows. It also stays behind a function: what that does is left out where no value is taken
    from it.

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
        if node.op not in _VALUES or any(_is_run_by_value(nodes[each]) for each in needed):
            found.append(name)
        else:
            waiting.extend(reversed(needed))
    return found


def _is_run_by_value(node: NodeDef) -> bool:
    """Returns whether a node may do less if nobody takes a value from it: a branch, a call of a function."""
    calls = _tensorflow.op_def(node.op) is None or any(each.HasField("func") for each in node.attr.values())
    return calls or node.op in BRANCHES
