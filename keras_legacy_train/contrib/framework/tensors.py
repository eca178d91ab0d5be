"""Checks tensors, and chooses between them."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import tensorflow as tf

v1 = tf.compat.v1

_LOGGER = logging.getLogger("keras_legacy_train")

_Function = TypeVar("_Function", bound=Callable[..., Any])


def assert_scalar_int(tensor: Any, name: str | None = None) -> Any:
    """Checks that a tensor is an integer; stands for `tf.contrib.framework.assert_scalar_int`.

    Args:
        tensor: A tensor.
        name: The name scope.

    Returns:
        The tensor.

    Raises:
        ValueError: It is not of `int32` or `int64`, or not a scalar.
    """
    with v1.name_scope(name, "assert_scalar_int", [tensor]):
        tensor = tf.convert_to_tensor(tensor)
        if tensor.dtype.base_dtype not in (tf.int32, tf.int64):
            raise ValueError(f"Expected int32 or int64 for tensor {tensor.name}, got {tensor.dtype.name}.")
        if tensor.shape.rank != 0:
            raise ValueError(f"Expected scalar shape for {tensor.name}, saw shape: {tensor.shape}.")
        return tensor


def smart_constant_value(pred: Any) -> bool | None:
    """Returns a condition that is known while the graph is built, else `None`.

    Stands for `tf.contrib.framework.smart_constant_value`.

    Args:
        pred: A bool, 0 or 1, or a scalar tensor.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(pred, (tf.Tensor, tf.Variable)):
        value = None if isinstance(pred, tf.Variable) else tf.get_static_value(pred)
        return None if value is None else bool(value)
    if pred in (0, 1):
        return bool(pred)
    raise TypeError(f"`pred` must be a Tensor, or a Python bool, or 1 or 0. Found instead: {pred!r}")


def smart_cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Returns what one of two functions returns, by `tf.cond` if it is not yet known which.

    Stands for `tf.contrib.framework.smart_cond`.

    Args:
        pred: A bool, 0 or 1, or a scalar tensor.
        true_fn: Called if it is true.
        false_fn: Called if it is false.
        name: The name of the `tf.cond`.

    Raises:
        TypeError: `pred` is something else, or a function cannot be called.
    """
    for argument, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(function):
            raise TypeError(f"`{argument}` must be callable.")
    assert true_fn is not None
    assert false_fn is not None
    known = smart_constant_value(pred)
    if known is None:
        return v1.cond(pred, true_fn, false_fn, name=name)
    return true_fn() if known else false_fn()


def get_placeholders(graph: tf.Graph) -> list[tf.Tensor]:
    """Returns the placeholders of a graph; stands for `tf.contrib.framework.get_placeholders`.

    Args:
        graph: A graph.
    """
    return [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]


def get_name_scope() -> str:
    """Returns the current name scope of the default graph, without a slash at its end."""
    scope: str = v1.get_default_graph().get_name_scope()
    return scope


def deprecated(date: Any, instructions: str, warn_once: bool = True) -> Callable[[_Function], _Function]:
    """Returns a decorator of functions that log a warning; stands for `tf.contrib.framework.deprecated`.

    Args:
        date: The day from which on the function may be gone; `None` for some day.
        instructions: Says what to use in its place.
        warn_once: Whether only the first call logs a warning.
    """
    when = f"after {date}" if date else "in a future version"

    def decorate(function: _Function) -> _Function:
        called = False

        @functools.wraps(function)
        def with_warning(*args: Any, **kwargs: Any) -> Any:
            nonlocal called
            if not called or not warn_once:
                called = True
                _LOGGER.warning(
                    f"{function.__qualname__} is deprecated and will be removed {when}. {instructions}"
                )
            return function(*args, **kwargs)

        return with_warning  # type: ignore[return-value]

    return decorate
