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
        TypeError: It remembers something that JSON cannot hold.
    """
    if hasattr(callback, "get_state"):
        state = {"state": callback.get_state()}
    else:
        names = _attributes(callback)
        state = {name: getattr(callback, name) for name in names if hasattr(callback, name)}
    try:
        return as_json(state) or None
    except TypeError as error:
        raise TypeError(f"callbacks: {type(callback).__name__} remembers {error}.") from error


def set_callback_state(callback: keras.callbacks.Callback, state: Mapping[str, Any]) -> None:
    """Has a callback remember what `callback_state` gave. Call it after `on_train_begin`, which forgets."""
    if hasattr(callback, "set_state"):
        callback.set_state(from_json(state["state"]))
        return
    _keras.resolve_monitor_mode(callback)
    for name in _attributes(callback):
        if name in state:
            setattr(callback, name, from_json(state[name]))


def _attributes(callback: keras.callbacks.Callback) -> tuple[str, ...]:
    tables = (_ATTRIBUTES, _keras.CALLBACK_COUNTERS)
    return tuple(
        name for table in tables for kind in table if isinstance(callback, kind) for name in table[kind]
    )


def as_json(value: Any) -> Any:
    """Numbers, texts and arrays, also in lists and dicts, as something that JSON can hold.

    Raises:
        TypeError: There is something else among them.
    """
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(each) for each in value]
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"__array__": data, "dtype": value.dtype.name, "shape": value.shape}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{value!r}, of the type {type(value).__name__}, which JSON cannot hold")


def from_json(value: Any) -> Any:
    """What was given to `as_json`; tuples are lists, and NumPy's numbers are Python's."""
    if isinstance(value, Mapping):
        if "__array__" in value:
            data = base64.b64decode(value["__array__"])
            return np.frombuffer(data, value["dtype"]).reshape(value["shape"]).copy()
        return {key: from_json(each) for key, each in value.items()}
    return [from_json(each) for each in value] if isinstance(value, list) else value
