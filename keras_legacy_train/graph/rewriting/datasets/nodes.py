"""Looks up what datasets are made of."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import tensorflow as tf

from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import node_name, number

# Adds functions that nodes call, and what these call in Python.
AddFunctions = Callable[[list[FunctionDef], list[Callable[..., Any]]], None]

# Operations that names of files go through on their way to a dataset.
FILE_NAMES = frozenset({"Const", "Identity", "MatchingFiles", "Reshape"})

MAPS = frozenset({"MapDataset", "ParallelMapDataset", "ParallelMapDatasetV2"})
BATCHES = frozenset({"BatchDataset", "BatchDatasetV2"})


class DatasetNodes:
    """Holds the nodes of a graph or a function that make its datasets.

    Args:
        nodes: The nodes: those of datasets, their constant arguments, and what names of files go through.
        function: Returns a function by the name that the nodes have for it.
        is_function: Whether the nodes are those of a function, where references to tensors name an output.

    Attributes:
        function: As given.
        uses: How often a node is an input of another one, by its name.
    """

    def __init__(
        self, nodes: Iterable[NodeDef], function: Callable[[str], FunctionDef], is_function: bool = False
    ):
        self.function = function
        self._nodes = {node.name: node for node in nodes}
        self._is_function = is_function
        self.uses = collections.Counter(node_name(text) for node in self for text in node.input)

    def __iter__(self) -> Iterator[NodeDef]:
        return iter(self._nodes.values())

    def find(self, text: str) -> NodeDef | None:
        """Returns the node that an input comes from, if it is here."""
        return self._nodes.get(node_name(text))

    def constant(self, text: str) -> int | None:
        """Returns the number that an input is; `None` if it is not a constant."""
        node = self.find(text)
        return None if node is None else number(node)

    def sources(self, node: NodeDef) -> Iterator[NodeDef]:
        """Yields the datasets that one is made of, the nearest first."""
        source = self.find(node.input[0]) if node.input else None
        while source is not None and "Dataset" in source.op:
            yield source
            source = self.find(source.input[0]) if source.input else None

    def called(self, node: NodeDef) -> FunctionDef:
        """Returns the function that a dataset calls."""
        return self.function(node.attr["f"].func.name)

    def dataset(self, node: NodeDef) -> str:
        """Returns the input by which another dataset takes one."""
        return f"{node.name}:{'handle:0' if self._is_function else '0'}"

    def value(self, constant: NodeDef) -> str:
        """Returns the input by which a dataset takes a constant."""
        return f"{constant.name}:{'output:0' if self._is_function else '0'}"


def listed(node: NodeDef, name: str) -> Any:
    """Returns the list in an attribute, which is empty if there is none. To look it up would make one."""
    return node.attr[name].list if name in node.attr else tf.compat.v1.AttrValue.ListValue()


def with_elements_of(node: NodeDef, other: NodeDef) -> NodeDef:
    """Notes that a dataset has elements as another one has them; returns it."""
    for name in ("output_types", "output_shapes"):
        node.attr[name].CopyFrom(other.attr[name])
    return node
