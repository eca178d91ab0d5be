"""Has small maps of examples that become batches computed for a batch at a time.

To call a function for each example takes longer than what it computes, such as to scale an image or to parse
it. Only operations that give the same numbers for an example in a batch as for one alone are done together.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import (
    make_constant,
    make_node,
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
_SUMS, _PRODUCTS = frozenset({"Add", "AddV2", "Sub"}), frozenset({"Mul", "RealDiv"})
_OF_TWO = _SUMS | _PRODUCTS | {
    "Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr", "NotEqual",
}
# fmt: on
# So many examples are parsed by nodes of their own.
_MOST_PARSED = 256
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
        drops_rest = node.op == "BatchDatasetV2" and self._nodes.constant(node.input[2])
        size = self._nodes.constant(node.input[1]) if drops_rest else None
        maps: list[tuple[NodeDef, FunctionDef]] = []
        for source in self._nodes.sources(node):
            function = self._of_batches(source, size)
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

    def _of_batches(self, node: NodeDef, size: int | None) -> FunctionDef | None:
        """Returns the function of a map for batches; `None` if it is no map, or might give other numbers.

        Args:
            node: The map.
            size: The number of elements in each batch, if it is always the same.
        """
        source = next(self._nodes.sources(node), None)
        if source is None or node.op not in MAPS or self._nodes.uses[node.name] > 1:
            return None
        function, specs = self._nodes.called(node), elements(source)
        if len(specs) != len(function.signature.input_arg):
            return None
        if not all(spec.shape.is_fully_defined() and spec.dtype != tf.variant for spec in specs):
            return None
        return _Batching(function, [spec.shape for spec in specs], size).function()


class _Batching:
    """Makes of a function one that does for each element of batches what the other does for an element.

    Args:
        function: The other one.
        shapes: The shapes of what it is given.
        size: The number of elements in each batch; `None` if it is not the same in all of them.
    """

    def __init__(self, function: FunctionDef, shapes: Sequence[tf.TensorShape], size: int | None):
        self._function = function
        self._shapes = shapes
        self._size = size
        self._batched: set[str] = set()  # operations and arguments that give batches
        self._replaced: dict[str, str] = {}  # their outputs, where these are called otherwise

    def function(self) -> FunctionDef | None:
        """Returns the function; `None` where the numbers might differ."""
        nodes = {node.name: node for node in self._function.node_def}
        made: list[NodeDef] = []
        body = _tensorflow.function_body(self._function, self._shapes)
        for operation in topologically_sorted(body.get_operations()):
            node = nodes.get(operation.name)
            if node is None:  # it is an argument
                self._batched.add(operation.name)
            elif self._batched.isdisjoint(tensor.op.name for tensor in operation.inputs):
                made.append(node)
            else:
                data, controls = own_inputs(node)
                given = with_inputs(node, [self._replaced.get(text, text) for text in data], controls)
                rewritten = self._rewritten(operation, given)
                if rewritten is None:
                    return None
                self._batched.add(operation.name)
                made += rewritten
        if not self._batched.issuperset(map(node_name, self._function.ret.values())):
            return None  # a constant would have to be repeated
        copy = copied(self._function, "of_batches")
        copy.arg_attr.clear()
        del copy.node_def[:]
        copy.node_def.extend(made)
        for name, text in dict(copy.ret).items():
            copy.ret[name] = self._replaced.get(text, text)
        return copy

    def _rewritten(self, operation: tf.Operation, node: NodeDef) -> list[NodeDef] | None:
        """Returns nodes that do what an operation does, for each element of batches; `None` without any.

        Args:
            operation: The operation, with the shapes that an element has.
            node: Its node, with the inputs that it has in the new function.
        """
        first, *others = [tensor.op.name in self._batched for tensor in operation.inputs]
        if node.op in _OF_ONE:
            return [node]
        if not all(output.shape.is_fully_defined() for output in operation.outputs):
            return None
        if node.op in _OF_TWO:
            batched = [tensor for tensor in operation.inputs if tensor.op.name in self._batched]
            ranks = {tensor.shape.rank for tensor in batched}
            is_alone = not any(_may_be_joined(operation.type, tensor.op, len(batched)) for tensor in batched)
            return [node] if is_alone and ranks == {operation.outputs[0].shape.rank} else None
        if not first or any(others):
            return None
        if node.op in _RESHAPING and operation.outputs[0].shape.num_elements():
            return _reshaped(node, operation.inputs[0].dtype, operation.outputs[0].shape)
        if node.op == "ParseExampleV2":
            return self._parsed(node, len(operation.outputs))
        return [node] if node.op == "OneHot" and node.attr["axis"].i == -1 else None

    def _parsed(self, node: NodeDef, outputs: int) -> list[NodeDef] | None:
        """Returns nodes that parse each example: for a batch of them TensorFlow would wake other threads."""
        has_only_dense = not (node.attr["num_sparse"].i or listed(node, "ragged_value_types").type)
        if self._size is None or self._size > _MOST_PARSED or not has_only_dense:
            return None
        (serialized, *arguments), controls = own_inputs(node)
        examples = make_node("Unpack", f"{node.name}/examples", [serialized], controls)
        examples.attr["T"].type = tf.string.as_datatype_enum
        examples.attr["num"].i = self._size
        made = [examples]
        for index in range(self._size):
            made.append(with_inputs(node, [f"{examples.name}:output:{index}", *arguments], ()))
            made[-1].name = f"{node.name}/example_{index}"
        parsed = [each.name for each in made[1:]]
        for output, dtype in zip(range(outputs), listed(node, "Tdense").type, strict=True):
            values = [f"{name}:dense_values:{output}" for name in parsed]
            packed = make_node("Pack", f"{node.name}/values_{output}", values)
            packed.attr["T"].type = dtype
            packed.attr["N"].i = self._size
            self._replaced[f"{node.name}:dense_values:{output}"] = f"{packed.name}:output:0"
            made.append(packed)
        return made


def _may_be_joined(op_type: str, source: tf.Operation, batches: int) -> bool:
    """Returns whether TensorFlow might join an operation with that of an input: by the shapes that it knows.

    It joins `(x * a) * b` to `x * (a * b)` and `x * a + x * b` to `x * (a + b)`, which have other last bits.

    Args:
        op_type: The type of the operation.
        source: What makes the input.
        batches: How many inputs of the operation are batches.
    """
    while source.type in _RESHAPING | {"Identity"}:
        source = source.inputs[0].op
    if batches > 1:
        return source.type in _SUMS | _PRODUCTS
    return any({op_type, source.type} <= family for family in (_SUMS, _PRODUCTS))


def _reshaped(node: NodeDef, dtype: tf.DType, shape: tf.TensorShape) -> list[NodeDef]:
    """Returns nodes that give each element of a batch a shape."""
    batch = make_constant(f"{node.name}/batch_shape", [-1, *shape.as_list()], tf.int64)
    reshaped = make_node("Reshape", node.name, [node.input[0], f"{batch.name}:output:0"], own_inputs(node)[1])
    reshaped.attr["T"].type = dtype.as_datatype_enum
    reshaped.attr["Tshape"].type = tf.int64.as_datatype_enum
    return [batch, reshaped]
