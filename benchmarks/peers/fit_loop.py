"""Trains by `keras_legacy_train.fit`, at all defaults."""

from __future__ import annotations

import logging

from clock import Clock
from keras_legacy_train import fit
from peers.train_loop import ClockCallback
from workloads import WORKLOADS, graphs, keras_models


def train(name: str, clock: Clock, output_dir: str) -> None:
    """Trains a workload until the clock stops it."""
    logging.basicConfig(level=logging.INFO)
    model = keras_models.build(name)
    data = graphs.batches(name) if WORKLOADS[name].source == "feed" else graphs.dataset(name)
    clock.start()
    fit(model, data, output_dir=output_dir, callbacks=[ClockCallback(clock)], steps=clock.target)
