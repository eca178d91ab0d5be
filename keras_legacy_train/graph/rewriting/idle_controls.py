"""Drops control inputs that hold nothing up.

Where an operation has several gradients, TF 1 has each wait for all the others. TensorFlow's optimizer looks
for what of this can go in a time that rises with the square of the graph's size.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.nodes import NodeDef, node_name, split_inputs, with_inputs

# What waits for a branch that is not taken does not run, so there no wait is idle.
_CONTROL_FLOW = frozenset({"Switch", "RefSwitch", "_SwitchN", "Merge", "RefMerge", "Enter", "RefEnter"})
# `order_updates` has these wait for the updates they must wait for.
_READS = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape"})


def drop_idle_controls(nodes: dict[str, NodeDef], wanted: Iterable[str]) -> dict[str, NodeDef]:
    """The nodes without control inputs from nodes that have no effect themselves, and wait for no node with
    one that is not waited for anyway. Nodes that then nobody needs are left out.

    Args:
        nodes: The nodes of a function by name, each behind its inputs.
        wanted: The names of the nodes that are fetched or run.
    """
    if any(node.op in _CONTROL_FLOW for node in nodes.values()):
        return nodes
    kept: dict[str, NodeDef] = {}
    # For each node those with an effect that have run when it has; they are numbered by bits.
    effects: dict[str, int] = {}
    next_effect = 1
    for name, node in nodes.items():
        data, controls = split_inputs(node)
        done = 0
        for tensor in data:
            done |= effects.get(node_name(tensor), 0)
        needed = []
        # What has most behind it may make the others idle.
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
    """Whether running an operation, or its failing, can be told in other ways than by its outputs."""
    if op_type in _READS:
        return False
    op_def = _tensorflow.op_def(op_type)
    if op_def is None or op_def.is_stateful or "Check" in op_type:
        return True
    if any("func" in attribute.type for attribute in op_def.attr):
        return True  # what the function does
    return any(
        argument.is_ref or argument.type == tf.resource.as_datatype_enum for argument in op_def.input_arg
    )
