"""Trains by `keras_legacy_train.train`, at all defaults or without logs, monitors and summaries."""

from __future__ import annotations

import logging
from typing import Any

from clock import Clock
from keras_legacy_train import callbacks, monitors
from keras_legacy_train import train as klt_train
from workloads import graphs


class ClockCallback(callbacks.LoopCallback):
    """Tells the clock of each window; requests no step, so that windows are as long as without it."""

    def __init__(self, clock: Clock):
        super().__init__()
        self._clock = clock

    def on_steps_end(self, steps: Any) -> None:
        if self._clock.tell(steps.last):
            self.model.stop_training = True


def train(name: str, clock: Clock, output_dir: str, bare: bool = False, **options: Any) -> None:
    """Trains a workload until the clock stops it.

    Args:
        name: The workload.
        clock: Measures the training.
        output_dir: The directory of checkpoints and summaries.
        bare: Whether to train without logs, monitors, summaries and the progress bar.
        **options: Further arguments of `keras_legacy_train.train`.
    """
    if bare:
        options.update(
            monitors=[monitors.BaseMonitor()],
            log_every_steps=None,
            supervisor_save_summaries_steps=None,
            progress_bar=False,
        )
    else:
        logging.basicConfig(level=logging.INFO)
    job = graphs.build(name)
    watch = ClockCallback(clock)
    clock.start()
    klt_train(
        job.graph,
        output_dir,
        job.train_op,
        job.loss,
        feed_fn=job.feed_fn,
        callbacks=[watch],
        steps=clock.target,
        **options,
    )
