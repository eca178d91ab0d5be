"""Writes the log lines of Estimators where their reader looks for them.

Scripts of TensorFlow 1 ask for them by `tf.logging.set_verbosity(tf.logging.INFO)`, users of this package by
the logger `keras_legacy_train`.
"""

from __future__ import annotations

import logging
from typing import Any

import tensorflow as tf

_LOGGER = logging.getLogger("keras_legacy_train")


def info(message: str, *args: Any) -> None:
    """Logs a line at INFO, by the logger of this package if it is set up, else by that of TensorFlow.

    Args:
        message: A format string.
        args: What is filled in.
    """
    _log(logging.INFO, tf.compat.v1.logging.info, message, *args)


def warning(message: str, *args: Any) -> None:
    """Logs a line at WARNING, by the same logger as `info`.

    Args:
        message: A format string.
        args: What is filled in.
    """
    _log(logging.WARNING, tf.compat.v1.logging.warning, message, *args)


def _log(level: int, by_tensorflow: Any, message: str, *args: Any) -> None:
    if _LOGGER.isEnabledFor(level) and _LOGGER.hasHandlers():
        _LOGGER.log(level, message, *args, stacklevel=3)
    else:
        by_tensorflow(message, *args)
