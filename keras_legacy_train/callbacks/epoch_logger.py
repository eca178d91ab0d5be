"""Prints a line for each epoch."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from keras_legacy_train.loop.callback import LoopCallback


class EpochLogger(LoopCallback):
    """Prints `Epoch 2/10 - 3s - loss: 0.2501 - accuracy: 0.9100`, as `keras.Model.fit(verbose=2)` does."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        seconds = time.monotonic() - self._began
        number = f"Epoch {epoch + 1}/{self.params['epochs']}"
        values = [f"{name}: {value:.4f}" for name, value in (logs or {}).items() if isinstance(value, float)]
        print(" - ".join([number, f"{seconds:.0f}s", *values]), file=sys.stdout, flush=True)
