"""A graph from a `.meta` file."""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train import _tensorflow


def read_meta_graph(path: str) -> tf.Graph:
    """The graph in a `.meta` file of TensorFlow 1 or 2, binary or text, with its collections.

    Raises:
        ValueError: The file holds no graph.
    """
    try:
        meta_graph = _tensorflow.read_meta_graph_file(path)
    except OSError as error:
        raise ValueError(f"graph: {path!r} is not a .meta file: {error}") from error
    # TensorFlow 1 wrote the names of tables here, and TensorFlow 2 fails to make anything of them.
    meta_graph.collection_def.pop(tf.compat.v1.GraphKeys.SAVEABLE_OBJECTS, None)
    functions = meta_graph.graph_def.library.function
    for node in (*meta_graph.graph_def.node, *(node for f in functions for node in f.node_def)):
        # Shapes as TensorFlow 1 inferred them; where today's inference says otherwise, the import fails.
        node.attr.pop("_output_shapes", None)
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.train.import_meta_graph(meta_graph)
    return graph
