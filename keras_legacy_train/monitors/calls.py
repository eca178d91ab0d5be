"""How monitors are called that take other arguments, or return other things, than they should."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

_METHODS = ("begin", "step_begin", "step_end", "end")


def as_requests(returned: Any) -> list[Any]:
    """A list of what `step_begin` returned: a list, a tuple, one tensor or name, `{}` or `None`."""
    if returned is None:
        return []
    if isinstance(returned, Iterable) and not isinstance(returned, str) and not hasattr(returned, "graph"):
        return list(returned)
    return [returned]


def check_monitor(monitor: Any) -> None:
    """Raises ValueError for what lacks the methods of a monitor. It need not descend from `BaseMonitor`."""
    missing = [method for method in _METHODS if not callable(getattr(monitor, method, None))]
    if missing or isinstance(monitor, type):
        raise ValueError(
            f"monitors: {monitor!r} is no monitor; it lacks {', '.join(missing) or 'an instance'}."
            " Derive it from monitors.BaseMonitor or tf.compat.v1.train.SessionRunHook, or pass Keras"
            " callbacks as callbacks=."
        )


def check_no_hook(monitor: Any) -> None:
    """Raises ValueError for a session hook, where there is no graph."""
    if isinstance(monitor, tf.compat.v1.train.SessionRunHook):
        raise ValueError(
            f"monitors: {type(monitor).__name__} is a SessionRunHook, which needs a graph. Use a monitor of"
            " keras_legacy_train.monitors, or a Keras callback."
        )


def end(monitor: Any, session: Any) -> None:
    """Calls `monitor.end`, with the session if it takes one."""
    parameters = inspect.signature(monitor.end).parameters.values()
    if any(p.name == "session" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        monitor.end(session=session)
    else:
        monitor.end()
