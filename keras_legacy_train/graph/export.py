"""A graph as files that TensorFlow 1.15 and 2 can read."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.savers import POSITIONS, SaverOps, saved_positions, saver_ops

_KEYS = tf.compat.v1.GraphKeys

# What came after 1.15, which refuses a graph with an attribute it does not know. None of these changes what
# is computed.
_NEW_ATTRIBUTES = (
    "allowed_devices",
    "bad_indices_policy",
    "buffer_size_min",
    "debug_name",
    "external_state_policy",
    "force_synchronous",
    "grad_a",
    "grad_b",
    "grad_x",
    "grad_y",
    "is_files",
    "metadata",
    "replicate_on_split",
)
_NEW_ATTRIBUTES_OF = {"AssignVariableOp": ("validate_shape",)}
_NEW_NO_OPS = frozenset({"DisableCopyOnRead"})


class MetaGraphWriter:
    """Serialises a graph with a `Saver`, as `tf.contrib.learn.train` left it in `.meta`.

    The Saver is for the variables and the saveable objects, but for the positions of iterators: TensorFlow 1
    and 2 cannot read each other's.

    The graph itself is not changed: the Saver's ops are added to a copy. That takes seconds for a large
    graph, so the result is kept until the graph grows.

    Args:
        graph: The graph.
    """

    def __init__(self, graph: tf.Graph):
        self._graph = graph
        self._version: int | None = None
        self._serialized = b""

    def __call__(self) -> bytes:
        """The serialised `MetaGraphDef`."""
        if self._version != self._graph.version:
            self._serialized = _meta_graph_with_saver(self._graph).SerializeToString()
            self._version = self._graph.version
        return self._serialized


def _meta_graph_with_saver(graph: tf.Graph) -> tf.compat.v1.MetaGraphDef:
    objects = [ops for ops in saver_ops(graph) if ops.parts]
    # Objects would become names, from which an import could not make them.
    left_out = {_KEYS.SAVEABLE_OBJECTS, POSITIONS}
    collections = [key for key in graph.get_all_collection_keys() if key not in left_out]
    read_instead: dict[str, str] = {}
    with tf.Graph().as_default() as copy:
        original = tf.compat.v1.train.export_meta_graph(graph=graph, collection_list=collections)
        saver = tf.compat.v1.train.import_meta_graph(original)
        if objects:
            stand_ins = [_stand_in(copy, ops, read_instead) for ops in objects]
            saver = tf.compat.v1.train.Saver([*copy.get_collection(_KEYS.GLOBAL_VARIABLES), *stand_ins])
        for key, tensor in saved_positions(graph).items():
            copy.add_to_collection(POSITIONS, f"{key} {tensor}")
        saver_def = None if saver is None else saver.as_saver_def()
        meta_graph = tf.compat.v1.train.export_meta_graph(saver_def=saver_def, strip_default_attrs=True)
    functions = meta_graph.graph_def.library.function
    for node in (*meta_graph.graph_def.node, *(node for f in functions for node in f.node_def)):
        _make_readable_by_1_15(node)
    for node in meta_graph.graph_def.node:
        node.input[:] = [read_instead.get(text, text) for text in node.input]
    return meta_graph


def _stand_in(copy: tf.Graph, ops: SaverOps, read_instead: dict[str, str]) -> _tensorflow.SaveableObject:
    """Objects of the original, for the Saver of the copy.

    The ops that save and restore them are in the copy, too. Those that restore take what another Saver reads;
    `read_instead` gets to know what they must take in its place, as inputs of nodes are written.
    """

    def restore(tensors: Sequence[tf.Tensor]) -> tf.Operation:
        for part, tensor in zip(ops.parts, tensors, strict=True):
            read_instead[part.read.removesuffix(":0")] = tensor.name.removesuffix(":0")
        return tf.group(*map(copy.get_operation_by_name, ops.restore))

    parts = [(part.key, part.slice_spec, copy.get_tensor_by_name(part.written)) for part in ops.parts]
    return _tensorflow.SaveableObject(ops.parts[0].key, parts, restore)


def _make_readable_by_1_15(node: tf.compat.v1.NodeDef) -> None:
    for name in (*_NEW_ATTRIBUTES, *_NEW_ATTRIBUTES_OF.get(node.op, ())):
        node.attr.pop(name, None)
    # Shapes as inferred here; where 1.15 says otherwise, its import fails.
    node.attr.pop("_output_shapes", None)
    if node.op in _NEW_NO_OPS:
        controls = [f"^{text.lstrip('^').partition(':')[0]}" for text in node.input]
        name = node.name
        node.Clear()
        node.name, node.op = name, "NoOp"
        node.input.extend(controls)
