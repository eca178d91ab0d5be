"""Makes a `keras.Model` of a TF 1 graph.

May import `callbacks`, `programs`, `graph`, `checkpoints`, `arguments` and `types`. Knows nothing of how
`train` and `fit` run.
"""

from keras_legacy_train.graph_model.model import GraphModel

__all__ = ["GraphModel"]
