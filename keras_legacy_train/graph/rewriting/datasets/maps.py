"""Has the thread that asks a map for an element compute it, if that takes little time.

TensorFlow runs the function of a `map` on other threads, also if it was not asked to: for each element it
wakes some and waits for them. That takes longer than to scale an image of 28 x 28 pixels, or to parse it.
"""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import make_node, own_inputs
from keras_legacy_train.graph.rewriting.datasets.nodes import (
    BATCHES,
    MAPS,
    DatasetNodes,
    elements,
    listed,
    with_elements_of,
)

# Operations whose time is known from the size of their results, and that hold no state.
# fmt: off
_SMALL_OPS = frozenset({
    "Abs", "Add", "AddV2", "Cast", "Cos", "Div", "DivNoNan", "Equal", "Exp", "ExpandDims", "FloorDiv",
    "FloorMod", "Greater", "GreaterEqual", "Identity", "Less", "LessEqual", "Log", "Log1p", "LogicalAnd",
    "LogicalNot", "LogicalOr", "Maximum", "Minimum", "Mul", "Neg", "NoOp", "NotEqual", "OneHot", "OnesLike",
    "Pack", "ParseExampleV2", "ParseSingleExample", "Pow", "RealDiv", "Relu", "Reshape", "Round", "Rsqrt",
    "Select", "SelectV2", "Shape", "Sigmoid", "Sign", "Sin", "Sqrt", "Square", "Squeeze", "StridedSlice",
    "Sub", "Tanh", "Transpose", "Unpack", "ZerosLike",
})
# fmt: on
# It takes time by the size of a string, which only what is made of its result tells.
_DECODE = "DecodeRaw"

# What takes some 10 µs.
_MOST_OPS, _MOST_NUMBERS = 24, 8_192


class SmallMaps:
    """Has maps computed in place, if all of them are small.

    Args:
        nodes: The nodes of datasets.

    Attributes:
        are_small: Whether they are; also if there are none.
    """

    def __init__(self, nodes: DatasetNodes):
        self._nodes = nodes
        ignoring = (node for node in nodes if node.op == "IgnoreErrorsDataset")
        # Which elements are left out with a batch, depends on how TensorFlow makes it.
        ignores_batches = any(source.op in BATCHES for node in ignoring for source in nodes.sources(node))
        self.are_small = not ignores_batches and all(
            self._is_small(node) for node in nodes if node.op in MAPS
        )

    def rewrite(self, node: NodeDef) -> list[NodeDef] | None:
        """Returns nodes to replace a map; `None` for any other node and one that stays."""
        if node.op not in MAPS or not self.are_small:
            return None
        return computed_in_place(plain_map(node, node.name, node.input[0]), self._nodes)

    def _is_small(self, node: NodeDef) -> bool:
        """Returns whether a map takes too little time to be worth other threads."""
        source = next(self._nodes.sources(node), None)
        if source is None or listed(node, "Targuments").type:
            return False  # nobody knows the shapes
        called = self._nodes.called(node)
        shapes = [spec.shape for spec in elements(source)]
        op_types = {each.op for each in called.node_def} - {"Const"}
        if called.signature.is_stateful or not op_types <= _SMALL_OPS | {_DECODE}:
            return False
        if len(shapes) != len(called.signature.input_arg):
            shapes = [tf.TensorShape(None)] * len(called.signature.input_arg)
        return _takes_little(_tensorflow.function_body(called, shapes).get_operations())


def plain_map(node: NodeDef, name: str, source: str) -> NodeDef:
    """Returns a `MapDataset` as a map of any kind whose function captures nothing.

    Args:
        node: The map.
        name: The name of the new one.
        source: The dataset that it maps.
    """
    mapped = with_elements_of(make_node("MapDataset", name, [source], own_inputs(node)[1]), node)
    for attribute in ("f", "Targuments", "preserve_cardinality"):
        if attribute in node.attr:
            mapped.attr[attribute].CopyFrom(node.attr[attribute])
    return mapped


def computed_in_place(mapped: NodeDef, nodes: DatasetNodes) -> list[NodeDef]:
    """Returns nodes to replace a `MapDataset`, whose function then runs without other threads."""
    name = mapped.name
    mapped.name = f"{name}/in_place"
    mapped.attr["use_inter_op_parallelism"].b = False
    options = with_elements_of(make_node("OptionsDataset", name, [nodes.dataset(mapped)]), mapped)
    options.attr["serialized_options"].s = _options()
    return [mapped, options]


def _options() -> bytes:
    """Returns options that keep TensorFlow from making maps parallel again."""
    options = _tensorflow.DatasetOptions()
    options.optimization_options.map_parallelization = False
    options.optimization_options.map_and_batch_fusion = False
    return bytes(options.SerializeToString())


def _takes_little(operations: Iterable[tf.Operation]) -> bool:
    computing = [op for op in operations if op.type not in ("Const", "Placeholder")]
    sizes = [_size(op) for op in computing]
    return len(sizes) <= _MOST_OPS and None not in sizes and sum(filter(None, sizes)) <= _MOST_NUMBERS


def _size(operation: tf.Operation) -> int | None:
    """Returns how many numbers an operation computes; `None` if that is not known before it runs."""
    if operation.type == _DECODE:
        consumers = operation.outputs[0].consumers()
        if {each.type for each in consumers} != {"Reshape"}:
            return None
        return _size(consumers[0])
    sizes = [output.shape.num_elements() for output in operation.outputs]
    return None if None in sizes else sum(filter(None, sizes))
