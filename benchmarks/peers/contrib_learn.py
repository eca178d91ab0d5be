"""Trains by `tf.contrib.learn.train` of TensorFlow 1.15.5, the original. Runs under Python 3.7."""

from __future__ import annotations

from typing import Any

import tensorflow.compat.v1 as tf
from tensorflow.contrib import learn

from clock import Clock
from workloads import graphs


class ClockMonitor(learn.monitors.BaseMonitor):
    """Tells the clock of each step."""

    def __init__(self, clock: Clock):
        super().__init__()
        self._clock = clock

    def step_end(self, step: int, output: Any) -> bool:
        return self._clock.tell(step)


def train(name: str, clock: Clock, output_dir: str) -> None:
    """Trains a workload until the clock stops it."""
    tf.logging.set_verbosity(tf.logging.INFO)
    job = graphs.build(name)
    with job.graph.as_default():
        # What `train` uses if it is given no monitors.
        monitors = learn.monitors.get_default_monitors(
            loss_op=job.loss,
            summary_op=tf.summary.merge_all(),
            save_summary_steps=100,
            summary_writer=learn.graph_actions.get_summary_writer(output_dir),
        )
    monitors.append(ClockMonitor(clock))
    clock.start()
    learn.graph_actions.train(
        job.graph,
        output_dir,
        job.train_op,
        job.loss,
        feed_fn=job.feed_fn,
        monitors=monitors,
        steps=clock.target,
    )
