"""Has the parts of `tf.contrib.tfprof` that scripts use, over `tf.compat.v1.profiler`."""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.tfprof import model_analyzer, tfprof_logger

__all__ = ["model_analyzer", "tfprof_logger"]

__getattr__ = module_getattr(__name__, __all__)
