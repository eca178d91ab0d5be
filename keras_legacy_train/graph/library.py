"""Rewrites the graph's function library: fresh names, and the state of random ops outside the functions.

The eager runtime has one namespace of functions for the whole process. Every function gets a new, unique
name, so that two graphs, or one graph lifted twice, do not clash there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.function_defs import trace_gradient
from keras_legacy_train.graph.nodes import make_node
from keras_legacy_train.graph.random_ops import stateful_twins
from keras_legacy_train.graph.rewriting.datasets import DatasetNodes, Datasets
from keras_legacy_train.graph.rewriting.inputs import INDEPENDENT

# Ops that run a function as a part of the step. The functions of a dataset are not meant: they run inside the
# iterator, which keeps their random state itself.
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
    """Holds functions by their new names.

    Args:
        suffix: Appended to every function's name.
        make_state: Makes a variable from a name and its initial value, and returns its `shared_name`.
        local_device: Translates the device string of a node.
        state_device: The device of these variables; `""` for any.
        rewrites_datasets: Whether datasets may be rewritten, see `rewriting.datasets`.
    """

    def __init__(
        self,
        suffix: str,
        make_state: Callable[[str, np.ndarray], str],
        local_device: Callable[[str], str],
        state_device: str = "",
        rewrites_datasets: bool = False,
    ):
        self._suffix = suffix
        self._make_state = make_state
        self._local_device = local_device
        self._state_device = state_device
        self._rewrites_datasets = rewrites_datasets
        self._names: dict[str, str] = {}
        self._python_functions: list[Callable[..., Any]] = []
        self._functions: dict[str, FunctionDef] = {}
        self._gradients: dict[str, str] = {}
        # The names without the suffix, which differs from lift to lift: random state is saved under these.
        self._originals: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        """Returns whether a function of the graph is known, by its name in the graph."""
        return name in self._names

    def function(self, name: str) -> FunctionDef:
        """Returns a function by its name in the graph, or by the new one."""
        return self._functions[self._names.get(name, name)]

    def add(self, library: Any) -> None:
        """Adds the functions of a graph's library (a `FunctionDefLibrary`) that are not here yet."""
        originals = {function.signature.name: function for function in library.function}
        new = [function for function in originals.values() if function.signature.name not in self._names]
        for function in new:
            name = function.signature.name + self._suffix
            self._names[function.signature.name] = name
            self._originals[name] = function.signature.name
        for function in new:
            copy = FunctionDef()
            copy.CopyFrom(function)
            copy.signature.name = self._names[function.signature.name]
            for node in copy.node_def:
                self._rename(node)
                node.device = self._local_device(node.device)
            self._functions[copy.signature.name] = copy
        for function in new if self._rewrites_datasets else ():
            self._rewrite_datasets(self.function(function.signature.name))
        for gradient in library.gradient:
            self._gradients[self._names[gradient.function_name]] = self._names[gradient.gradient_func]
        for function in new:
            for node in self._functions[self._names[function.signature.name]].node_def:
                self._replace_symbolic_gradient(node)

    def _rewrite_datasets(self, function: FunctionDef) -> None:
        nodes = list(function.node_def)
        if any("Dataset" in node.op for node in nodes):
            is_inner = bool(function.signature.input_arg)  # that of a one-shot iterator has none
            found = DatasetNodes(nodes, self.function, is_function=True, is_inner=is_inner)
            made = Datasets(found, self.add_generated)
            rewritten = [each for node in nodes for each in made.rewrite(node)]
            del function.node_def[:]
            function.node_def.extend(rewritten)

    def add_generated(
        self, functions: Iterable[FunctionDef], python_functions: Iterable[Callable[..., Any]] = ()
    ) -> None:
        """Adds functions that this package has made, under the names they have.

        Args:
            functions: The functions.
            python_functions: What they call in Python; it is kept as long as they are.
        """
        self._python_functions.extend(python_functions)
        for function in functions:
            name = function.signature.name
            self._functions[name] = function
            self._originals[name] = name.replace(self._suffix, "")

    def rewrite(self, node: NodeDef) -> None:
        """Has a graph's node call the renamed functions, with the gradients and random state a step needs."""
        self._rename(node)
        self._replace_symbolic_gradient(node)
        self._separate_random_state(node, node.name)

    def op_types(self, besides: Collection[str] = ()) -> set[str]:
        """Returns the types of the operations in the functions besides those of these names in the graph.

        Operations that are called `INDEPENDENT` do not count.
        """
        left_out = {self._names[name] for name in besides}
        functions = [function for name, function in self._functions.items() if name not in left_out]
        nodes = (node for function in functions for node in function.node_def)
        return {node.op for node in nodes if not node.name.startswith(INDEPENDENT)}

    def reachable(self, nodes: Iterable[NodeDef]) -> tf.compat.v1.GraphDef:
        """Returns a GraphDef without nodes, with the library that the given nodes need."""
        found: dict[str, FunctionDef] = {}
        waiting = [name for node in nodes for name in _referenced_functions(node)]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self._functions:
                continue
            found[name] = self._functions[name]
            waiting.extend(other for node in found[name].node_def for other in _referenced_functions(node))
        graph_def = tf.compat.v1.GraphDef()
        graph_def.library.function.extend(found.values())
        return graph_def

    def _rename(self, node: NodeDef) -> None:
        """Replaces the names of functions that the node refers to by the new ones."""
        node.op = self._names.get(node.op, node.op)
        for value in node.attr.values():
            for function in _function_attributes(value):
                function.name = self._names.get(function.name, function.name)

    def _replace_symbolic_gradient(self, node: NodeDef) -> None:
        """Replaces a SymbolicGradient by a plain call, if the runtime would not know the gradient.

        The runtime is not told of gradients that the graph names, and has none for random ops whose state is
        outside.
        """
        if node.op != "SymbolicGradient":
            return
        name = node.attr["f"].func.name
        called = self._reachable_functions(name)
        if not called & self._gradients.keys() and not any(map(self._contains_random_ops, called)):
            return
        if name not in self._gradients:
            body = self._functions[name]
            made = trace_gradient(body, self.reachable(body.node_def), name)
            self.add_generated(made)
            self._gradients[name] = made[0].signature.name
            for inner in (inner for function in made for inner in function.node_def):
                self._replace_symbolic_gradient(inner)
        node.op = "StatefulPartitionedCall"
        node.attr["f"].func.name = self._gradients[name]

    def _reachable_functions(self, name: str) -> set[str]:
        """Returns the function and all functions that run as a part of it."""
        called: set[str] = set()
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if name in self._functions and name not in called:
                called.add(name)
                waiting.extend(
                    f for node in self._functions[name].node_def for f in self._called_functions(node)
                )
        return called

    def _called_functions(self, node: NodeDef) -> list[str]:
        """Returns the functions that run as a part of the step when the node runs."""
        if node.op in _CALLS or node.op in self._functions:
            return _referenced_functions(node)
        return []

    def _contains_random_ops(self, name: str) -> bool:
        """Returns whether a function has random ops itself."""
        return any(stateful_twins.initial_state(node) is not None for node in self._functions[name].node_def)

    def _draws_random_numbers(self, name: str) -> bool:
        """Returns whether a function, or one that it calls, has random ops."""
        return any(map(self._contains_random_ops, self._reachable_functions(name)))

    def _separate_random_state(self, node: NodeDef, path: str) -> None:
        """Has a node that calls functions with random ops call copies whose state belongs to this call alone.

        TF 1 inlined the bodies at the calls, so each call had generators of its own.
        """
        if not self._called_functions(node):
            return
        if self._draws_random_numbers(node.op):
            if self._state_device:
                raise ValueError(
                    f"{path} calls a function that draws random numbers, {self._originals[node.op]},"
                    " which cannot run on a server. Draw them outside of it, or train in this process."
                )
            node.op = self._copy_with_external_state(node.op, path)
        for value in node.attr.values():
            for function in _function_attributes(value):
                if self._draws_random_numbers(function.name):
                    function.name = self._copy_with_external_state(function.name, path)

    def _copy_with_external_state(self, name: str, path: str) -> str:
        """Copies a function so that its random ops keep their state under `path`; returns the copy's name."""
        path = f"{path}/{self._originals[name]}"
        function = FunctionDef()
        function.CopyFrom(self._functions[name])
        function.signature.name = f"{name}_{len(self._functions)}"
        nodes = list(function.node_def)
        outputs: dict[str, str] = {}
        del function.node_def[:]
        for node in nodes:
            initial = stateful_twins.initial_state(node)
            if initial is None:
                function.node_def.append(node)
                self._separate_random_state(function.node_def[-1], f"{path}/{node.name}")
                continue
            state = make_node("VarHandleOp", f"{node.name}_random_state")
            state.device = self._state_device
            state.attr["dtype"].type = tf.int64.as_datatype_enum
            state.attr["shape"].shape.CopyFrom(tf.TensorShape(initial.shape).as_proto())
            state.attr["shared_name"].s = self._make_state(f"{path}/{node.name}", initial).encode()
            twin = stateful_twins.twin(node, f"{state.name}:resource:0")
            self.add_generated(twin.functions)
            function.node_def.extend([state, *twin.nodes])
            for old, new in twin.outputs.items():
                outputs[f"{node.name}:{old}"] = f"{node.name}:{new}"
        for node in function.node_def:
            node.input[:] = [outputs.get(text, text) for text in node.input]
        for key, text in function.ret.items():
            function.ret[key] = outputs.get(text, text)
        copied: str = function.signature.name
        self._functions[copied] = function
        return copied


def _function_attributes(value: tf.compat.v1.AttrValue) -> Iterator[tf.compat.v1.NameAttrList]:
    if value.HasField("func"):
        yield value.func
    elif value.HasField("list"):
        yield from value.list.func


def _referenced_functions(node: NodeDef) -> list[str]:
    """Returns the names of the functions the node refers to, and of its op, which may be a function."""
    return [node.op, *(f.name for value in node.attr.values() for f in _function_attributes(value))]
