"""What Keras callbacks are shown of a graph."""

from __future__ import annotations

import keras
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.session import GraphSession

_KEYS = tf.compat.v1.GraphKeys


class GraphModel(keras.Model):
    """A model whose weights are a lifted graph's global variables, so that `get_weights`, `save_weights` and
    `stop_training` work. It cannot be called. Strings cannot be weights and are left out.

    Args:
        session: The graph's session; all its global variables must have values.
    """

    def __init__(self, session: GraphSession):
        super().__init__(name="graph")
        graph = session.graph
        trainable = {variable.op.name for variable in graph.get_collection(_KEYS.TRAINABLE_VARIABLES)}
        self.graph_variables = [
            _tensorflow.SharedVariable(
                session.lifted.variable(name), name in trainable, name.replace("/", ".")
            )
            for name in dict.fromkeys(v.op.name for v in graph.get_collection(_KEYS.GLOBAL_VARIABLES))
            if session.lifted.variable(name).dtype != tf.string
        ]
        self.built = True
        self.stop_training = False
