"""Runs the ops of TensorFlow that update variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf


def cast(var: Any, *numbers: Any) -> list[Any]:
    """Returns numbers in the dtype of a variable.

    Args:
        var: The variable.
        *numbers: Tensors or variables.
    """
    return [tf.cast(number, var.dtype.base_dtype) for number in numbers]


def run_kernel(
    name: str,
    is_resource: bool,
    variables: Mapping[str, Any],
    grad: Any,
    numbers: Mapping[str, Any],
    **attributes: Any,
) -> Any:
    """Adds the op that updates a variable and its slots.

    Args:
        name: The name of the op for reference variables: `"ApplyAdam"`.
        is_resource: Whether these are resource variables.
        variables: The variable `var` and its slots, by the names of the op.
        grad: The gradient.
        numbers: The numbers by the names of the op.
        **attributes: The attributes of the op.

    Returns:
        The operation for resource variables, else the updated variable.
    """
    kernel = getattr(tf.raw_ops, f"Resource{name}" if is_resource else name)
    dtype = variables["var"].dtype.base_dtype
    return kernel(
        grad=grad,
        **{key: each.handle if is_resource else each for key, each in variables.items()},
        **{key: tf.cast(number, dtype) for key, number in numbers.items()},
        **attributes,
    )
