"""Reads a graph from a `.meta` file."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.saving.savers import add_saver
from keras_legacy_train.graph.tables import MUTABLE_TABLES

_LOGGER = logging.getLogger("keras_legacy_train")


def read_meta_graph(path: str) -> tf.Graph:
    """Reads the graph in a `.meta` file of TensorFlow 1 or 2, binary or text, with its collections.

    Raises:
        ValueError: The file holds no graph.
    """
    try:
        meta_graph = _tensorflow.read_meta_graph_file(path)
    except (OSError, UnicodeDecodeError) as error:  # what is not binary is taken for text
        raise ValueError(f"graph: {path!r} is not a .meta file: {error}") from error
    # This collection holds names of objects, which the import cannot turn into objects.
    objects = meta_graph.collection_def.pop(tf.compat.v1.GraphKeys.SAVEABLE_OBJECTS, None)
    functions = meta_graph.graph_def.library.function
    for node in (*meta_graph.graph_def.node, *(node for f in functions for node in f.node_def)):
        # Shapes as TensorFlow 1 inferred them; if today's inference differs, the import fails.
        node.attr.pop("_output_shapes", None)
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.train.import_meta_graph(meta_graph)
    try:
        add_saver(graph, meta_graph.saver_def)
    except KeyError:  # there is no Saver in the file
        if objects is not None:
            _warn_of_lost_objects(graph, path, objects.node_list.value)
    return graph


def _warn_of_lost_objects(graph: tf.Graph, path: str, names: Iterable[str]) -> None:
    """Warns of objects that cannot be saved, since the file holds no `Saver` that says how."""
    tables = {op.name.rpartition("/")[2] for op in graph.get_operations() if op.type in MUTABLE_TABLES}
    lost = [name for name in names if name not in tables]
    if lost:
        _LOGGER.warning(
            "%s names objects that checkpoints should hold, but has no Saver that tells how to save them."
            " They are left out: %s",
            path,
            ", ".join(lost),
        )
