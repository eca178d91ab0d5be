"""Checks of monitors, session hooks and callbacks that were passed to watch a training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.monitors.calls import check_monitor, check_not_hook


def as_watchers(monitors: Any, callbacks: Any) -> tuple[list[Any], list[keras.callbacks.Callback]]:
    """Returns the monitors and hooks, also those given as callbacks, and the other callbacks."""
    given = as_callbacks(callbacks)
    wrapped = [each.monitor for each in given if isinstance(each, MonitorCallback)]
    others = [each for each in given if not isinstance(each, MonitorCallback)]
    return [*as_monitors(monitors), *as_monitors(wrapped)], others


def as_monitors(monitors: Any) -> list[Any]:
    """Returns a list of monitors and hooks; a single one is a list, too."""
    if monitors is None:
        return []
    if hasattr(monitors, "step_begin") or not isinstance(monitors, Iterable):
        monitors = [monitors]
    listed = list(monitors)
    for monitor in listed:
        if isinstance(monitor, tf.compat.v1.train.SessionRunHook):
            _check_hook(monitor)
            continue
        check_monitor(monitor)
    return listed


def _check_hook(hook: tf.compat.v1.train.SessionRunHook) -> None:
    if isinstance(hook, tf.compat.v1.train.ProfilerHook):
        raise ValueError(
            "monitors: ProfilerHook asks a Session to trace its steps, and there is none here. Call"
            " tf.profiler.experimental.start(logdir) before training and stop() after it."
        )


def check_no_hooks(monitors: Iterable[Any]) -> None:
    """Session hooks need a graph."""
    for monitor in monitors:
        check_not_hook(monitor)


def as_callbacks(callbacks: Any) -> list[keras.callbacks.Callback]:
    """Returns a list of callbacks; a single callback is a list, too."""
    if callbacks is None:
        return []
    listed = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in listed:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"callbacks: {callback!r} is not a keras.callbacks.Callback.")
    return listed
