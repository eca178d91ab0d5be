"""Trains, and is killed by SIGKILL after step 7: `python killed_run.py OUTPUT_DIR`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import tensorflow.compat.v1 as tf

from keras_legacy_train import monitors, train


class KillAt(monitors.BaseMonitor):
    def step_end(self, step: int, output: dict[Any, Any]) -> bool | None:
        if step == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step_end(step, output)


with tf.Graph().as_default() as graph:
    w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
    loss = tf.square(w - 1.0)
    train_op = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, tf.train.get_or_create_global_step())
watchers = [KillAt()] if len(sys.argv) == 2 else [monitors.StopAtStep(last_step=10)]
train(graph, sys.argv[1], train_op, loss, monitors=watchers, supervisor_save_model_secs=1e-6)
