"""What a Keras callback remembers, so that a resumed training can go on with it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_legacy_train import _keras

_callbacks = keras.callbacks

# Keras's callbacks have no common way to tell. These are the attributes that change during training.
_ATTRIBUTES: dict[type, tuple[str, ...]] = {
    _callbacks.History: ("history", "epoch"),
    _callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
    _callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    _callbacks.ModelCheckpoint: ("best",),
}


def callback_state(callback: keras.callbacks.Callback) -> dict[str, Any] | None:
    """What a callback remembers, as something that JSON can hold.

    A callback of the user's own tells by a method `get_state()` and is told by `set_state(state)`.

    Returns:
        `None` for one that remembers nothing, as far as is known.

    Raises:
        TypeError: `get_state` returns something that JSON cannot hold.
    """
    if hasattr(callback, "get_state"):
        try:
            return {"state": _encoded(callback.get_state())}
        except TypeError as error:
            raise TypeError(f"callbacks: {type(callback).__name__}.get_state() returns {error}.") from error
    names = _attributes(callback)
    return {name: _encoded(getattr(callback, name)) for name in names if hasattr(callback, name)} or None


def set_callback_state(callback: keras.callbacks.Callback, state: Mapping[str, Any]) -> None:
    """Has a callback remember what `callback_state` gave. Call it after `on_train_begin`, which forgets."""
    if hasattr(callback, "set_state"):
        callback.set_state(_decoded(state["state"]))
        return
    _keras.settle_monitor(callback)
    for name in _attributes(callback):
        if name in state:
            setattr(callback, name, _decoded(state[name]))


def _attributes(callback: keras.callbacks.Callback) -> tuple[str, ...]:
    tables = (_ATTRIBUTES, _keras.CALLBACK_COUNTERS)
    return tuple(
        name for table in tables for kind in table if isinstance(callback, kind) for name in table[kind]
    )


def _encoded(value: Any) -> Any:
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _encoded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(each) for each in value]
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"__array__": data, "dtype": value.dtype.name, "shape": value.shape}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{value!r}, of the type {type(value).__name__}, which JSON cannot hold")


def _decoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "__array__" in value:
            data = base64.b64decode(value["__array__"])
            return np.frombuffer(data, value["dtype"]).reshape(value["shape"]).copy()
        return {key: _decoded(each) for key, each in value.items()}
    return [_decoded(each) for each in value] if isinstance(value, list) else value
