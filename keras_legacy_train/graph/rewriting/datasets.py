"""Rewrites datasets so that small work needs few hand-offs between threads. The elements stay the same.

TensorFlow runs the function of a `map` on other threads, also if it was not asked to: for each element it
wakes some and waits for them. That takes longer than to scale an image of 28 x 28 pixels, or to parse it.

With `prefetch(1)` a small step and the thread that makes the batches wait for each other at each batch. With
a longer buffer both go on for a while.

A generator is called for all examples of a batch at once, see `generators`. Local files are read in turn, see
`interleaving`.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import make_node, node_name, number, split_inputs
from keras_legacy_train.graph.rewriting import generators, interleaving

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

_BATCHES = frozenset({"BatchDataset", "BatchDatasetV2"})
# What takes an element for each that it gives. The rest keep some anyway, or begin a generator again.
_ONE_FOR_ONE = _MAPS | {"OptionsDataset"}
_SHUFFLES = frozenset({"ShuffleDataset", "ShuffleDatasetV2", "ShuffleDatasetV3"})
_REPEATS = frozenset({"RepeatDataset", "ShuffleAndRepeatDataset", "ShuffleAndRepeatDatasetV2"})
# Parts of the names of operations with a state that belongs to the dataset alone, or that is read once.
_OWN = ("Dataset", "SeedGenerator", "MemoryCache", "MatchingFiles")
# Batches in a buffer, and how large one may be.
_BUFFER, _MOST_BYTES = 16, 2**20


class SmallDatasets:
    """Rewrites the datasets that are made in a graph or a function, if their maps are small.

    Args:
        nodes: The nodes of the graph or function: those of datasets, their constant arguments, and what names
            of files go through.
        function: Returns a function by the name that the nodes have for it.
        add_functions: Adds functions that rewritten nodes call, and what these call in Python.
        is_function: Whether the nodes are those of a function, where references to tensors name an output.
    """

    def __init__(
        self,
        nodes: Iterable[NodeDef],
        function: Callable[[str], FunctionDef],
        add_functions: Callable[[list[FunctionDef], list[Callable[..., Any]]], None],
        is_function: bool = False,
    ):
        self._nodes = {node.name: node for node in nodes}
        self._function = function
        self._add_functions = add_functions
        self._is_function = is_function
        self._output = "handle:0" if is_function else "0"
        maps = [node for node in self._nodes.values() if node.op in _MAPS]
        self._maps_in_place = all(map(self._is_small, maps))
        prefetches = [node for node in self._nodes.values() if node.op == "PrefetchDataset"]
        self._reads_ahead = bool(prefetches) and self._maps_in_place and self._is_alone()
        self._prefetched = {source.name for node in prefetches for source in self._sources(node)}
        self._uses = collections.Counter(
            node_name(text) for node in self._nodes.values() for text in node.input
        )
        self._gathers = self._batch_generators()

    def rewrite(self, node: NodeDef) -> list[NodeDef]:
        """Returns nodes to replace a dataset, of which the last has its name; or the node itself."""
        if node.op in _MAPS and self._maps_in_place:
            return self._map_in_place(node)
        if node.op == "PrefetchDataset" and self._reads_ahead:
            return self._with_longer_buffer(node)
        if node.op in interleaving.INTERLEAVES and self._reads_local_files(node):
            return [interleaving.in_turn(node)]
        if node.name in self._gathers:
            return self._gather(node, self._gathers[node.name])
        return [node]

    def _map_in_place(self, node: NodeDef) -> list[NodeDef]:
        """Has the thread that asks a map for an element compute it."""
        data, controls = split_inputs(node)
        mapped = make_node("MapDataset", f"{node.name}/in_place", data[:1], controls)
        for name in ("f", "Targuments", "output_types", "output_shapes", "preserve_cardinality"):
            if name in node.attr:
                mapped.attr[name].CopyFrom(node.attr[name])
        mapped.attr["use_inter_op_parallelism"].b = False  # runs the function without other threads
        options = make_node("OptionsDataset", node.name, [f"{mapped.name}:{self._output}"])
        for name in ("output_types", "output_shapes"):
            options.attr[name].CopyFrom(node.attr[name])
        options.attr["serialized_options"].s = _options()
        return [mapped, options]

    def _with_longer_buffer(self, node: NodeDef) -> list[NodeDef]:
        """Has a `prefetch` of few elements keep some more, if they are not large."""
        size = self._constant(node.input[1])
        most = self._most_bytes(node)
        if size is None or not 1 <= size < _BUFFER or most is None or most > _MOST_BYTES:
            return [node]
        buffer = make_node("Const", f"{node.name}/longer_buffer")
        buffer.attr["dtype"].type = tf.int64.as_datatype_enum
        buffer.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(_BUFFER, tf.int64))
        longer = NodeDef()
        longer.CopyFrom(node)
        longer.input[1] = f"{buffer.name}:{'output:0' if self._is_function else '0'}"
        return [buffer, longer]

    def _gather(self, node: NodeDef, count: int) -> list[NodeDef]:
        """Has a generator give several elements in a call of Python."""
        function = self._function(node.attr["f"].func.name)
        functions, python_function = generators.gathering(function, self._function, count)
        self._add_functions(functions, [python_function])
        batches = NodeDef()
        batches.CopyFrom(node)
        batches.name = f"{node.name}/gathered"
        batches.attr["f"].func.name = functions[0].signature.name
        for shape in batches.attr["output_shapes"].list.shape:
            shape.CopyFrom(generators.batch_shape(shape))
        elements = make_node("UnbatchDataset", node.name, [f"{batches.name}:{self._output}"])
        for name in ("output_types", "output_shapes"):
            elements.attr[name].CopyFrom(node.attr[name])
        return [batches, elements]

    def _reads_local_files(self, node: NodeDef) -> bool:
        return interleaving.reads_local_files(node, self._sources(node), self._nodes, self._function)

    def _batch_generators(self) -> dict[str, int]:
        """Returns the generators whose elements are made batches of: the sizes of these, by name."""
        batches = [node for node in self._nodes.values() if node.op in _BATCHES]
        found = ((self._generator(batch), self._constant(batch.input[1])) for batch in batches)
        return {generator.name: size for generator, size in found if generator is not None and size}

    def _generator(self, batch: NodeDef) -> NodeDef | None:
        """Returns the generator that batches are made of, if it may be read a batch at a time.

        Then it is read no further than otherwise, except by less than a batch where a dataset keeps elements
        to shuffle or begins the generator again.
        """
        passed: set[str] = set()
        for source in self._sources(batch):
            if self._uses[source.name] > 1:
                return None
            if self._is_generator(source):
                reads_ahead = bool(passed & _SHUFFLES) or batch.name in self._prefetched
                return source if reads_ahead or not passed & _REPEATS else None
            if source.op not in _ONE_FOR_ONE | _SHUFFLES | _REPEATS:
                return None
            passed.add(source.op)
        return None

    def _is_generator(self, node: NodeDef) -> bool:
        """Returns whether a dataset is one of `from_generator` whose elements are arrays."""
        if node.op != "FlatMapDataset":
            return False
        return generators.is_generator(self._function(node.attr["f"].func.name), self._function)

    def _is_small(self, node: NodeDef) -> bool:
        """Returns whether a map takes too little time to be worth other threads."""
        source = self._source(node)
        if source is None or _listed(node, "Targuments").type:
            return False  # nobody knows the shapes
        called = self._function(node.attr["f"].func.name)
        shapes = [tf.TensorShape(shape) for shape in _listed(source, "output_shapes").shape]
        op_types = {each.op for each in called.node_def} - {"Const"}
        if called.signature.is_stateful or not op_types <= _SMALL_OPS | {_DECODE}:
            return False
        if len(shapes) != len(called.signature.input_arg):
            shapes = [tf.TensorShape(None)] * len(called.signature.input_arg)
        return _takes_little(_tensorflow.function_body(called, shapes).get_operations())

    def _is_alone(self) -> bool:
        """Returns whether nobody can tell when elements are made: nothing outside has a part in it."""
        waiting, seen = list(self._nodes.values()), set()
        while waiting:
            node = waiting.pop()
            if tf.resource.as_datatype_enum in _listed(node, "Targuments").type or not _is_alone(node.op):
                return False
            for value in node.attr.values():
                if value.HasField("func") and value.func.name not in seen:
                    seen.add(value.func.name)
                    waiting.extend(self._function(value.func.name).node_def)
        return True

    def _most_bytes(self, node: NodeDef) -> int | None:
        """Returns how large an element of a dataset can be; `None` if nobody knows.

        A first dimension that is unknown counts as that of a batch.
        """
        total = 0
        shapes, dtypes = _listed(node, "output_shapes").shape, _listed(node, "output_types").type
        for shape, dtype_number in zip(shapes, dtypes, strict=True):
            dimensions, dtype = tf.TensorShape(shape), tf.as_dtype(dtype_number)
            if dimensions.rank and dimensions[0] is None:
                dimensions = tf.TensorShape([self._batch_size(node), *dimensions[1:]])
            count = dimensions.num_elements()
            if count is None or dtype in (tf.string, tf.variant, tf.resource):
                return None
            total += count * dtype.size
        return total

    def _batch_size(self, node: NodeDef) -> int | None:
        """Returns the number of elements in the batches that a dataset is made of."""
        sources = (node, *self._sources(node))
        batch = next((source for source in sources if source.op in _BATCHES), None)
        return None if batch is None else self._constant(batch.input[1])

    def _sources(self, node: NodeDef) -> Iterator[NodeDef]:
        """Yields the datasets that one is made of, the nearest first."""
        source = self._source(node)
        while source is not None:
            yield source
            source = self._source(source)

    def _source(self, node: NodeDef) -> NodeDef | None:
        """Returns the dataset that another one is made of."""
        source = self._nodes.get(node_name(node.input[0])) if node.input else None
        return source if source is not None and "Dataset" in source.op else None

    def _constant(self, text: str) -> int | None:
        """Returns the number that an input is; `None` if it is not a constant."""
        node = self._nodes.get(node_name(text))
        return None if node is None else number(node)


def _listed(node: NodeDef, name: str) -> Any:
    """Returns the list in an attribute, which is empty if there is none. To look it up would make one."""
    return node.attr[name].list if name in node.attr else tf.compat.v1.AttrValue.ListValue()


def _options() -> bytes:
    """Returns options that keep TensorFlow from making maps parallel again."""
    options = _tensorflow.DatasetOptions()
    options.optimization_options.map_parallelization = False
    options.optimization_options.map_and_batch_fusion = False
    return bytes(options.SerializeToString())


def _is_alone(op_type: str) -> bool:
    """Returns whether an operation has no part in anything outside the dataset."""
    if any(name in op_type for name in _OWN):
        return op_type != "GeneratorDataset"
    definition = _tensorflow.op_def(op_type)
    return definition is not None and not definition.is_stateful


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
