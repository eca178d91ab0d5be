"""Converts logs to the form that Keras callbacks expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def python_logs(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Converts logs to what `model.fit` gives to callbacks.

    Nested dicts are flattened. Values that `float` takes become floats, other tensors become arrays, and all
    other values stay as they are.
    """
    result: dict[str, Any] = {}
    for name, value in sorted(logs.items()):
        result.update(python_logs(value) if isinstance(value, Mapping) else {name: _as_python(value)})
    return result


def flat_logs(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Flattens nested dicts of logs; keeps the values as they are."""
    result: dict[str, Any] = {}
    for name, value in logs.items():
        result.update(flat_logs(value) if isinstance(value, Mapping) else {name: value})
    return result


def lists_as_tensors(logs: Any) -> Any:
    """Converts lists in logs to tensors, as the step of `model.fit` does."""
    if isinstance(logs, Mapping):
        return {name: lists_as_tensors(log) for name, log in logs.items()}
    return tf.convert_to_tensor(logs) if isinstance(logs, list) else logs


def to_numpy(tensor: Any) -> np.ndarray:
    """Converts an eager tensor of any kind, or a variable, to an array; strings become objects."""
    if isinstance(tensor, (tf.SparseTensor, tf.RaggedTensor, tf.IndexedSlices)):
        return np.asarray(keras.ops.convert_to_numpy(tensor))
    tensor = tf.convert_to_tensor(tensor)
    return np.array(tensor.numpy(), object if tensor.dtype == tf.string else tensor.dtype.as_numpy_dtype)


def _as_python(value: Any) -> Any:
    """Converts one log; see `python_logs`."""
    if tf.is_tensor(value):
        value = to_numpy(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
