"""Makes a `keras.Model` of a TF 1 graph.

May import `callbacks`, `programs`, `graph`, `checkpoints`, and what these import. Knows nothing of `training`
and the loop.
"""

from keras_legacy_train.graph_model.model import GraphModel

__all__ = ["GraphModel"]
