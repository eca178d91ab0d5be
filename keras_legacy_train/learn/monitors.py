"""Stands for `tf.contrib.learn.monitors`: everything in `keras_legacy_train.monitors`."""

from keras_legacy_train.monitors import *  # noqa: F403
from keras_legacy_train.monitors import __all__ as __all__
