"""Drops redundant control inputs: those that do not change the order of any effects.

Where an operation has several gradients, TF 1 has each wait for all the others. TensorFlow's optimizer drops
what it can of this, too, but its time rises with the square of the graph's size.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import node_name, split_inputs, with_inputs

# A node that waits for a branch that is not taken does not run, so there no control input is redundant.
_CONTROL_FLOW = frozenset({"Switch", "RefSwitch", "_SwitchN", "Merge", "RefMerge", "Enter", "RefEnter"})
# `order_updates` gives these the control inputs from updates that they need.
_READS = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape"})


def drop_redundant_controls(nodes: dict[str, NodeDef], wanted: Iterable[str]) -> dict[str, NodeDef]:
    """Drops redundant control inputs, and nodes that nobody needs then.

    A control input is redundant if neither its node nor any node that this waits for has an effect that the
    remaining inputs do not wait for anyway.

    Args:
        nodes: The nodes of a function by name, each behind its inputs.
        wanted: The names of the nodes that are fetched or run.

    Returns:
        The nodes that are left, in the same order. Nodes that change are copied.
    """
    if any(node.op in _CONTROL_FLOW for node in nodes.values()):
        return nodes
    kept: dict[str, NodeDef] = {}
    # For each node, as bits, the nodes with an effect that are done when it is done.
    effects: dict[str, int] = {}
    next_effect = 1
    for name, node in nodes.items():
        data, controls = split_inputs(node)
        done = 0
        for tensor in data:
            done |= effects.get(node_name(tensor), 0)
        needed = []
        # The control input with most effects behind it may make the others redundant.
        for control in sorted(controls, key=lambda other: effects.get(other, 0), reverse=True):
            if control not in effects or effects[control] & ~done:
                needed.append(control)
                done |= effects.get(control, 0)
        if len(needed) < len(controls):
            node = with_inputs(node, data, needed)
        kept[name] = node
        if _has_effect(node.op):
            done |= next_effect
            next_effect <<= 1
        effects[name] = done
    return _needed(kept, wanted)


def _needed(nodes: dict[str, NodeDef], wanted: Iterable[str]) -> dict[str, NodeDef]:
    """Returns the nodes that the wanted ones depend on, themselves included."""
    found: set[str] = set()
    waiting = [name for name in wanted if name in nodes]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(other for other in map(node_name, nodes[name].input) if other in nodes)
    return {name: node for name, node in nodes.items() if name in found}


@functools.cache
def _has_effect(op_type: str) -> bool:
    """Returns whether running an operation, or its failure, shows otherwise than in its outputs."""
    if op_type in _READS:
        return False
    op_def = _tensorflow.op_def(op_type)
    if op_def is None or op_def.is_stateful or "Check" in op_type:
        return True
    if any("func" in attribute.type for attribute in op_def.attr):
        return True  # the function may have one
    return any(
        argument.is_ref or argument.type == tf.resource.as_datatype_enum for argument in op_def.input_arg
    )
