"""Calls monitors that do not keep to the signatures of `BaseMonitor`, and checks what is given as one."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from keras_legacy_train.types import Fetch, SessionLike

_METHODS = ("begin", "step_begin", "step_end", "end")


def as_requests(returned: Iterable[Fetch] | Fetch | None) -> list[Fetch]:
    """Converts the result of a `step_begin` to a list.

    Args:
        returned: A list, a tuple or a dict of fetches, a single fetch, or `None`.
    """
    if returned is None:
        return []
    if isinstance(returned, Iterable) and not isinstance(returned, str) and not hasattr(returned, "graph"):
        return list(returned)
    return [returned]


def check_monitor(monitor: Any) -> None:
    """Checks that an object has the methods of a monitor. It need not descend from `BaseMonitor`.

    Raises:
        ValueError: A method is missing, or it is a class and not an instance.
    """
    missing = [method for method in _METHODS if not callable(getattr(monitor, method, None))]
    if missing or isinstance(monitor, type):
        raise ValueError(
            f"monitors: {monitor!r} is no monitor; it lacks {', '.join(missing) or 'an instance'}."
            " Derive it from monitors.BaseMonitor or tf.compat.v1.train.SessionRunHook, or pass Keras"
            " callbacks as callbacks=."
        )


def check_not_hook(monitor: Any) -> None:
    """Checks that a monitor is no session hook, where there is no graph for one.

    Raises:
        ValueError: It is a session hook.
    """
    if isinstance(monitor, tf.compat.v1.train.SessionRunHook):
        raise ValueError(
            f"monitors: {type(monitor).__name__} is a SessionRunHook, which needs a graph. Use a monitor of"
            " keras_legacy_train.monitors, or a Keras callback."
        )


def end_monitor(monitor: Any, session: SessionLike | None) -> None:
    """Calls `monitor.end`, with the session if it takes one."""
    parameters = inspect.signature(monitor.end).parameters.values()
    if any(p.name == "session" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        monitor.end(session=session)
    else:
        monitor.end()
