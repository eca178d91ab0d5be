"""Provides the names of `tf.estimator.experimental`, in its place."""

from __future__ import annotations

from typing import NoReturn

from keras_legacy_train.estimator._replacements import EXPERIMENTAL_REPLACEMENTS, missing_name
from keras_legacy_train.estimator.early_stopping import (
    make_early_stopping_hook,
    make_stop_at_checkpoint_step_hook,
    read_eval_metrics,
    stop_if_higher_hook,
    stop_if_lower_hook,
    stop_if_no_decrease_hook,
    stop_if_no_increase_hook,
)
from keras_legacy_train.estimator.export import build_raw_supervised_input_receiver_fn
from keras_legacy_train.estimator.in_memory_evaluator import InMemoryEvaluatorHook
from keras_legacy_train.estimator.logit_fns import (
    call_logit_fn,
    dnn_logit_fn_builder,
    linear_logit_fn_builder,
)

__all__ = [
    "InMemoryEvaluatorHook",
    "build_raw_supervised_input_receiver_fn",
    "call_logit_fn",
    "dnn_logit_fn_builder",
    "linear_logit_fn_builder",
    "make_early_stopping_hook",
    "make_stop_at_checkpoint_step_hook",
    "read_eval_metrics",
    "stop_if_higher_hook",
    "stop_if_lower_hook",
    "stop_if_no_decrease_hook",
    "stop_if_no_increase_hook",
]


def __getattr__(name: str) -> NoReturn:
    """Raises an error that says what to use instead of a name of `tf.estimator.experimental`.

    Raises:
        AttributeError: Always: the module does not have the name.
    """
    raise missing_name("tf.estimator.experimental", name, EXPERIMENTAL_REPLACEMENTS)
