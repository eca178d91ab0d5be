"""A graph as files that TensorFlow 1.15 and 2 can read."""

from __future__ import annotations

import tensorflow as tf

# What came after 1.15, which refuses a graph with an attribute it does not know. None of these changes what
# is computed.
_NEW_ATTRIBUTES = (
    "allowed_devices",
    "bad_indices_policy",
    "buffer_size_min",
    "debug_name",
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
    """Serialises a graph with a `Saver` for its variables, as `tf.contrib.learn.train` left it in `.meta`.

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
    with tf.Graph().as_default():
        saver = tf.compat.v1.train.import_meta_graph(tf.compat.v1.train.export_meta_graph(graph=graph))
        saver_def = None if saver is None else saver.as_saver_def()
        meta_graph = tf.compat.v1.train.export_meta_graph(saver_def=saver_def, strip_default_attrs=True)
    functions = meta_graph.graph_def.library.function
    for node in (*meta_graph.graph_def.node, *(node for f in functions for node in f.node_def)):
        _make_readable_by_1_15(node)
    return meta_graph


def _make_readable_by_1_15(node: tf.compat.v1.NodeDef) -> None:
    for name in (*_NEW_ATTRIBUTES, *_NEW_ATTRIBUTES_OF.get(node.op, ())):
        node.attr.pop(name, None)
    if node.op in _NEW_NO_OPS:
        controls = [f"^{text.lstrip('^').partition(':')[0]}" for text in node.input]
        name = node.name
        node.Clear()
        node.name, node.op = name, "NoOp"
        node.input.extend(controls)
