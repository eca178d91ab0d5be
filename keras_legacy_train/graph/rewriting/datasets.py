"""Rewrites datasets so that small work needs no hand-offs between threads. The elements stay the same.

TensorFlow runs the function of a `map` on other threads, also if it was not asked to: for each element it
wakes some and waits for them. That takes longer than to scale an image of 28 x 28 pixels, or to parse it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import make_node, node_name, split_inputs

_MAPS = frozenset({"MapDataset", "ParallelMapDataset", "ParallelMapDatasetV2"})

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


def maps_are_small(nodes: Iterable[NodeDef], function: Callable[[str], FunctionDef]) -> bool:
    """Returns whether there are maps among the nodes, and all take too little time to be worth other threads.

    Args:
        nodes: The nodes of a graph or of a function.
        function: Returns a function by the name that the nodes have for it.
    """
    by_name = {node.name: node for node in nodes}
    maps = [node for node in by_name.values() if node.op in _MAPS]
    return bool(maps) and all(_is_small(node, by_name, function) for node in maps)


def is_map(node: NodeDef) -> bool:
    """Returns whether a node makes a dataset that calls a function for each element of another one."""
    return node.op in _MAPS


def map_in_place(node: NodeDef, output: str = "") -> list[NodeDef]:
    """Has the thread that asks a map for an element compute it.

    Args:
        node: The map. All maps of its graph or function are small.
        output: What follows a node's name in a reference to its output: `":handle"` in a function.

    Returns:
        Nodes to replace it, of which the last has its name.
    """
    data, controls = split_inputs(node)
    mapped = make_node("MapDataset", f"{node.name}/in_place", data[:1], controls)
    for name in ("f", "Targuments", "output_types", "output_shapes", "preserve_cardinality"):
        if name in node.attr:
            mapped.attr[name].CopyFrom(node.attr[name])
    mapped.attr["use_inter_op_parallelism"].b = False  # runs the function without other threads
    options = make_node("OptionsDataset", node.name, [f"{mapped.name}{output}:0"])
    for name in ("output_types", "output_shapes"):
        options.attr[name].CopyFrom(node.attr[name])
    options.attr["serialized_options"].s = _options()
    return [mapped, options]


def _options() -> bytes:
    """Returns options that keep TensorFlow from making maps parallel again."""
    options = _tensorflow.DatasetOptions()
    options.optimization_options.map_parallelization = False
    options.optimization_options.map_and_batch_fusion = False
    return bytes(options.SerializeToString())


def _is_small(node: NodeDef, nodes: Mapping[str, NodeDef], function: Callable[[str], FunctionDef]) -> bool:
    source = nodes.get(node_name(node.input[0]))
    if source is None or node.attr["Targuments"].list.type:
        return False  # nobody knows the shapes
    called = function(node.attr["f"].func.name)
    shapes = [tf.TensorShape(shape) for shape in source.attr["output_shapes"].list.shape]
    op_types = {each.op for each in called.node_def} - {"Const"}
    if called.signature.is_stateful or not op_types <= _SMALL_OPS | {_DECODE}:
        return False
    if len(shapes) != len(called.signature.input_arg):
        shapes = [tf.TensorShape(None)] * len(called.signature.input_arg)
    return _takes_little(_tensorflow.function_body(called, shapes).get_operations())


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
