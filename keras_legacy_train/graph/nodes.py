"""Names and inputs in a GraphDef: `"x"`, `"x:1"` and `"^x"` taken apart."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train._tensorflow import NodeDef

_LOOP_ENDS = frozenset({"NextIteration", "RefNextIteration"})


def tensor_name(text: str) -> str:
    """`"x"` and `"x:0"` both become `"x:0"`."""
    return text if ":" in text else f"{text}:0"


def node_name(text: str) -> str:
    """The node that `"x"`, `"x:1"` or `"^x"` speaks of."""
    return text.removeprefix("^").partition(":")[0]


def split_inputs(node: NodeDef) -> tuple[list[str], list[str]]:
    """The node's data inputs as tensor names, and the names of the nodes it must run after."""
    data = [tensor_name(text) for text in node.input if not text.startswith("^")]
    controls = [text[1:] for text in node.input if text.startswith("^")]
    return data, controls


def set_inputs(node: NodeDef, data: Iterable[str], controls: Iterable[str]) -> None:
    """The other way round; a node is named once among the controls."""
    del node.input[:]
    node.input.extend(data)
    node.input.extend(f"^{name}" for name in dict.fromkeys(controls))


def with_inputs(node: NodeDef, data: Iterable[str], controls: Iterable[str]) -> NodeDef:
    """A copy of the node that has these inputs."""
    copy = NodeDef()
    copy.CopyFrom(node)
    set_inputs(copy, data, controls)
    return copy


def in_dependency_order(operations: Iterable[tf.Operation]) -> list[tf.Operation]:
    """The operations, each after those it takes inputs from, but for the way back in a TF 1 while loop.

    The order of building is not that: a TF 1 conditional puts a `Switch` in front of an op that is there.
    """
    waiting = {operation.name: operation for operation in operations}
    ordered = []
    for operation in list(waiting.values()):
        stack = [operation]
        while stack:
            op = stack[-1]
            if op.name not in waiting:
                stack.pop()
                continue
            inputs = [tensor.op for tensor in op.inputs if tensor.op.type not in _LOOP_ENDS]
            unmet = [each for each in (*inputs, *op.control_inputs) if each.name in waiting]
            if unmet:
                stack.extend(unmet)
            else:
                ordered.append(waiting.pop(op.name))
                stack.pop()
    return ordered


def make_node(op: str, name: str, data: Iterable[str] = (), controls: Iterable[str] = ()) -> NodeDef:
    """A node without attributes."""
    node = NodeDef(op=op, name=name)
    set_inputs(node, data, controls)
    return node
