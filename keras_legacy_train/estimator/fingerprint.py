"""Tells whether two graphs are the same, so that what was made of one can serve for the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

_KEYS = tf.compat.v1.GraphKeys
_COLLECTIONS = (
    _KEYS.GLOBAL_VARIABLES,
    _KEYS.LOCAL_VARIABLES,
    _KEYS.TABLE_INITIALIZERS,
    _KEYS.INIT_OP,
    _KEYS.LOCAL_INIT_OP,
    _KEYS.SAVEABLE_OBJECTS,
)


def fingerprint(graph: tf.Graph) -> str:
    """Returns a text that two graphs share if they have the same nodes and variables under the same names.

    Functions may have other names, since TensorFlow numbers them. A graph that calls Python functions has a
    text of its own.
    """
    graph_def = graph.as_graph_def()
    functions = {function.signature.name: function for function in graph_def.library.function}
    numbers: dict[str, str] = {}
    waiting = [graph_def.node]
    digest = hashlib.sha256()
    while waiting:
        nodes = waiting.pop(0)
        for node in nodes:
            for attribute in node.attr.values():
                called = [attribute.func] if attribute.HasField("func") else attribute.list.func
                for function in called:
                    if function.name in functions:
                        if function.name not in numbers:
                            numbers[function.name] = f"function {len(numbers)}"
                            waiting.append(functions[function.name].node_def)
                        function.name = numbers[function.name]
            digest.update(node.SerializeToString(deterministic=True))
    for name in numbers:
        function = functions[name]
        function.ClearField("node_def")
        function.signature.name = numbers[name]
        digest.update(function.SerializeToString(deterministic=True))
    for key in _COLLECTIONS:
        digest.update(f"\n{key}: {list(_names(graph.get_collection(key)))}".encode())
    return digest.hexdigest()


def input_fingerprint(graph: tf.Graph, result: Any) -> str:
    """Returns a text that two graphs share if they have the same nodes, and an input function that has made
    them has returned the same of them.

    Args:
        graph: The graph.
        result: A dataset, or any structure of tensors.
    """
    if isinstance(result, tf.data.Dataset):
        returned = [tf.data.experimental.to_variant(result).name, result.element_spec]
    else:
        elements = tf.nest.flatten(result, expand_composites=True)
        names = [getattr(element, "name", element) for element in elements]
        returned = [names, tf.nest.map_structure(type, result)]
    return f"{fingerprint(graph)} {returned}"


def _names(elements: Iterable[object]) -> Iterable[str]:
    return (str(getattr(element, "name", id(element))) for element in elements)
