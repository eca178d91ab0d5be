"""Chooses between training and inference, when the graph is built or when it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def static_or_tensor(training: Any) -> Any:
    """Returns a bool if it is known whether this is training, else the tensor or variable that says it.

    Args:
        training: A bool, an integer, a scalar tensor or variable of dtype bool; `None` for false.
    """
    if isinstance(training, tf.Variable):
        return training
    known = tf.get_static_value(training) if isinstance(training, tf.Tensor) else training
    return training if known is None and training is not None else bool(known)


def switch(training: Any, in_training: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """Returns what one of two functions returns, by `tf.cond` if it is not yet known which.

    Args:
        training: What `static_or_tensor` returned.
        in_training: Returns tensors.
        otherwise: Returns tensors of the same dtypes.
    """
    if isinstance(training, bool):
        return in_training() if training else otherwise()
    return tf.cond(training, in_training, otherwise)
