"""Stands for `tf.contrib.learn.utils`: what exports are made with."""

from keras_legacy_train.learn.utils import export, input_fn_utils, saved_model_export_utils
from keras_legacy_train.learn.utils.export import export_estimator
from keras_legacy_train.learn.utils.input_fn_utils import (
    InputFnOps,
    build_default_serving_input_fn,
    build_parsing_serving_input_fn,
)
from keras_legacy_train.learn.utils.saved_model_export_utils import make_export_strategy

__all__ = [
    "InputFnOps",
    "build_default_serving_input_fn",
    "build_parsing_serving_input_fn",
    "export",
    "export_estimator",
    "input_fn_utils",
    "make_export_strategy",
    "saved_model_export_utils",
]
