"""Looks up what datasets are made of."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import node_name, number, own_inputs, tensor_name

# Adds functions that nodes call, and what these call in Python.
AddFunctions = Callable[[list[FunctionDef], list[Callable[..., Any]]], None]

# Operations that names of files go through on their way to a dataset.
FILE_NAMES = frozenset({"Const", "Identity", "MatchingFiles", "Reshape"})

MAPS = frozenset({"MapDataset", "ParallelMapDataset", "ParallelMapDatasetV2"})
READERS = frozenset(
    {
        "TFRecordDataset",
        "TFRecordDatasetV2",
        "TextLineDataset",
        "FixedLengthRecordDataset",
        "FixedLengthRecordDatasetV2",
    }
)
BATCHES = frozenset({"BatchDataset", "BatchDatasetV2"})
SHUFFLES = frozenset({"ShuffleDataset", "ShuffleDatasetV2", "ShuffleDatasetV3"})
SHUFFLES_AND_REPEATS = frozenset({"ShuffleAndRepeatDataset", "ShuffleAndRepeatDatasetV2"})
REPEATS = SHUFFLES_AND_REPEATS | {"RepeatDataset"}


class DatasetNodes:
    """Holds the nodes of a graph or a function that make its datasets.

    Args:
        nodes: The nodes: those of datasets, their constant arguments, and what names of files go through.
        function: Returns a function by the name that the nodes have for it.
        shapes: The shapes of tensors that come from elsewhere, by their names.
        is_function: Whether the nodes are those of a function, where references to tensors name an output.
        is_inner: Whether the function makes a dataset for each element of another one.

    Attributes:
        function: As given.
        is_inner: As given.
        uses: How often other ones take what a node gives, by its name.
    """

    def __init__(
        self,
        nodes: Iterable[NodeDef],
        function: Callable[[str], FunctionDef],
        shapes: Mapping[str, tf.TensorShape] | None = None,
        is_function: bool = False,
        is_inner: bool = False,
    ):
        self.function = function
        self._nodes = {node.name: node for node in nodes}
        self._shapes = shapes or {}
        self._is_function = is_function
        self.is_inner = is_inner
        self.uses = collections.Counter(node_name(text) for node in self for text in own_inputs(node)[0])

    def __iter__(self) -> Iterator[NodeDef]:
        return iter(self._nodes.values())

    def find(self, text: str) -> NodeDef | None:
        """Returns the node that an input comes from, if it is here."""
        return self._nodes.get(node_name(text))

    def constant(self, text: str) -> int | None:
        """Returns the number that an input is; `None` if it is not a constant."""
        node = self.find(text)
        return None if node is None else number(node)

    def shape(self, text: str) -> tf.TensorShape:
        """Returns the shape of the tensor that an input is, as far as it is known."""
        node = self.find(text)
        if node is not None and node.op == "Const":
            return tf.TensorShape(node.attr["value"].tensor.tensor_shape)
        return self._shapes.get(tensor_name(text), tf.TensorShape(None))

    def sources(self, node: NodeDef) -> Iterator[NodeDef]:
        """Yields the datasets that one is made of, the nearest first."""
        source = self.find(node.input[0]) if node.input else None
        while source is not None and "Dataset" in source.op:
            yield source
            source = self.find(source.input[0]) if source.input else None

    def most_bytes(self, node: NodeDef) -> int | None:
        """Returns how large an element of a dataset can be; `None` if nobody knows.

        A first dimension that is unknown counts as that of a batch.
        """
        total = 0
        for spec in elements(node):
            shape = spec.shape
            if shape.rank and shape.as_list()[0] is None:
                shape = tf.TensorShape([self._batch_size(node), *shape.as_list()[1:]])
            count = shape.num_elements()
            if count is None or spec.dtype in (tf.string, tf.variant, tf.resource):
                return None
            total += count * spec.dtype.size
        return total

    def _batch_size(self, node: NodeDef) -> int | None:
        """Returns the number of elements in the batches that a dataset is made of."""
        batch = next((each for each in (node, *self.sources(node)) if each.op in BATCHES), None)
        return None if batch is None else self.constant(batch.input[1])

    def called(self, node: NodeDef) -> FunctionDef:
        """Returns the function that a dataset calls."""
        return self.function(node.attr["f"].func.name)

    def dataset(self, node: NodeDef) -> str:
        """Returns the input by which another dataset takes one."""
        return f"{node.name}:{'handle:0' if self._is_function else '0'}"

    def value(self, node: NodeDef, index: int = 0) -> str:
        """Returns the input by which one takes an output of a node that calls its outputs `output`."""
        return f"{node.name}:{'output:' if self._is_function else ''}{index}"


def listed(node: NodeDef, name: str) -> Any:
    """Returns the list in an attribute, which is empty if there is none. To look it up would make one."""
    return node.attr[name].list if name in node.attr else tf.compat.v1.AttrValue.ListValue()


def elements(node: NodeDef) -> list[tf.TensorSpec]:
    """Returns the shapes and dtypes of a dataset's elements; none if the node does not tell."""
    if node.op in READERS:
        return [tf.TensorSpec([], tf.string)]
    types = listed(node, "output_types").type or listed(node, "Toutput_types").type
    return list(map(tf.TensorSpec, listed(node, "output_shapes").shape, types))


def note_elements(node: NodeDef, specs: Iterable[tf.TensorSpec]) -> NodeDef:
    """Notes what elements a dataset has; returns it."""
    types, shapes = node.attr["output_types"].list, node.attr["output_shapes"].list
    types.Clear()
    shapes.Clear()
    for spec in specs:
        types.type.append(spec.dtype.as_datatype_enum)
        shapes.shape.append(spec.shape.as_proto())
    return node


def note_batches(node: NodeDef) -> NodeDef:
    """Notes that a dataset has batches of what were its elements; returns it."""
    for shape in node.attr["output_shapes"].list.shape:
        shape.CopyFrom(tf.TensorShape([None]).concatenate(tf.TensorShape(shape)).as_proto())
    return node


def copied(function: FunctionDef, suffix: str) -> FunctionDef:
    """Copies a function under a name of its own; the shapes that it notes no longer hold."""
    copy = FunctionDef()
    copy.CopyFrom(function)
    copy.signature.name = f"{function.signature.name}_{suffix}"
    for node in copy.node_def:
        node.attr.pop("_output_shapes", None)
    return copy


def with_elements_of(node: NodeDef, other: NodeDef) -> NodeDef:
    """Notes that a dataset has elements as another one has them; returns it."""
    for name in ("output_types", "output_shapes"):
        node.attr[name].CopyFrom(other.attr[name])
    return node
