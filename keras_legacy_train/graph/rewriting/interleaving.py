"""Has the thread that asks for an element read the files that a dataset interleaves.

A parallel `interleave` has threads that hand on one record at a time, which takes longer than to read it from
a local disk. One file after the other gives the same records in the same order. Files elsewhere are still
read in parallel, since that may take long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import make_node, node_name, split_inputs

INTERLEAVES = frozenset(
    {"ParallelInterleaveDatasetV2", "ParallelInterleaveDatasetV3", "ParallelInterleaveDatasetV4"}
)
# Operations that names of files go through.
FILE_NAMES = frozenset({"Const", "Identity", "MatchingFiles", "Reshape"})

_READERS = frozenset(
    {
        "TFRecordDataset",
        "TFRecordDatasetV2",
        "TextLineDataset",
        "FixedLengthRecordDataset",
        "FixedLengthRecordDatasetV2",
    }
)
_PASSING_ON = frozenset({"Const", "Identity", "NoOp", "Pack", "Reshape", "SkipDataset", "TakeDataset"})
_OF_FILES = frozenset({"TensorSliceDataset", "TensorDataset"})


def reads_local_files(
    node: NodeDef, sources: Iterable[NodeDef], nodes: dict[str, NodeDef], called: Callable[[str], FunctionDef]
) -> bool:
    """Returns whether a dataset does nothing but read local files, which are not compressed.

    Args:
        node: The dataset, one of `INTERLEAVES`.
        sources: The datasets that it is made of.
        nodes: By name the nodes of the graph or function: datasets, and what names of files go through.
        called: Returns a function by its name.
    """
    (*_, last) = (node, *sources)
    if last.op not in _OF_FILES or not _are_local(last.input[0], nodes):
        return False
    cycle_length = nodes.get(node_name(_argument(node, "cycle_length")))
    if cycle_length is None or cycle_length.op != "Const":
        return False
    if tf.make_ndarray(cycle_length.attr["value"].tensor) < 1:
        return False  # depends on the number of cores
    return _only_reads(called(node.attr["f"].func.name), called)


def in_turn(node: NodeDef) -> NodeDef:
    """Returns the dataset that reads the files one record after the other."""
    _, controls = split_inputs(node)
    captured = len(node.attr["Targuments"].list.type)
    data = [*node.input[: 1 + captured], _argument(node, "cycle_length"), _argument(node, "block_length")]
    made = make_node("InterleaveDataset", node.name, data, controls)
    for name in ("f", "Targuments", "output_types", "output_shapes"):
        made.attr[name].CopyFrom(node.attr[name])
    return made


def _argument(node: NodeDef, name: str) -> str:
    """Returns the input of a node that its operation calls so, behind those that its function captures."""
    names = [argument.name for argument in _tensorflow.op_def(node.op).input_arg]
    text: str = node.input[names.index(name) - 1 + len(node.attr["Targuments"].list.type)]
    return text


def _are_local(text: str, nodes: dict[str, NodeDef]) -> bool:
    """Returns whether a tensor is known to hold names or patterns of local files."""
    node = nodes.get(node_name(text))
    if node is None or node.op not in FILE_NAMES:
        return False
    if node.op != "Const":
        return _are_local(node.input[0], nodes)
    names = tf.make_ndarray(node.attr["value"].tensor)
    return names.dtype == object and not any(b"://" in name for name in names.flat)


def _only_reads(function: FunctionDef, called: Callable[[str], FunctionDef]) -> bool:
    """Returns whether a function makes a dataset that only reads files as they are."""
    nodes = {node.name: node for node in function.node_def}
    for node in nodes.values():
        if node.op == "FlatMapDataset":
            if not _only_reads(called(node.attr["f"].func.name), called):
                return False
        elif node.op in _READERS:
            compression = _compression(node, nodes)
            if compression is None or compression:
                return False
        elif node.op not in _PASSING_ON | _OF_FILES:
            return False
    return True


def _compression(node: NodeDef, nodes: dict[str, NodeDef]) -> bytes | None:
    """Returns how the files of a reader are compressed; `None` if nobody knows."""
    names = [argument.name for argument in _tensorflow.op_def(node.op).input_arg]
    if "compression_type" not in names:
        return b""
    constant = nodes.get(node_name(node.input[names.index("compression_type")]))
    if constant is None or constant.op != "Const":
        return None
    compression: bytes = tf.make_ndarray(constant.attr["value"].tensor).item()
    return compression
