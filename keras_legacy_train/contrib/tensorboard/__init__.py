"""Has the part of `tf.contrib.tensorboard` that scripts use: the projector of embeddings."""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.tensorboard import plugins

__all__ = ["plugins"]

__getattr__ = module_getattr(__name__, __all__)
