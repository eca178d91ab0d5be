"""Has the plugins of `tf.contrib.tensorboard`."""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.tensorboard.plugins import projector

__all__ = ["projector"]

__getattr__ = module_getattr(__name__, __all__)
