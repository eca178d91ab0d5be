"""A user's Keras callback in the loop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from keras_legacy_train.callbacks.base import LoopCallback
from keras_legacy_train.programs.base import Steps

_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


class KerasAdapter(LoopCallback):
    """Calls any Keras callback: the whole run is its epoch 0, a batch is a step, counted from 0 as Keras
    does.

    One that overrides a batch hook is called at every step.

    Args:
        callback: The Keras callback.
    """

    def __init__(self, callback: keras.callbacks.Callback):
        super().__init__()
        self.callback = callback
        self._watches = any(_overrides(callback, hook) for hook in _BATCH_HOOKS)
        self._loss: Any = None

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self.callback.set_model(model)

    def set_params(self, params: Mapping[str, Any]) -> None:
        super().set_params(params)
        self.callback.set_params(params)

    def next_step(self, step: int) -> float:
        return step + 1 if self._watches else math.inf

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.callback.on_train_begin()
        self.callback.on_epoch_begin(0)

    def on_step_begin(self, step: int) -> tuple[()]:
        if self._watches:
            self.callback.on_train_batch_begin(step - 1)
        return ()

    def on_steps_end(self, steps: Steps) -> None:
        self._loss = steps.losses[-1]
        if self._watches:
            self.callback.on_train_batch_end(int(steps.begun[-1]) - 1, self._logs())

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self.callback.on_epoch_end(0, self._logs())
        self.callback.on_train_end(self._logs())

    def _logs(self) -> dict[str, float]:
        return {} if self._loss is None else {"loss": float(self._loss)}


def _overrides(callback: keras.callbacks.Callback, hook: str) -> bool:
    # LambdaCallback sets its hooks on the instance.
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(
        keras.callbacks.Callback, hook
    )
