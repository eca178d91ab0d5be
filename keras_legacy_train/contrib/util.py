"""Has the functions of `tf.contrib.util` for tensors and graphs."""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train._tensorflow import ops_used_by_graph_def, stripped_op_list_for_graph
from keras_legacy_train.contrib._missing import module_getattr

constant_value = tf.get_static_value
make_ndarray = tf.make_ndarray
make_tensor_proto = tf.make_tensor_proto

__all__ = [
    "constant_value",
    "make_ndarray",
    "make_tensor_proto",
    "ops_used_by_graph_def",
    "stripped_op_list_for_graph",
]

__getattr__ = module_getattr(__name__, __all__)
