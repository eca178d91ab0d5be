"""The graph's function library: fresh names, and random ops in function bodies with their state outside.

The eager runtime knows one function by each name, for the whole process. So that two graphs (or one graph
lifted twice) do not meet there, every function gets a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train._tensorflow import FunctionDef
from keras_legacy_train.graph import random
from keras_legacy_train.graph.nodes import NodeDef, make_node

# Ops that run a function as a part of the step. A dataset runs its functions inside the iterator, whose
# random state is the iterator's own already.
_CALLS = frozenset(
    {
        "PartitionedCall",
        "StatefulPartitionedCall",
        "If",
        "StatelessIf",
        "While",
        "StatelessWhile",
        "Case",
        "StatelessCase",
        "For",
        "SymbolicGradient",
    }
)


class Library:
    """Functions by their new names.

    Args:
        suffix: Appended to every function's name.
        make_state: Makes a variable from a name and its initial value, and returns its `shared_name`.
    """

    def __init__(self, suffix: str, make_state: Callable[[str, np.ndarray], str]):
        self._suffix = suffix
        self._make_state = make_state
        self._names: dict[str, str] = {}
        self._functions: dict[str, FunctionDef] = {}
        self._gradients: list[tuple[str, str]] = []
        self._stepped: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, library: Any) -> None:
        """Takes in the functions of a graph's library (a `FunctionDefLibrary`) that are not here yet."""
        new = [function for function in library.function if function.signature.name not in self._names]
        for function in new:
            self._names[function.signature.name] = function.signature.name + self._suffix
        for function in new:
            copy = FunctionDef()
            copy.CopyFrom(function)
            copy.signature.name = self._names[function.signature.name]
            for node in copy.node_def:
                self._rename(node)
            self._functions[copy.signature.name] = copy
        for gradient in library.gradient:
            names = (self._names[gradient.function_name], self._names[gradient.gradient_func])
            if names not in self._gradients:
                self._gradients.append(names)

    def add_made(self, functions: Iterable[FunctionDef]) -> None:
        """Takes in functions of our own, under the names they have."""
        for function in functions:
            self._functions[function.signature.name] = function

    def enter(self, node: NodeDef) -> None:
        """Points a graph's node at the new names, and makes the functions it runs ready for stepping."""
        self._rename(node)
        if node.op in _CALLS or node.op in self._functions:
            for name in _referenced(node):
                self._move_random_state_out(name)

    def reachable(self, nodes: Iterable[NodeDef]) -> tf.compat.v1.GraphDef:
        """A GraphDef with the library that the nodes need, and no nodes."""
        found: dict[str, FunctionDef] = {}
        gradient_of = dict(self._gradients)
        waiting = [name for node in nodes for name in _referenced(node)]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self._functions:
                continue
            found[name] = self._functions[name]
            waiting.extend(other for node in found[name].node_def for other in _referenced(node))
            if name in gradient_of:
                waiting.append(gradient_of[name])
        graph_def = tf.compat.v1.GraphDef()
        graph_def.library.function.extend(found.values())
        for function, gradient in self._gradients:
            if function in found:
                graph_def.library.gradient.add(function_name=function, gradient_func=gradient)
        return graph_def

    def _rename(self, node: NodeDef) -> None:
        node.op = self._names.get(node.op, node.op)
        for value in node.attr.values():
            for function in _function_attributes(value):
                function.name = self._names.get(function.name, function.name)

    def _move_random_state_out(self, name: str) -> None:
        if name in self._stepped or name not in self._functions:
            return
        self._stepped.add(name)
        function = self._functions[name]
        nodes = list(function.node_def)
        outputs: dict[str, str] = {}
        del function.node_def[:]
        for node in nodes:
            initial = random.initial_state(node)
            if initial is None:
                function.node_def.append(node)
                self.enter(node)
                continue
            state = make_node("VarHandleOp", f"{node.name}_random_state")
            state.attr["dtype"].type = tf.int64.as_datatype_enum
            state.attr["shape"].shape.CopyFrom(tf.TensorShape(initial.shape).as_proto())
            state.attr["shared_name"].s = self._make_state(f"{name}/{node.name}", initial).encode()
            twin = random.twin(node, f"{state.name}:resource:0")
            self.add_made(twin.functions)
            function.node_def.extend([state, *twin.nodes])
            for old, new in twin.outputs.items():
                outputs[f"{node.name}:{old}"] = f"{node.name}:{new}"
        for node in function.node_def:
            node.input[:] = [outputs.get(text, text) for text in node.input]
        for key, text in function.ret.items():
            function.ret[key] = outputs.get(text, text)


def _function_attributes(value: tf.compat.v1.AttrValue) -> Iterator[tf.compat.v1.NameAttrList]:
    if value.HasField("func"):
        yield value.func
    elif value.HasField("list"):
        yield from value.list.func


def _referenced(node: NodeDef) -> list[str]:
    """Names of the functions the node refers to, its own op among them."""
    return [node.op, *(f.name for value in node.attr.values() for f in _function_attributes(value))]
