"""Writes which ops a graph has, for the profiler; stands for `tf.contrib.tfprof.tfprof_logger`."""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

write_op_log = tf.compat.v1.profiler.write_op_log

__all__ = ["write_op_log"]

__getattr__ = module_getattr(__name__, __all__)
