"""Parses and edits the inputs of nodes in a GraphDef: `"x"`, `"x:1"` and `"^x"`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from keras_legacy_train._tensorflow import NodeDef

VARIABLE_OPS = frozenset({"VarHandleOp", "VariableV2", "Variable"})

# Operations of which only one output has a value, so that what waits for the other does not run.
BRANCHES = frozenset({"Switch", "RefSwitch", "_SwitchN"})

_LOOP_ENDS = frozenset({"NextIteration", "RefNextIteration"})


def tensor_name(text: str) -> str:
    """Returns the full name of a tensor: `"x:0"` for both `"x"` and `"x:0"`."""
    return text if ":" in text else f"{text}:0"


def node_name(text: str) -> str:
    """Returns the name of the node in an input: `"x"` for `"x"`, `"x:1"` and `"^x"`."""
    return text.removeprefix("^").partition(":")[0]


def split_inputs(node: NodeDef) -> tuple[list[str], list[str]]:
    """Splits a node's inputs into data inputs (names of tensors) and control inputs (names of nodes)."""
    data = [tensor_name(text) for text in node.input if not text.startswith("^")]
    controls = [text[1:] for text in node.input if text.startswith("^")]
    return data, controls


def own_inputs(node: NodeDef) -> tuple[list[str], list[str]]:
    """Does the same as `split_inputs`, but leaves data inputs as the node has them, as in a function body."""
    data = [text for text in node.input if not text.startswith("^")]
    return data, [text[1:] for text in node.input if text.startswith("^")]


def set_inputs(node: NodeDef, data: Iterable[str], controls: Iterable[str]) -> None:
    """Sets a node's inputs; inverse of `split_inputs`. Repeated control inputs are written once."""
    del node.input[:]
    node.input.extend(data)
    node.input.extend(f"^{name}" for name in dict.fromkeys(controls))


def with_inputs(node: NodeDef, data: Iterable[str], controls: Iterable[str]) -> NodeDef:
    """Returns a copy of the node that has these inputs."""
    copy = NodeDef()
    copy.CopyFrom(node)
    set_inputs(copy, data, controls)
    return copy


def topologically_sorted(operations: Iterable[tf.Operation]) -> list[tf.Operation]:
    """Sorts operations topologically: each comes after its inputs, data and control.

    The edge that leads back in a TF 1 while loop does not count. The order in which a graph was built is not
    topological: a TF 1 conditional puts a `Switch` in front of an op that was there before.
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
    """Makes a node without attributes."""
    node = NodeDef(op=op, name=name)
    set_inputs(node, data, controls)
    return node


def make_constant(name: str, value: Any, dtype: tf.DType, controls: Iterable[str] = ()) -> NodeDef:
    """Makes a constant node."""
    node = make_node("Const", name, (), controls)
    node.attr["dtype"].type = dtype.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, dtype))
    return node


def number(node: NodeDef) -> int | None:
    """Returns the value of a constant node, an integer; `None` for any other node."""
    if node.op != "Const" or node.attr["value"].tensor.tensor_shape.dim:
        return None
    return int(tf.make_ndarray(node.attr["value"].tensor))
