"""Trains without end, gets a signal at step 50, and prints how the run ended. Run by test_endings.py.

    python signalled_run.py OUTPUT_DIR SIGNAL_NUMBER SENDER

SENDER says what goes on when the signal comes: "window" (an unwatched step), "watched step" or "feed_fn".
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from keras_legacy_train import monitors, train

v1 = tf.compat.v1

SIGNAL_AT = 50


class CountsEnds(monitors.BaseMonitor):
    ends = 0

    def end(self, session: Any = None) -> None:
        super().end(session)
        self.ends += 1


class Watches(CountsEnds):
    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        return False


def main(output_dir: str, signal_number: int, sender: str) -> None:
    def send() -> np.float32:
        os.kill(os.getpid(), signal_number)
        return np.float32(0)

    fed = 0

    def feed_fn() -> dict[tf.Tensor, float]:
        nonlocal fed
        fed += 1
        if fed == SIGNAL_AT:
            send()
        return {x: 0.0}

    with tf.Graph().as_default() as graph:
        step = v1.train.get_or_create_global_step()
        runs = v1.get_variable("runs", [], tf.int64, initializer=v1.zeros_initializer())
        x = v1.placeholder_with_default(0.0, [])
        in_graph = tf.equal(step, SIGNAL_AT - 1) & (sender != "feed_fn")
        sent = tf.cond(in_graph, lambda: v1.py_func(send, [], tf.float32), lambda: 0.0)
        loss = tf.ensure_shape(sent, []) + x
        with tf.control_dependencies([loss, v1.assign_add(runs, 1)]):
            train_op = v1.assign_add(step, 1).op

    monitor = Watches() if sender == "watched step" else CountsEnds()

    def earlier_handler(number: int, frame: FrameType | None) -> None:
        raise AssertionError("the handler of train() should have been called")

    if signal_number == signal.SIGTERM:
        signal.signal(signal_number, earlier_handler)
    before = signal.getsignal(signal_number)
    try:
        train(
            graph,
            output_dir,
            train_op,
            loss,
            monitors=[monitor],
            feed_fn=feed_fn if sender == "feed_fn" else None,
        )
        print("ended by itself")
    except KeyboardInterrupt:
        print("ended by KeyboardInterrupt")
    except SystemExit as error:
        print("ended by SystemExit", error.code)
    print("end called", monitor.ends, "time" if monitor.ends == 1 else "times")
    print("earlier handler", "restored" if signal.getsignal(signal_number) is before else "lost")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
