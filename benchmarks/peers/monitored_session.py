"""Trains by a loop around `tf.compat.v1.train.MonitoredTrainingSession`, which TensorFlow still has."""

from __future__ import annotations

import itertools

import tensorflow.compat.v1 as tf

from clock import Clock
from workloads import graphs


def train(name: str, clock: Clock, output_dir: str) -> None:
    """Trains a workload until the clock stops it."""
    tf.logging.set_verbosity(tf.logging.INFO)
    job = graphs.build(name)
    with job.graph.as_default():
        clock.start()
        with tf.train.MonitoredTrainingSession(checkpoint_dir=output_dir) as session:
            for step in itertools.count(1):
                session.run([job.train_op, job.loss], job.feed_fn() if job.feed_fn else None)
                if clock.tell(step):
                    break
