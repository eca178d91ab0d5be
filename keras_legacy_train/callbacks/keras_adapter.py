"""Calls a user's Keras callback in the loop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from keras_legacy_train import _keras
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.progress import Progress
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.programs.logs import python_logs

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


class KerasAdapter(LoopCallback):
    """Calls any Keras callback. A batch is a step, counted from 0 in each epoch as Keras does.

    One that overrides a batch hook is called at every step.

    Args:
        callback: The Keras callback.
        progress: Where the training stands.

    Attributes:
        was_there: Whether it was there in an earlier run, from whose checkpoint this one goes on.
    """

    def __init__(self, callback: keras.callbacks.Callback, progress: Progress):
        super().__init__()
        self.callback = callback
        self._progress = progress
        self._watches = any(_overrides(callback, hook) for hook in _BATCH_HOOKS)
        self._last_logs: Mapping[str, Any] | None = None
        self.was_there = False
        self._failed = False

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self.callback.set_model(model)
        _keras.write_no_train_graph(self.callback)

    def set_params(self, params: Mapping[str, Any]) -> None:
        super().set_params(params)
        self.callback.set_params(params)

    def next_step(self, step: int) -> float:
        return step + 1 if self._watches else math.inf

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.callback.on_train_begin({})  # a LambdaCallback insists on the logs
        if isinstance(self.callback, keras.callbacks.BackupAndRestore):
            self._progress.epoch = max(self._progress.epoch, _keras.initial_epoch(self.model))

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        # The earlier run has set the learning rate of this epoch, and the checkpoint holds it.
        sets_rate = isinstance(self.callback, keras.callbacks.LearningRateScheduler)
        if not (sets_rate and self.was_there and self._progress.continues_epoch):
            self.callback.on_epoch_begin(epoch, {})

    def on_step_begin(self, step: int) -> tuple[()]:
        if self._watches:
            self.callback.on_train_batch_begin(self._batch(step), {})
        return ()

    def on_steps_end(self, steps: Steps) -> None:
        if self._watches:
            batch = self._batch(int(steps.started[-1]))
            self.callback.on_train_batch_end(batch, python_logs(steps.logs or {}))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.callback.on_epoch_end(epoch, logs)
        self._last_logs = logs

    def on_loop_end(self, reason: StopReason) -> None:
        self._failed = reason.failed

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        # It would delete what the next run is to begin with.
        if not (self._failed and isinstance(self.callback, keras.callbacks.BackupAndRestore)):
            self.callback.on_train_end(self._last_logs or {})

    def _batch(self, step: int) -> int:
        return step - 1 - self._progress.epoch_start


def _overrides(callback: keras.callbacks.Callback, hook: str) -> bool:
    # LambdaCallback sets its hooks on the instance.
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(
        keras.callbacks.Callback, hook
    )


def as_loop_callback(callback: keras.callbacks.Callback, progress: Progress) -> LoopCallback:
    """Returns a user's callback as the loop calls it."""
    return callback if isinstance(callback, LoopCallback) else KerasAdapter(callback, progress)
