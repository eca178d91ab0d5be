"""Runs session hooks in a MonitoredSession, and makes a graph whose input can be fed."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import graphs
from helpers import Job

v1 = tf.compat.v1
hooks = v1.train


def run_monitored(job: Job, hook: Any, steps: int) -> None:
    """Trains as a MonitoredSession does, until the global step is `steps`."""
    with job.graph.as_default():
        creator = hooks.ChiefSessionCreator()
        # Its own hook comes last, so that the other sees every step.
        chosen = [hook, hooks.StopAtStepHook(last_step=steps)]
        with hooks.MonitoredSession(session_creator=creator, hooks=chosen) as session:
            while not session.should_stop():
                session.run([job.train_op, job.loss])


def feedable() -> Job:
    """Builds a graph whose loss is the sum of `x` and `y`, which can be fed."""

    def build() -> Any:
        x = v1.placeholder_with_default(tf.constant(1.0), [], name="x")
        y = v1.placeholder_with_default(tf.constant(10.0), [], name="y")
        step = v1.train.get_or_create_global_step()
        with tf.control_dependencies([x + y]):
            train_op = v1.assign_add(step, 1)
        return train_op, tf.add(x, y, name="loss")

    return graphs.job(build)
