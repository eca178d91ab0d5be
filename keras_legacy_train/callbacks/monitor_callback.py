"""A monitor as a callback."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from keras_legacy_train.callbacks.base import LoopCallback
from keras_legacy_train.monitors.schedule import next_step
from keras_legacy_train.programs.base import Steps


class MonitorCallback(LoopCallback):
    """Calls a monitor as `tf.contrib.learn.train` did: `begin`, then at each step `step_begin`, `step_end`
    and `post_step`, and `end`.

    Args:
        monitor: A `monitors.BaseMonitor`, or anything with its methods.
    """

    def __init__(self, monitor: Any):
        super().__init__()
        self.monitor = monitor
        self._session: Any = None
        self._begun = False
        self._watched: int | None = None

    def begin(self, max_steps: int | None) -> None:
        """Calls the monitor's `begin`, which may still add ops to the graph.

        Args:
            max_steps: The global step at which training will end, if that is known.
        """
        self.monitor.begin(max_steps=max_steps)
        self._begun = True

    def set_session(self, session: Any) -> None:
        """The session that is the default one while the monitor runs, and that it is given."""
        self._session = session

    def next_step(self, step: int) -> float:
        return next_step(self.monitor, step)

    def on_step_begin(self, step: int) -> list[Any]:
        self._watched = step
        with self._default_session():
            return _as_list(self.monitor.step_begin(step))

    def on_step_end(self, step: int, outputs: Mapping[Any, Any]) -> bool:
        with self._default_session():
            return bool(self.monitor.step_end(step, outputs))

    def on_steps_end(self, steps: Steps) -> None:
        if self._watched is not None:
            step, self._watched = self._watched, None
            self._call_if_there("post_step", step, self._session)
        else:
            self._call_if_there("steps_passed", steps.last)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self._begun:
            return
        self._begun = False
        with self._default_session():
            if _takes_session(self.monitor.end):
                self.monitor.end(session=self._session)
            else:
                self.monitor.end()

    def _call_if_there(self, name: str, *arguments: Any) -> None:
        method = getattr(self.monitor, name, None)  # a monitor need not descend from BaseMonitor
        if method is not None:
            with self._default_session():
                method(*arguments)

    def _default_session(self) -> AbstractContextManager[Any]:
        return self._session.as_default() if self._session is not None else nullcontext()


def _as_list(requests: Any) -> list[Any]:
    """Monitors return a list, a tuple, one tensor or name, `{}` or `None`."""
    if requests is None:
        return []
    if isinstance(requests, Iterable) and not isinstance(requests, str) and not hasattr(requests, "graph"):
        return list(requests)
    return [requests]


def _takes_session(end: Any) -> bool:
    parameters = inspect.signature(end).parameters.values()
    return any(p.name == "session" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
