"""Makes the global step of a new graph."""

from __future__ import annotations

import functools

import tensorflow as tf

from keras_legacy_train import _tensorflow

_KEYS = tf.compat.v1.GraphKeys


def create_global_step(graph: tf.Graph) -> tf.Variable:
    """Creates the global step in a graph without operations, as `tf.compat.v1.train.create_global_step` does.

    Each evaluation needs a graph, and to copy what TensorFlow makes takes a third of the time.
    """
    if not tf.compat.v1.resource_variables_enabled():
        return tf.compat.v1.train.create_global_step(graph)
    graph_def, variable_def = _definitions()
    with graph.as_default():
        tf.graph_util.import_graph_def(graph_def, name="")
        variable = _tensorflow.variable_from_proto(variable_def)
    for key in (_KEYS.GLOBAL_VARIABLES, _KEYS.GLOBAL_STEP):
        graph.add_to_collection(key, variable)
    return variable


@functools.cache
def _definitions() -> tuple[tf.compat.v1.GraphDef, _tensorflow.VariableDef]:
    """Returns what TensorFlow makes, a resource variable."""
    with tf.Graph().as_default() as graph:
        variable = tf.compat.v1.train.create_global_step(graph)
        return graph.as_graph_def(), variable.to_proto()
