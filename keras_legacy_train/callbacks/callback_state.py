"""Saves what a Keras callback remembers, so that a resumed training can go on with it."""

from __future__ import annotations

import base64
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import _keras
from keras_legacy_train.programs.logs import to_numpy

_LOGGER = logging.getLogger("keras_legacy_train")

_callbacks = keras.callbacks

# Keras's callbacks have no common way to tell. These are the attributes that change during training.
_ATTRIBUTES: dict[type, tuple[str, ...]] = {
    _callbacks.History: ("history", "epoch"),
    _callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
    _callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    _callbacks.ModelCheckpoint: ("best",),
}


def callback_state(callback: keras.callbacks.Callback) -> dict[str, Any] | None:
    """Returns what a callback remembers, as something that JSON can hold.

    A callback of the user's own tells by a method `get_state()` and is told by `set_state(state)`.

    Returns:
        `None` for one that remembers nothing, as far as is known.

    Raises:
        TypeError: It remembers something that JSON cannot hold.
    """
    name = type(callback).__name__
    if not hasattr(callback, "get_state"):
        names = _attributes(callback)
        state = {name: getattr(callback, name) for name in names if hasattr(callback, name)}
        return as_json(state, functools.partial(left_out, name)) or None
    try:
        return {"state": as_json(callback.get_state())}
    except TypeError as error:
        raise TypeError(f"callbacks: {name} remembers {error}.") from error


def set_callback_state(callback: keras.callbacks.Callback, state: Mapping[str, Any]) -> None:
    """Has a callback remember what `callback_state` gave. Call it after `on_train_begin`, which forgets."""
    if hasattr(callback, "set_state"):
        callback.set_state(from_json(state["state"]))
        return
    _keras.resolve_monitor_mode(callback)
    for name in _attributes(callback):
        if name in state:
            setattr(callback, name, from_json(state[name]))


def left_out(owner: str, value: Any) -> None:
    """Returns `None` in the place of a value that no checkpoint can hold, and warns.

    Logs come into being in training, and are no reason to lose it.

    Args:
        owner: Whose value it is.
        value: The value.
    """
    _warn_of(owner, type(value).__name__)


@functools.cache  # once is enough
def _warn_of(owner: str, kind: str) -> None:
    _LOGGER.warning("%s: checkpoints have None in the place of each %s, which they cannot hold.", owner, kind)


def _attributes(callback: keras.callbacks.Callback) -> tuple[str, ...]:
    tables = (_ATTRIBUTES, _keras.CALLBACK_COUNTERS)
    return tuple(
        name for table in tables for kind in table if isinstance(callback, kind) for name in table[kind]
    )


def as_json(value: Any, unknown: Callable[[Any], Any] | None = None) -> Any:
    """Returns a value in a form that JSON can hold.

    Args:
        value: Numbers, texts, bytes, arrays, tensors and variables, also in lists and dicts.
        unknown: Gives what stands for anything else. By default it is an error.

    Raises:
        TypeError: There is something else among them.
    """

    def convert(each: Any) -> Any:
        if each is None or type(each) in (bool, int, float, str):
            return each
        if isinstance(each, Mapping):
            if all(isinstance(key, str) and not key.startswith("__") for key in each):
                return {key: convert(item) for key, item in each.items()}
            return {"__items__": [[convert(key), convert(item)] for key, item in each.items()]}
        if isinstance(each, (list, tuple)):
            return [convert(item) for item in each]
        if isinstance(each, bytes):
            return {"__bytes__": _encoded(each)}
        if isinstance(each, complex):
            return {"__complex__": [each.real, each.imag]}
        if _is_eager(each):
            return convert(to_numpy(each))
        if isinstance(each, np.ndarray) and each.dtype.names is None:
            is_object = each.dtype.kind == "O"
            data = [convert(item) for item in each.flat] if is_object else _encoded(each.tobytes())
            # Other types than those of NumPy, such as bfloat16, are known by their names only.
            dtype = each.dtype.str if each.dtype.kind in "SUMm" else each.dtype.name
            return {"__array__": data, "dtype": dtype, "shape": each.shape}
        if isinstance(each, np.generic) and each.dtype.names is None:
            item = each.item()
            is_python = isinstance(item, (bool, int, float, str, bytes, complex))
            return convert(item if is_python and not isinstance(item, np.generic) else np.asarray(each))
        if isinstance(each, (int, float, str)):  # of a class of its own, such as an enum
            return each
        if unknown is not None:
            return unknown(each)
        raise TypeError(f"{each!r}, of the type {type(each).__name__}, which JSON cannot hold")

    return convert(value)


def from_json(value: Any) -> Any:
    """Returns what was given to `as_json`.

    Tuples are lists now, NumPy's numbers are Python's, and tensors and variables are arrays.
    """
    if isinstance(value, list):
        return [from_json(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if "__items__" in value:
        return {from_json(key): from_json(each) for key, each in value["__items__"]}
    if "__bytes__" in value:
        return base64.b64decode(value["__bytes__"])
    if "__complex__" in value:
        return complex(*value["__complex__"])
    if "__array__" in value:
        return _array(value["__array__"], value["dtype"], value["shape"])
    return {key: from_json(each) for key, each in value.items()}


def _array(data: Any, dtype: str, shape: Sequence[int]) -> np.ndarray:
    if dtype != "object":
        array: np.ndarray = np.frombuffer(base64.b64decode(data), dtype).reshape(shape).copy()
        return array
    items = np.empty([len(data)], object)
    for number, item in enumerate(data):
        items[number] = from_json(item)
    return items.reshape(shape)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _is_eager(value: Any) -> bool:
    """Tells whether a value is a tensor with a value, or a variable."""
    if isinstance(value, (tf.Variable, _keras.Variable)):
        return True
    if not tf.is_tensor(value):
        return False
    is_composite = isinstance(value, (tf.SparseTensor, tf.RaggedTensor, tf.IndexedSlices))
    return is_composite or (hasattr(value, "numpy") and value.dtype not in (tf.variant, tf.resource))
