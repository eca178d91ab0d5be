"""Trains by `keras.Model.fit`."""

from __future__ import annotations

from typing import Any

import keras

from clock import Clock
from workloads import WORKLOADS, graphs, keras_models


class ClockCallback(keras.callbacks.Callback):
    """Tells the clock of each execution, before the next one begins.

    Overriding `on_train_batch_end` would cost more: Keras then calls its own callbacks at once, too.
    """

    def __init__(self, clock: Clock):
        super().__init__()
        self._clock = clock

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if batch and self._clock.tell(batch):
            self.model.stop_training = True


def train(name: str, clock: Clock, output_dir: str, **compile_options: Any) -> None:
    """Trains a workload until the clock stops it."""
    model = keras_models.build(name, **compile_options)
    # Endless data in one epoch: this is `fit` at its best.
    data = graphs.batches(name) if WORKLOADS[name].source == "feed" else graphs.dataset(name)
    clock.start()
    model.fit(data, steps_per_epoch=clock.target, callbacks=[ClockCallback(clock)])
