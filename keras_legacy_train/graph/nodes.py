"""Names and inputs in a GraphDef: `"x"`, `"x:1"` and `"^x"` taken apart."""

from __future__ import annotations

from collections.abc import Iterable

from keras_legacy_train._tensorflow import NodeDef


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


def make_node(op: str, name: str, data: Iterable[str] = (), controls: Iterable[str] = ()) -> NodeDef:
    """A node without attributes."""
    node = NodeDef(op=op, name=name)
    set_inputs(node, data, controls)
    return node
