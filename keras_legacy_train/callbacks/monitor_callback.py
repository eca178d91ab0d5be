"""A monitor as a callback."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

from keras_legacy_train.callbacks.base import LoopCallback
from keras_legacy_train.monitors.calls import as_requests, end
from keras_legacy_train.monitors.schedule import next_step
from keras_legacy_train.programs.base import Steps


class MonitorCallback(LoopCallback):
    """Calls a monitor as `tf.contrib.learn.train` did: `begin`, then at each step `step_begin`, `step_end`
    and `post_step`, and `end`.

    Args:
        monitor: A `monitors.BaseMonitor`, or anything with its methods.
        tell_epochs: Whether its `epoch_begin` and `epoch_end` are called, too.
    """

    def __init__(self, monitor: Any, tell_epochs: bool = True):
        super().__init__()
        self.monitor = monitor
        self._tell_epochs = tell_epochs
        # A monitor need not descend from BaseMonitor.
        self._post_step = getattr(monitor, "post_step", None)
        self._steps_passed = getattr(monitor, "steps_passed", None)
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

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        if hasattr(self.monitor, "set_model"):
            self.monitor.set_model(model)

    def set_session(self, session: Any) -> None:
        """The session that is the default one while the monitor runs, and that it is given."""
        self._session = session

    def next_step(self, step: int) -> float:
        return next_step(self.monitor, step)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call_if_there("epoch_begin", epoch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call_if_there("epoch_end", epoch)

    def on_step_begin(self, step: int) -> list[Any]:
        self._watched = step
        with self._default_session():
            return as_requests(self.monitor.step_begin(step))

    def on_step_end(self, step: int, outputs: Mapping[Any, Any]) -> bool:
        with self._default_session():
            return bool(self.monitor.step_end(step, outputs))

    def on_steps_end(self, steps: Steps) -> None:
        if self._watched is not None:
            step, self._watched = self._watched, None
            if self._post_step is not None:
                with self._default_session():
                    self._post_step(step, self._session)
        elif self._steps_passed is not None:
            self._steps_passed(steps.last)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self._begun:
            return
        self._begun = False
        with self._default_session():
            end(self.monitor, self._session)

    def _call_if_there(self, hook: str, epoch: int) -> None:
        if self._tell_epochs and hasattr(self.monitor, hook):
            with self._default_session():
                getattr(self.monitor, hook)(epoch)

    def _default_session(self) -> AbstractContextManager[Any]:
        return self._session.as_default() if self._session is not None else nullcontext()
