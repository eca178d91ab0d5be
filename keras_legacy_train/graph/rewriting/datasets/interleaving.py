"""Has the thread that asks for an element read the files that a dataset interleaves.

A parallel `interleave` has threads that hand on one record at a time, which takes longer than to read it from
a local disk. One file after the other gives the same records in the same order. Files elsewhere are still
read in parallel, since that may take long.
"""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import make_node, split_inputs
from keras_legacy_train.graph.rewriting.datasets.nodes import (
    FILE_NAMES,
    READERS,
    DatasetNodes,
    listed,
    with_elements_of,
)

_INTERLEAVES = frozenset(
    {"ParallelInterleaveDatasetV2", "ParallelInterleaveDatasetV3", "ParallelInterleaveDatasetV4"}
)
_PASSING_ON = frozenset({"Const", "Identity", "NoOp", "Pack", "Reshape", "SkipDataset", "TakeDataset"})
_OF_FILES = frozenset({"TensorSliceDataset", "TensorDataset"})


class FilesInTurn:
    """Has local files read one record after the other, where a dataset does nothing else but read them.

    Args:
        nodes: The nodes of datasets.
    """

    def __init__(self, nodes: DatasetNodes):
        self._nodes = nodes

    def rewrite(self, node: NodeDef) -> list[NodeDef] | None:
        """Returns a node to replace an `interleave`; `None` for any other node and one that stays."""
        if node.op not in _INTERLEAVES or not self._reads_local_files(node):
            return None
        _, controls = split_inputs(node)
        captured = len(listed(node, "Targuments").type)
        data = [*node.input[: 1 + captured], _argument(node, "cycle_length"), _argument(node, "block_length")]
        in_turn = with_elements_of(make_node("InterleaveDataset", node.name, data, controls), node)
        for name in ("f", "Targuments"):
            in_turn.attr[name].CopyFrom(node.attr[name])
        return [in_turn]

    def _reads_local_files(self, node: NodeDef) -> bool:
        *_, last = (node, *self._nodes.sources(node))
        if last.op not in _OF_FILES or not self._are_local(last.input[0]):
            return False
        cycle_length = self._nodes.constant(_argument(node, "cycle_length"))
        if cycle_length is None or cycle_length < 1:
            return False  # it depends on the number of cores
        return self._only_reads(self._nodes.called(node))

    def _are_local(self, text: str) -> bool:
        """Returns whether an input is known to hold names or patterns of local files."""
        node = self._nodes.find(text)
        if node is None or node.op not in FILE_NAMES:
            return False
        if node.op != "Const":
            return self._are_local(node.input[0])
        names = tf.make_ndarray(node.attr["value"].tensor)
        return names.dtype == object and not any(b"://" in name for name in names.flat)

    def _only_reads(self, function: FunctionDef) -> bool:
        """Returns whether a function makes a dataset that only reads files as they are."""
        nodes = DatasetNodes(function.node_def, self._nodes.function, is_function=True)
        for node in nodes:
            if node.op == "FlatMapDataset":
                if not self._only_reads(nodes.called(node)):
                    return False
            elif node.op in READERS:
                if _compression(node, nodes) != b"":
                    return False
            elif node.op not in _PASSING_ON | _OF_FILES:
                return False
        return True


def _argument(node: NodeDef, name: str) -> str:
    """Returns the input of a node that its operation calls so, behind those that its function captures."""
    text: str = node.input[_inputs(node).index(name) - 1 + len(listed(node, "Targuments").type)]
    return text


def _compression(node: NodeDef, nodes: DatasetNodes) -> bytes | None:
    """Returns how the files of a reader are compressed; `None` if nobody knows."""
    if "compression_type" not in _inputs(node):
        return b""
    constant = nodes.find(node.input[_inputs(node).index("compression_type")])
    if constant is None or constant.op != "Const":
        return None
    compression: bytes = tf.make_ndarray(constant.attr["value"].tensor).item()
    return compression


def _inputs(node: NodeDef) -> list[str]:
    """Returns what its operation calls the inputs of a node."""
    return [argument.name for argument in _tensorflow.op_def(node.op).input_arg]
