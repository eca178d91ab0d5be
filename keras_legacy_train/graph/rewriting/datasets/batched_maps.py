"""Has small maps of examples that become batches computed for a batch at a time.

To call a function for each example takes longer than what it computes, such as to scale an image or to parse
it. Only operations that give the same numbers for an example in a batch as for one alone are done together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import (
    make_constant,
    node_name,
    own_inputs,
    topologically_sorted,
    with_inputs,
)
from keras_legacy_train.graph.rewriting.datasets.maps import SmallMaps, computed_in_place, plain_map
from keras_legacy_train.graph.rewriting.datasets.nodes import (
    BATCHES,
    MAPS,
    AddFunctions,
    DatasetNodes,
    copied,
    elements,
    listed,
    note_batches,
    note_elements,
    with_elements_of,
)
from keras_legacy_train.graph.rewriting.datasets.rows import BatchesOfRows

# fmt: off
_OF_ONE = frozenset({
    "Abs", "Cast", "DecodeRaw", "Identity", "LogicalNot", "Neg", "OnesLike", "Square", "ZerosLike",
})
_OF_TWO = frozenset({
    "Add", "AddV2", "Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr", "Mul",
    "NotEqual", "RealDiv", "Sub",
})
# fmt: on
_RESHAPING = frozenset({"ExpandDims", "Reshape", "Squeeze"})


class BatchedMaps:
    """Has maps directly before a `batch` computed for the whole batch.

    Args:
        nodes: The nodes of datasets.
        maps: Their maps. If one of them is not small, nothing is done.
        rows: Makes batches of an array's rows.
        add_functions: Adds functions that rewritten nodes call.
    """

    def __init__(
        self, nodes: DatasetNodes, maps: SmallMaps, rows: BatchesOfRows, add_functions: AddFunctions
    ):
        self._nodes = nodes
        self._rows = rows
        self._add_functions = add_functions
        self._are_small = maps.are_small

    def rewrite(self, node: NodeDef) -> list[NodeDef] | None:
        """Returns nodes to replace a `batch`; `None` for any other node and one that stays."""
        if node.op not in BATCHES or not self._are_small:
            return None
        maps: list[tuple[NodeDef, FunctionDef]] = []
        for source in self._nodes.sources(node):
            function = self._of_batches(source)
            if function is None:
                break
            maps.insert(0, (source, function))
        if not maps:
            return None
        made = self._examples(node, first=maps[0][0])
        for mapped, function in maps:
            batched = plain_map(mapped, f"{node.name}/{mapped.name}", self._nodes.dataset(made[-1]))
            batched.attr["f"].func.name = function.signature.name
            made += computed_in_place(note_batches(batched), self._nodes)
            self._add_functions([function], [])
        made[-1].name = node.name
        return [*made[:-1], with_elements_of(made[-1], node)]

    def _examples(self, batch: NodeDef, first: NodeDef) -> list[NodeDef]:
        """Returns nodes that make batches of what the first map is given."""
        (_, *arguments), controls = own_inputs(batch)
        source = self._nodes.find(first.input[0])
        assert source is not None  # see `_of_batches`
        examples = with_inputs(batch, [first.input[0], *arguments], controls)
        examples.name = f"{batch.name}/examples"
        note_batches(note_elements(examples, elements(source)))
        return self._rows.rewrite(examples) or [examples]

    def _of_batches(self, node: NodeDef) -> FunctionDef | None:
        """Returns the function of a map for batches; `None` if it is no map, or might give other numbers."""
        source = next(self._nodes.sources(node), None)
        if source is None or node.op not in MAPS or self._nodes.uses[node.name] > 1:
            return None
        function, specs = self._nodes.called(node), elements(source)
        if len(specs) != len(function.signature.input_arg):
            return None
        if not all(spec.shape.is_fully_defined() and spec.dtype != tf.variant for spec in specs):
            return None
        return _function_of_batches(function, [spec.shape for spec in specs])


def _function_of_batches(function: FunctionDef, shapes: Sequence[tf.TensorShape]) -> FunctionDef | None:
    """Returns a function that does for each element of batches what another one does for an element.

    Args:
        function: The other one.
        shapes: The shapes of what it is given.

    Returns:
        The function; `None` where the numbers might differ.
    """
    nodes = {node.name: node for node in function.node_def}
    batched: set[str] = set()
    made: list[NodeDef] = []
    for operation in topologically_sorted(_tensorflow.function_body(function, shapes).get_operations()):
        if operation.name not in nodes:  # it is an argument
            batched.add(operation.name)
        elif batched.isdisjoint(tensor.op.name for tensor in operation.inputs):
            made.append(nodes[operation.name])
        else:
            rewritten = _for_batches(operation, nodes[operation.name], batched)
            if rewritten is None:
                return None
            batched.add(operation.name)
            made += rewritten
    if not batched.issuperset(map(node_name, function.ret.values())):
        return None  # a constant would have to be repeated
    copy = copied(function, "of_batches")
    copy.arg_attr.clear()
    del copy.node_def[:]
    copy.node_def.extend(made)
    return copy


def _for_batches(operation: tf.Operation, node: NodeDef, batched: Collection[str]) -> list[NodeDef] | None:
    """Returns nodes that do what an operation does, for each element of batches; `None` if there are none.

    Args:
        operation: The operation, with the shapes that an element has.
        node: Its node.
        batched: Names of the operations and arguments that give batches.
    """
    first, *others = [tensor.op.name in batched for tensor in operation.inputs]
    of_first = first and not any(others)
    outputs = [output.shape for output in operation.outputs]
    if not all(shape.is_fully_defined() for shape in outputs if node.op not in _OF_ONE):
        return None
    if node.op in _RESHAPING and of_first and outputs[0].num_elements():
        shape = make_constant(f"{node.name}/of_batches", [-1, *outputs[0].as_list()], tf.int64)
        reshaped = with_inputs(node, [node.input[0], f"{shape.name}:output:0"], own_inputs(node)[1])
        reshaped.op = "Reshape"
        dtype = operation.inputs[0].dtype
        reshaped.attr.clear()
        reshaped.attr["T"].type = dtype.as_datatype_enum
        reshaped.attr["Tshape"].type = tf.int64.as_datatype_enum
        return [shape, reshaped]
    if node.op in _OF_TWO:
        ranks = {tensor.shape.rank for tensor in operation.inputs if tensor.op.name in batched}
        return [node] if ranks == {outputs[0].rank} else None
    if node.op == "ParseExampleV2":
        has_only_dense = not (node.attr["num_sparse"].i or listed(node, "ragged_value_types").type)
        return [node] if of_first and has_only_dense else None
    is_one_hot = node.op == "OneHot" and of_first and node.attr["axis"].i == -1
    return [node] if node.op in _OF_ONE or is_one_hot else None
