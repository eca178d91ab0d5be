"""Logs as Keras callbacks expect them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf


def python_logs(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Logs as Python floats where they are single numbers; tensors are arrays, and dicts are dissolved."""
    result: dict[str, Any] = {}
    for name, value in sorted(logs.items()):
        if isinstance(value, Mapping):
            result.update(python_logs(value))
        else:
            array = np.asarray(value)
            is_number = array.ndim == 0 and array.dtype.kind in "biuf"
            result[name] = float(array) if is_number else array if tf.is_tensor(value) else value
    return result
