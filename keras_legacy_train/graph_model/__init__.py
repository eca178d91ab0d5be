"""A graph as a `keras.Model`."""

from keras_legacy_train.graph_model.model import GraphModel

__all__ = ["GraphModel"]
