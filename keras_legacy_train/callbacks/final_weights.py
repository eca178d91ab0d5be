"""The weights as an optimizer leaves them when training is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_legacy_train.callbacks.base import LoopCallback
from keras_legacy_train.loop.stop import StopReason


class FinalWeights(LoopCallback):
    """Has an optimizer finish, as `keras.Model.fit` does: one with `use_ema` puts its averages in place.

    The last checkpoint has been saved before, with the weights that training goes on with.

    Args:
        optimizer: The optimizer.
        variables: What it trains.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, variables: Sequence[Any]):
        super().__init__()
        self._optimizer = optimizer
        self._variables = variables
        self._failed = False

    def on_loop_end(self, reason: StopReason) -> None:
        self._failed = reason in (StopReason.NAN, StopReason.INTERRUPTED, StopReason.ERROR)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if not self._failed:
            self._optimizer.finalize_variable_values(self._variables)
