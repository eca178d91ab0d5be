"""Names outputs in collections, and reads sizes; stands for `tf.contrib.layers.python.layers.utils`."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


def collect_named_outputs(collections: Any, alias: str, outputs: Any) -> Any:
    """Adds a tensor to collections, under a name by which `convert_collection_to_dict` gives it back.

    Args:
        collections: The name of a collection or a list of names; `None` for none.
        alias: The name of the tensor.
        outputs: The tensor.

    Returns:
        The tensor.
    """
    if collections:
        append_tensor_alias(outputs, alias)
        v1.add_to_collections(collections, outputs)
    return outputs


def append_tensor_alias(tensor: Any, alias: str) -> Any:
    """Adds a name to those of a tensor.

    Args:
        tensor: A tensor.
        alias: The name; a slash at its end is left out.

    Returns:
        The tensor.
    """
    tensor.aliases = [*getattr(tensor, "aliases", ()), alias.removesuffix("/")]
    return tensor


def get_tensor_aliases(tensor: Any) -> list[str]:
    """Returns the names of a tensor: those that were added, or that of its op.

    Args:
        tensor: A tensor.
    """
    return list(getattr(tensor, "aliases", ())) or [tensor.name.removesuffix(":0")]


def gather_tensors_aliases(tensors: Iterable[Any]) -> list[str]:
    """Returns the names of all tensors.

    Args:
        tensors: Tensors.
    """
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]


def convert_collection_to_dict(collection: str, clear_collection: bool = False) -> dict[str, Any]:
    """Returns the tensors of a collection by their names.

    Args:
        collection: The name of the collection.
        clear_collection: Whether to empty the collection.
    """
    tensors = v1.get_collection(collection)
    named = collections.OrderedDict(
        (alias, tensor) for tensor in tensors for alias in get_tensor_aliases(tensor)
    )
    if clear_collection:
        v1.get_collection_ref(collection).clear()
    return named


def constant_value(value_or_tensor_or_var: Any, dtype: Any = None) -> Any:
    """Returns a value that is known while the graph is built, else `None`.

    Args:
        value_or_tensor_or_var: A plain value, a tensor or a variable.
        dtype: The dtype that a tensor must have; `None` for any.

    Raises:
        ValueError: There is no value, or a tensor has another dtype.
    """
    value = value_or_tensor_or_var
    if value is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if not isinstance(value, (tf.Tensor, tf.Variable)):
        return value
    if dtype is not None and value.dtype != dtype:
        raise ValueError(f"It has the wrong type {value.dtype} instead of {dtype}")
    return None if isinstance(value, tf.Variable) else tf.get_static_value(value)


def static_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any]) -> Any:
    """Returns what one of two functions returns.

    Args:
        pred: A bool.
        fn1: Called if it is true.
        fn2: Called if it is false.

    Raises:
        TypeError: `fn1` or `fn2` cannot be called.
    """
    for name, function in (("fn1", fn1), ("fn2", fn2)):
        if not callable(function):
            raise TypeError(f"{name} must be callable.")
    return fn1() if pred else fn2()


def smart_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any], name: str | None = None) -> Any:
    """Returns what one of two functions returns, by `tf.cond` if it is not yet known which.

    Args:
        pred: A bool, a scalar tensor or a variable.
        fn1: Called if it is true.
        fn2: Called if it is false.
        name: The name of the `tf.cond`.

    Raises:
        TypeError: `fn1` or `fn2` cannot be called.
    """
    known = constant_value(pred)
    return v1.cond(pred, fn1, fn2, name=name) if known is None else static_cond(known, fn1, fn2)


def get_variable_collections(variables_collections: Any, name: str) -> Any:
    """Returns the collections of a variable.

    Args:
        variables_collections: Collections of all variables, or a dict of collections by variable.
        name: Name of the variable in that dict.
    """
    if isinstance(variables_collections, dict):
        return variables_collections.get(name)
    return variables_collections


def channel_dimension(shape: tf.TensorShape, data_format: str, min_rank: int = 1) -> int:
    """Returns the number of channels.

    Args:
        shape: A shape.
        data_format: "channels_first" or "channels_last".
        min_rank: The least number of dimensions.

    Raises:
        ValueError: The number of channels is not known, or there are fewer dimensions.
    """
    return _dimension(shape, 1 if data_format == "channels_first" else -1, min_rank)


def last_dimension(shape: tf.TensorShape, min_rank: int = 1) -> int:
    """Returns the size of the last dimension.

    Args:
        shape: A shape.
        min_rank: The least number of dimensions.

    Raises:
        ValueError: The size is not known, or there are fewer dimensions.
    """
    return _dimension(shape, -1, min_rank)


def two_element_tuple(int_or_tuple: Any) -> tuple[int, int]:
    """Returns a height and a width.

    Args:
        int_or_tuple: An integer for both, or a list of two.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(int_or_tuple, int):
        return int_or_tuple, int_or_tuple
    if isinstance(int_or_tuple, (list, tuple, tf.TensorShape)) and len(int_or_tuple) == 2:
        return int(int_or_tuple[0]), int(int_or_tuple[1])
    raise ValueError(f"Must be an int, a list with 2 elements or a TensorShape of length 2: {int_or_tuple}")


def n_positive_integers(n: int, value: Any) -> tuple[int, ...]:
    """Returns `n` positive integers.

    Args:
        n: How many.
        value: A positive integer, which stands for equal ones, or as many as `n`.

    Raises:
        ValueError: It is neither.
    """
    if n < 1 or n != int(n):
        raise ValueError("n must be a positive integer")
    values = (value,) * n if isinstance(value, int) else tuple(int(each) for each in value)
    if len(values) != n or min(values) < 1:
        raise ValueError(f"Expected sequence of {n} positive integers, but received {value!r}")
    return values


def _dimension(shape: tf.TensorShape, axis: int, min_rank: int) -> int:
    if shape.rank is None:
        raise ValueError("dims of shape must be known but is None")
    if shape.rank < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {shape.rank}")
    size: int | None = shape.as_list()[axis]
    if size is None:
        raise ValueError(f"dimension {axis} of shape must be known but is None: {shape}")
    return size
