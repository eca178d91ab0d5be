"""Calls functions of today with the arguments that those of TensorFlow 1 took."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_legacy_train.compat.names import Moved


def as_before(value: Any, row: Moved, of_shape: Callable[..., Any] | None = None) -> Any:
    """Returns a function or class that takes its arguments as that of TensorFlow 1 did.

    Args:
        value: The function or class of today.
        row: Its row in the table.
        of_shape: What `row.with_shape` leads to.

    Returns:
        A function, or a class whose instances and subclasses are those of `value`. `value` itself if the
        arguments are the same.
    """
    if row == Moved(row.to):
        return value

    @functools.wraps(value, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs = {row.renamed.get(k, k): v for k, v in kwargs.items() if k not in row.dropped}
        if of_shape is not None and ("shape" in kwargs or (args and _is_shape(args[0]))):
            return of_shape(*args, **kwargs)
        if args and _has_old_order(args, kwargs, row):
            kwargs.update(zip(row.order, args, strict=False))
            args = args[len(row.order) :]
        for today, before in row.joined.items():
            if kwargs.keys() >= set(before):
                kwargs[today] = [kwargs.pop(name) for name in before]
        if row.flags in kwargs:
            kwargs[row.flags] = _axes(kwargs[row.flags])
        return value(*args, **kwargs)

    if isinstance(value, type):
        names = {"_today": value, "_call": staticmethod(call), "__doc__": value.__doc__}
        return _ClassAsBefore(value.__name__, (), {**names, "__module__": value.__module__})
    return call


class _ClassAsBefore(type):
    """Makes classes that stand for others, and make the objects of these."""

    _today: type
    _call: Callable[..., Any]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._call(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls._today)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls._today)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls._today, name)


def _has_old_order(args: Sequence[Any], kwargs: Mapping[str, Any], row: Moved) -> bool:
    """Returns whether the arguments of a call have the order of before."""
    match row.order_when:
        case "always":
            return True
        case "first is int":
            return isinstance(args[0], numbers.Integral)
        case "first is float":
            return _is_float(args[0])
        case "third is float":
            return len(args) > 2 and _is_float(args[2])
        case "second is scalar":
            return len(args) > 1 and _is_scalar(args[1])
        case "first is trained":
            if len(args) == 1:
                return row.order[1] in kwargs
            return _is_trained(args[0]) and not _is_trained(args[1])


def _is_float(value: Any) -> bool:
    import tensorflow as tf

    return hasattr(value, "dtype") and bool(tf.as_dtype(value.dtype).is_floating)


def _is_scalar(value: Any) -> bool:
    import tensorflow as tf

    if isinstance(value, (tf.Tensor, tf.Variable)):
        return bool(value.shape.rank == 0)
    return isinstance(value, (numbers.Number, tf.compat.v1.Dimension))


def _is_shape(value: Any) -> bool:
    import numpy as np
    import tensorflow as tf

    return isinstance(value, (list, tuple, numbers.Integral, np.ndarray, tf.Tensor, tf.TensorShape))


def _is_trained(value: Any) -> bool:
    """Returns whether a tensor of a graph is computed from variables that are trained."""
    import tensorflow as tf

    graph = getattr(value, "graph", None)
    if not isinstance(graph, tf.Graph):
        return False
    trained = {variable.op for variable in graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)}
    seen = {value.op}
    todo = [value.op]
    while todo:
        op = todo.pop()
        if op in trained:
            return True
        new = {tensor.op for tensor in op.inputs} - seen
        seen |= new
        todo += new
    return False


def _axes(flags: Any) -> Any:
    """Returns the axes with a flag that is true; axes stay as they are."""
    import numpy as np
    import tensorflow as tf

    if isinstance(flags, (list, tuple)) and any(map(tf.is_tensor, flags)):
        flags = tf.stack(flags)
    if tf.is_tensor(flags):
        return tf.reshape(tf.where(flags), [-1]) if flags.dtype.base_dtype == tf.bool else flags
    return np.flatnonzero(flags) if np.asarray(flags).dtype == bool else flags
