"""Stands for `tf.contrib.learn.utils`: what exports are made with."""

from keras_legacy_train.learn.utils import input_fn_utils
from keras_legacy_train.learn.utils.input_fn_utils import (
    InputFnOps,
    build_default_serving_input_fn,
    build_parsing_serving_input_fn,
)

__all__ = [
    "InputFnOps",
    "build_default_serving_input_fn",
    "build_parsing_serving_input_fn",
    "input_fn_utils",
]
