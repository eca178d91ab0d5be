"""Lets callbacks of the loop work in `keras.Model.fit`, which has batch hooks only.

It does not tell its callbacks the number of a step, nor its loss before other callbacks have acted on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.programs.named_values import NamedValues, trained_variables

Check = Callable[[Mapping[str, Any]], None]


class FitSteps:
    """Counts steps over all epochs, where `keras.Model.fit` counts batches by the epoch.

    With `steps_per_execution` a call may run fewer steps than that at the end of an epoch, and early versions
    of Keras 3 tell nobody of these last ones.

    Attributes:
        done: The steps that have been run.
        coming: The last step of the call that is on.
    """

    def __init__(self) -> None:
        self.done = 0
        self.coming = 0
        self._epoch_end = math.inf

    def begin_epoch(self, length: int | None) -> None:
        """Begins an epoch of `length` steps; `None` if that is not known."""
        self._epoch_end = self.done + (length or math.inf)

    def begin(self, at_most: int) -> int:
        """Begins a call that runs `at_most` steps. Returns the number of the last of them."""
        self.coming = int(max(self.done + 1, min(self.done + at_most, self._epoch_end)))
        return self.coming

    def end(self) -> int:
        """Ends the call. Returns the number of steps that had been run before it."""
        before, self.done = self.done, self.coming
        return before

    def end_epoch(self, stopped: bool) -> None:
        """Ends the epoch; `stopped` says whether somebody has ended it early."""
        if not stopped and not math.isinf(self._epoch_end):
            self.done = int(self._epoch_end)


class ModelFitCallback(LoopCallback):
    """Calls its own step hooks where `keras.Model.fit` calls batch hooks.

    With `steps_per_execution` the last of the steps that run together is seen, the others are not. Losses are
    means over the epoch so far, as `keras.Model.fit` tells them.

    Attributes:
        fit_steps: The steps in `keras.Model.fit`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fit_steps = FitSteps()
        self._requests: list[Any] | None = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.fit_steps.begin_epoch((self.params or {}).get("steps"))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.fit_steps.end_epoch(stopped=self.model is not None and self.model.stop_training)

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called by `keras.Model.fit` only, before one or several steps."""
        coming = self.fit_steps.begin(self.model.steps_per_execution)
        is_due = self.next_step(self.fit_steps.done) <= coming
        self._requests = list(self.on_step_begin(coming)) if is_due else None

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called by `keras.Model.fit` only."""
        before, step = self.fit_steps.end(), self.fit_steps.done
        logs = logs or {}
        if self._requests is not None:
            outputs = model_values(self.model).outputs(self._requests, logs) if self._requests else {}
            if self.on_step_end(step, outputs):
                self.model.stop_training = True
        losses = np.array([logs.get("loss", np.nan)])
        self.on_steps_end(Steps(before, np.array([step]), losses, 0.0))


def model_values(model: keras.Model) -> NamedValues:
    """Returns the values that monitors can ask for where a compiled model is trained."""
    return NamedValues(lambda: (trained_variables(model, model.optimizer), model.optimizer))


class CheckedTrainFunction:
    """Takes the place of a model's `train_function`, to show its logs to checks before any callback.

    A callback that comes late in the list is told of a NaN when `keras.callbacks.ModelCheckpoint` has saved
    it already. No callback is told when an error ends `fit`; so the next one, which asks for the function by
    `make_train_function`, finds the original again.

    Args:
        model: The model, in `fit`.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._original = model.train_function
        self._checks: list[Check] = []
        model.train_function = self
        vars(model)["make_train_function"] = self._make  # past `__setattr__`, by which Keras would track it

    def add(self, check: Check) -> None:
        """Has a function called with the logs, once however often it is added."""
        if check not in self._checks:
            self._checks.append(check)

    def remove(self, check: Check) -> None:
        """No longer calls it. Where there is no other, the model has its own function back."""
        if check in self._checks:
            self._checks.remove(check)
        if not self._checks:
            self._restore()

    def __call__(self, iterator: Any) -> Any:
        try:
            logs = self._original(iterator)
        except (StopIteration, tf.errors.OutOfRangeError):
            self._show(self._model.get_metrics_result())  # of the steps before the end of the input
            raise
        self._show(logs)
        return logs

    def _show(self, logs: Mapping[str, Any]) -> None:
        for check in list(self._checks):
            check(logs)

    def _make(self, force: bool = False) -> Any:
        self._restore()
        return self._model.make_train_function(force)

    def _restore(self) -> None:
        vars(self._model).pop("make_train_function", None)
        if self._model.train_function is self:  # else it has been compiled anew
            self._model.train_function = self._original


def add_check(model: keras.Model, check: Check) -> None:
    """Has `check` called with the logs of each call in this `fit`, before any callback is.

    Args:
        model: The model, in `fit`.
        check: What it raises ends the training.
    """
    function = model.train_function
    checked = function if isinstance(function, CheckedTrainFunction) else CheckedTrainFunction(model)
    checked.add(check)


def remove_check(model: keras.Model | None, check: Check) -> None:
    """Takes back `add_check`, if that was called."""
    function = getattr(model, "train_function", None)
    if isinstance(function, CheckedTrainFunction):
        function.remove(check)
