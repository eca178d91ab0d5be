"""Trains by `tf.estimator.Estimator.train` of TensorFlow 2.15.1, the last version that has it."""

from __future__ import annotations

from typing import Any

import tensorflow.compat.v1 as tf

from clock import Clock
from workloads import WORKLOADS, graphs


class ClockHook(tf.train.SessionRunHook):
    """Tells the clock of each step."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._steps = 0

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self._steps += 1
        if self._clock.tell(self._steps):
            run_context.request_stop()


class FeedHook(tf.train.SessionRunHook):
    """Feeds each step; an Estimator has no `feed_fn`."""

    def __init__(self, feed_fn: Any):
        self._feed_fn = feed_fn

    def before_run(self, run_context: Any) -> tf.train.SessionRunArgs:
        return tf.train.SessionRunArgs(None, self._feed_fn())


def train(name: str, clock: Clock, output_dir: str) -> None:
    """Trains a workload until the clock stops it."""
    tf.logging.set_verbosity(tf.logging.INFO)
    is_fed = WORKLOADS[name].source == "feed"

    def input_fn() -> Any:
        return graphs.dataset(name) if WORKLOADS[name].has_dataset else graphs.inputs(name)

    def model_fn(features: tf.Tensor, labels: tf.Tensor, mode: str) -> tf.estimator.EstimatorSpec:
        loss = graphs.loss(name, features, labels)
        train_op = graphs.minimize(name, loss)
        hooks = [FeedHook(graphs.feeder(name, features, labels))] if is_fed else []
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, training_hooks=hooks)

    estimator = tf.estimator.Estimator(model_fn, output_dir)
    clock.start()
    estimator.train(input_fn, hooks=[ClockHook(clock)], steps=clock.target)
