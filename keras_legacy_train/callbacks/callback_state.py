"""What a Keras callback remembers, so that a resumed training can go on with it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

_callbacks = keras.callbacks

# Keras's callbacks have no common way to tell. These are the attributes that change during training.
_ATTRIBUTES: dict[type, tuple[str, ...]] = {
    _callbacks.History: ("history", "epoch"),
    _callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
    _callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    _callbacks.ModelCheckpoint: ("best", "epochs_since_last_save"),
}


def callback_state(callback: keras.callbacks.Callback) -> dict[str, Any] | None:
    """What a callback remembers, as something that JSON can hold.

    A callback of the user's own tells by a method `get_state()` and is told by `set_state(state)`.

    Returns:
        `None` for one that remembers nothing, as far as is known.
    """
    if hasattr(callback, "get_state"):
        return {"state": _encoded(callback.get_state())}
    names = _attributes(callback)
    return {name: _encoded(getattr(callback, name)) for name in names if hasattr(callback, name)} or None


def set_callback_state(callback: keras.callbacks.Callback, state: Mapping[str, Any]) -> None:
    """Has a callback remember what `callback_state` gave. Call it after `on_train_begin`, which forgets."""
    if hasattr(callback, "set_state"):
        callback.set_state(_decoded(state["state"]))
        return
    for name in _attributes(callback):
        if name in state:
            setattr(callback, name, _decoded(state[name]))


def _attributes(callback: keras.callbacks.Callback) -> tuple[str, ...]:
    return next((names for kind, names in _ATTRIBUTES.items() if isinstance(callback, kind)), ())


def _encoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _encoded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(each) for each in value]
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"__array__": data, "dtype": value.dtype.name, "shape": value.shape}
    if isinstance(value, np.generic):
        return value.item()
    return value


def _decoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "__array__" in value:
            data = base64.b64decode(value["__array__"])
            return np.frombuffer(data, value["dtype"]).reshape(value["shape"]).copy()
        return {key: _decoded(each) for key, each in value.items()}
    return [_decoded(each) for each in value] if isinstance(value, list) else value
