"""Leaves the weights as the optimizer does when training is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.stop import StopReason


class FinalWeights(LoopCallback):
    """Has an optimizer finish, as `keras.Model.fit` does: one with `use_ema` puts its averages in place.

    The last checkpoint has been saved before, with the weights that training goes on with. Before the first
    step there are no averages yet.

    Args:
        optimizer: The optimizer of the model that is trained.
        global_step: Returns the global step now.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, global_step: Callable[[], int]):
        super().__init__()
        self._optimizer = optimizer
        self._global_step = global_step
        self._failed = False

    def on_loop_end(self, reason: StopReason) -> None:
        self._failed = reason.failed

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self._failed and self._global_step() > 0:
            optimizer = self.model.optimizer or self._optimizer  # may have been compiled with another one
            optimizer.finalize_variable_values(self.model.trainable_variables)
