"""Says what the graph in a `.meta` file needs and holds, and what stands in the way of running it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

import tensorflow as tf
from google.protobuf.message import DecodeError

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.arguments import check_graph_file
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.nodes import VARIABLE_OPS, node_name
from keras_legacy_train.graph.saving.meta_graph import read_meta_graph

_KEYS = tf.compat.v1.GraphKeys
PYTHON_OPS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_INPUTS = {
    "Placeholder": "placeholder",
    "PlaceholderV2": "placeholder",
    "PlaceholderWithDefault": "placeholder with a default",
    "OneShotIterator": "iterator",
    "Iterator": "iterator",
    "IteratorV2": "iterator",
    "FIFOQueue": "queue",
    "FIFOQueueV2": "queue",
    "PaddingFIFOQueue": "queue",
    "PaddingFIFOQueueV2": "queue",
    "PriorityQueue": "queue",
    "PriorityQueueV2": "queue",
    "RandomShuffleQueue": "queue",
    "RandomShuffleQueueV2": "queue",
}


@dataclasses.dataclass(frozen=True)
class GraphInput:
    """Describes where a graph gets values from.

    Attributes:
        name: The op's name.
        kind: `"placeholder"`, `"placeholder with a default"`, `"iterator"` or `"queue"`.
        dtype: The dtypes of its values, with commas between.
        shape: The shape of a value as text; empty where it has several or is not known.
        is_needed: Whether an op of the `TRAIN_OP` collection depends on it.
    """

    name: str
    kind: str
    dtype: str
    shape: str
    is_needed: bool


@dataclasses.dataclass(frozen=True)
class GraphVariable:
    """Describes a variable of a graph.

    Attributes:
        name: The op's name.
        dtype: Its dtype.
        shape: Its shape as text.
        size: The number of entries; `None` if it is not known.
        kind: `"global"`, `"local"`, or `""` for one in neither collection.
        is_trainable: Whether it is in the collection of those that are trained.
    """

    name: str
    dtype: str
    shape: str
    size: int | None
    kind: str
    is_trainable: bool


@dataclasses.dataclass(frozen=True)
class GraphProblem:
    """Tells of a node that would not run here.

    Attributes:
        node: Its name, or `function/node` in the body of a function.
        op: Its op.
        why: The reason, in a sentence.
        is_needed: Whether an op of the `TRAIN_OP` collection may depend on it.
    """

    node: str
    op: str
    why: str
    is_needed: bool


@dataclasses.dataclass(frozen=True)
class GraphReport:
    """Describes a graph.

    Attributes:
        nodes: The number of nodes.
        version: The TensorFlow that wrote it, as far as the file tells.
        train_ops: The names in the `TRAIN_OP` collection.
        losses: The names in the `LOSSES` collection.
        global_step: The name of the variable that counts steps, if there is one.
        inputs: Where it gets values from.
        variables: Its variables.
        problems: What would not run here.
    """

    nodes: int
    version: str
    train_ops: Sequence[str]
    losses: Sequence[str]
    global_step: str | None
    inputs: Sequence[GraphInput]
    variables: Sequence[GraphVariable]
    problems: Sequence[GraphProblem]


def inspect_graph(path: str, train_ops: Sequence[str] | None = None) -> GraphReport:
    """Reads a `.meta` file, and returns what the graph in it needs and holds.

    Args:
        path: The file.
        train_ops: Names of the operations or tensors that make a step, in the place of the `TRAIN_OP`
            collection.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds no graph.
    """
    check_graph_file(path)
    try:
        meta_graph = _tensorflow.read_meta_graph_file(path)
    except (OSError, UnicodeDecodeError) as error:  # what is not binary is taken for text
        raise ValueError(f"{path!r} is not a .meta file") from error
    graph_def = meta_graph.graph_def
    if not graph_def.node:
        raise ValueError(f"{path!r} holds no graph")
    collected = {key: _collected(meta_graph, key) for key in meta_graph.collection_def}
    steps = list(dict.fromkeys(collected.get(_KEYS.TRAIN_OP, []) if train_ops is None else train_ops))
    needed = _ancestors(graph_def.node, steps)
    problems = [*_problems(graph_def, needed)]
    if all(problem.op in PYTHON_OPS for problem in problems):
        problems += _lifting_problems(path)
    # What the Saver of the file is given is no input of the graph.
    filenames = _ancestors(graph_def.node, [meta_graph.saver_def.filename_tensor_name])
    counters = collected.get(_KEYS.GLOBAL_STEP, [])
    if not counters and any(node.name == _KEYS.GLOBAL_STEP for node in graph_def.node):
        counters = [_KEYS.GLOBAL_STEP]
    return GraphReport(
        nodes=len(graph_def.node),
        version=meta_graph.meta_info_def.tensorflow_version,
        train_ops=steps,
        losses=list(dict.fromkeys(collected.get(_KEYS.LOSSES, []))),
        global_step=node_name(counters[0]) if counters else None,
        inputs=[
            _input(node, node.name in needed)
            for node in graph_def.node
            if node.op in _INPUTS and node.name not in filenames
        ],
        variables=[_variable(node, collected) for node in graph_def.node if node.op in VARIABLE_OPS],
        problems=problems,
    )


def _collected(meta_graph: tf.compat.v1.MetaGraphDef, key: str) -> list[str]:
    """Returns the names in a collection, of variables those of their tensors."""
    collection = meta_graph.collection_def[key]
    if collection.WhichOneof("kind") == "node_list":
        return list(collection.node_list.value)
    if key in (_KEYS.GLOBAL_VARIABLES, _KEYS.LOCAL_VARIABLES, _KEYS.TRAINABLE_VARIABLES, _KEYS.GLOBAL_STEP):
        try:
            variables = [_tensorflow.VariableDef.FromString(each) for each in collection.bytes_list.value]
        except DecodeError as error:
            raise ValueError(f"the collection {key!r} of the graph cannot be read") from error
        return [variable.variable_name for variable in variables]
    return []


def _ancestors(nodes: Iterable[_tensorflow.NodeDef], names: Iterable[str]) -> set[str]:
    """Returns the names of the nodes that computing these takes."""
    by_name = {node.name: node for node in nodes}
    found: set[str] = set()
    waiting = [node_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found.add(name)
            waiting += [node_name(text.removeprefix("^")) for text in by_name[name].input]
    return found


def _problems(graph_def: tf.compat.v1.GraphDef, needed: set[str]) -> Iterator[GraphProblem]:
    for node in graph_def.node:
        why = _why_not(node.op)
        if why is not None:
            yield GraphProblem(node.name, node.op, why, node.name in needed)
    functions = {function.signature.name for function in graph_def.library.function}
    for function in graph_def.library.function:
        for node in function.node_def:
            why = None if node.op in functions else _why_not(node.op)
            if why is not None:
                yield GraphProblem(f"{function.signature.name}/{node.name}", node.op, why, True)


def _why_not(op: str) -> str | None:
    if op in PYTHON_OPS:
        return "It calls a Python function, which no file holds; build the graph in the process that runs it."
    if _tensorflow.op_def(op) is None:
        return "This TensorFlow has no such op; load the library that has it, by tf.load_op_library."
    return None


def _lifting_problems(path: str) -> Iterator[GraphProblem]:
    """Yields what the lifting of the graph itself says."""
    try:
        LiftedGraph(read_meta_graph(path))
    except (ValueError, tf.errors.OpError) as error:
        yield GraphProblem("", "", getattr(error, "message", str(error)), True)


def _input(node: _tensorflow.NodeDef, is_needed: bool) -> GraphInput:
    attributes = node.attr
    types = [attributes["dtype"].type] if attributes["dtype"].type else []
    for name in ("output_types", "component_types"):
        types += attributes[name].list.type if name in attributes else []
    shapes = [attributes["shape"].shape] if attributes["shape"].HasField("shape") else []
    for name in ("output_shapes", "shapes"):
        shapes += attributes[name].list.shape if name in attributes else []
    return GraphInput(
        node.name,
        _INPUTS[node.op],
        ", ".join(tf.as_dtype(each).name for each in types),
        _shape_text(shapes[0]) if len(shapes) == 1 else "",
        is_needed,
    )


def _variable(node: _tensorflow.NodeDef, collected: dict[str, list[str]]) -> GraphVariable:
    shape = tf.TensorShape(node.attr["shape"].shape)

    def is_in(key: str) -> bool:
        return f"{node.name}:0" in collected.get(key, [])

    return GraphVariable(
        node.name,
        tf.as_dtype(node.attr["dtype"].type).name,
        _shape_text(node.attr["shape"].shape),
        math.prod(shape.as_list()) if shape.is_fully_defined() else None,
        "global" if is_in(_KEYS.GLOBAL_VARIABLES) else "local" if is_in(_KEYS.LOCAL_VARIABLES) else "",
        is_in(_KEYS.TRAINABLE_VARIABLES),
    )


def _shape_text(shape: object) -> str:
    known = tf.TensorShape(shape)
    if known.rank is None:
        return "?"
    return f"[{', '.join('?' if each is None else str(each) for each in known.as_list())}]"
