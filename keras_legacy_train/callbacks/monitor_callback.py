"""Calls a monitor as a callback."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.callbacks.model_fit import ModelFitCallback, model_values
from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.monitors import scheduling
from keras_legacy_train.monitors.calls import as_requests, check_monitor, check_not_hook, end_monitor
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.programs.values_session import ValuesSession


class MonitorCallback(ModelFitCallback):
    """Calls a monitor as `tf.contrib.learn.train` did: `begin`, then at each step `step_begin`, `step_end`
    and `post_step`, and `end`.

    It also works in `keras.Model.fit`, with the requests of a Keras model: `"loss"` and metrics (which are
    means over the epoch so far there), variables by their paths, `"learning_rate"`. Steps are counted from 1
    over all epochs, and over several calls of `fit` with the same callback. With `steps_per_execution` the
    steps in between are not seen. Nobody is told when an error ends `fit`, so `end` is called at the latest
    when the next one begins.

    ```python
    import numpy as np

    from keras_legacy_train import monitors

    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    print_loss = monitors.PrintTensor(["loss"], every_n=10)
    model.fit(np.ones([8, 1]), np.ones([8, 1]), verbose=0, callbacks=[MonitorCallback(print_loss)])
    ```

    Args:
        monitor: A `monitors.BaseMonitor`, or anything with its methods.
        tell_epochs: Whether its `epoch_begin` and `epoch_end` are called, too.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(self, monitor: Any, tell_epochs: bool = True):
        super().__init__()
        if not isinstance(monitor, tf.compat.v1.train.SessionRunHook):
            check_monitor(monitor)
        self.monitor = monitor
        self._tell_epochs = arguments.as_flag("tell_epochs", tell_epochs)
        # A monitor need not descend from BaseMonitor.
        self._post_step = getattr(monitor, "post_step", None)
        self._steps_passed = getattr(monitor, "steps_passed", None)
        self._session: Any = None
        self._begun = False
        self._epoch: int | None = None
        self._watched: int | None = None
        self._in_model_fit = True

    def begin(self, max_steps: int | None) -> None:
        """Calls the monitor's `begin`, which may still add ops to the graph.

        Args:
            max_steps: The global step at which training will end, if that is known.
        """
        self.monitor.begin(max_steps=max_steps)
        self._begun = True

    def set_run(self, run: RunContext) -> None:
        self._in_model_fit = False
        self._session = run.session
        if run.is_resumed and callable(getattr(self.monitor, "resumed", None)):
            self.monitor.resumed(run.start)

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        check_not_hook(self.monitor)
        if hasattr(self.monitor, "set_model"):
            self.monitor.set_model(model)

    def next_step(self, step: int) -> float:
        return scheduling.next_step(self.monitor, step)

    @property
    def looks_back(self) -> bool:
        return scheduling.can_be_sampled(self.monitor)

    def sampling(self, step: int) -> Sampling | None:
        return self.monitor.sampling(step) if self.looks_back else None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._in_model_fit:
            self.on_train_end()  # of a fit that an error has ended: nobody has told
            self._session = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not self._begun:  # by `keras.Model.fit`; `train` and `fit` have called `begin`
            self.begin(self._last_step(epoch))
        super().on_epoch_begin(epoch, logs)
        self._end_epoch()  # of one that an error has ended
        self._epoch = epoch
        self._call_if_there("epoch_begin", epoch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        self._end_epoch()

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

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called by `keras.Model.fit` only."""
        if self._session is None:  # by now the model and its optimizer have variables
            self._session = ValuesSession(model_values(self.model))
        super().on_train_batch_end(batch, logs)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self._begun:
            return
        self._begun = False
        self._watched = None
        try:
            self._end_epoch()
        finally:
            with self._default_session():
                end_monitor(self.monitor, self._session)

    def _last_step(self, first_epoch: int) -> int | None:
        """Returns the step at which `keras.Model.fit` will end, if that is known."""
        epochs, steps = self.params["epochs"], self.params["steps"]
        return self.fit_steps.done + (epochs - first_epoch) * steps if epochs and steps else None

    def _end_epoch(self) -> None:
        if self._epoch is not None:
            epoch, self._epoch = self._epoch, None
            self._call_if_there("epoch_end", epoch)

    def _call_if_there(self, hook: str, epoch: int) -> None:
        if self._tell_epochs and hasattr(self.monitor, hook):
            with self._default_session():
                getattr(self.monitor, hook)(epoch)

    def _default_session(self) -> AbstractContextManager[Any]:
        return self._session.as_default() if self._session is not None else nullcontext()
