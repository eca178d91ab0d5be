"""Holds a part of a lifted graph: the nodes that compute some tensors and run some operations."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.nodes import BRANCHES, node_name, number, split_inputs
from keras_legacy_train.graph.rewriting.inputs import INDEPENDENT

# Where the nodes stand in the functions that they are imported into.
IMPORT_SCOPE = "lifted"


@dataclasses.dataclass(frozen=True)
class Part:
    """Holds nodes to be imported into functions.

    Attributes:
        graph_def: The nodes, and the functions they call.
        feeds: Names of the tensors that the part is given.
        fetches: Names of the tensors that it returns.
        operations: Names of the operations that it runs.
        captured: The variables that it uses, by name.
        draws: Whether it draws random numbers.
    """

    graph_def: tf.compat.v1.GraphDef
    feeds: Sequence[str]
    fetches: Sequence[str]
    operations: Sequence[str]
    captured: Mapping[str, tf.Variable]
    draws: bool

    def build(self, arguments: Sequence[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Operation]]:
        """Imports the nodes into the function that is being built.

        The function must be one without automatic control dependencies, as `tf.compat.v1.wrap_function` makes
        it: the nodes have their order already.

        Args:
            arguments: A tensor for each feed.

        Returns:
            The fetched tensors, and the operations. The tensors need not depend on the operations.
        """
        graph = tf.compat.v1.get_default_graph()
        # The import fails for a mapped tensor that no node takes.
        used = self._used(self.feeds)
        input_map = {feed: fed for feed, fed in zip(self.feeds, arguments, strict=True) if feed in used}
        for name, variable in self.captured.items():
            input_map.setdefault(f"{name}:0", graph.capture(variable.handle))
        for name, handle in self._iterators_outside(graph).items():
            input_map.setdefault(name, graph.capture(handle))
        elements = tf.graph_util.import_graph_def(
            self.graph_def, input_map, return_elements=[*self.fetches, *self.operations], name=IMPORT_SCOPE
        )
        fetched, operations = elements[: len(self.fetches)], elements[len(self.fetches) :]
        graph.control_outputs.extend(operations)  # TensorFlow drops what no output depends on
        return fetched, operations

    def _iterators_outside(self, function: tf.Graph) -> dict[str, tf.Tensor]:
        """Imports the iterators of a loop's body into the function around the loop, which finds them once."""
        outer = _tensorflow.around_loop(function)
        if outer is None:
            return {}
        nodes = [node for node in self.graph_def.node if node.op == "IteratorV2"]
        names = [f"{node.name}:0" for node in nodes]
        # TensorFlow drops control inputs of an operation that one of its inputs has, but a loop begins with
        # some of its inputs.
        with outer.as_default(), tf.control_dependencies(None):
            iterators = tf.compat.v1.GraphDef(node=nodes, versions=self.graph_def.versions)
            handles = tf.graph_util.import_graph_def(iterators, return_elements=names, name=IMPORT_SCOPE)
        return dict(zip(names, handles, strict=True))

    def _used(self, tensors: Sequence[str]) -> set[str]:
        """Returns those of the tensors that a node takes."""
        if not tensors:
            return set()
        return {name for node in self.graph_def.node for name in split_inputs(node)[0]}.intersection(tensors)

    def op_types(self) -> set[str]:
        """Returns the types of all operations in it, those in functions among them, but for `INDEPENDENT`."""
        bodies = (function.node_def for function in self.graph_def.library.function)
        nodes = itertools.chain(self.graph_def.node, *bodies)
        return {node.op for node in nodes if not node.name.startswith(INDEPENDENT)}

    def increments_by_one(self, variable: tf.Variable) -> bool:
        """Returns whether each run is certain to raise the variable by one and not to change it otherwise."""
        names = [name for name, captured in self.captured.items() if captured is variable]
        handles = {*names, *(f"{name}:0" for name in names)}
        updates = []
        for node in self.graph_def.node:
            if node.op in BRANCHES:
                return False  # what waits for a branch that is not taken does not run
            if node.op != "ReadVariableOp" and not handles.isdisjoint(node.input):
                updates.append(node)
        if [node.op for node in updates] != ["AssignAddVariableOp"]:
            return False
        added = node_name(updates[0].input[1])
        return any(node.name == added and number(node) == 1 for node in self.graph_def.node)
