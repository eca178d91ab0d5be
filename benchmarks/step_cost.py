"""Time per step on a small graph: `train` against the Session loop that the original ran.

The original called `Session.run` twice a step, once for `train_op` and the loss and once for the global step.
Here both run in turns in one process, so that each sees the same machine; printed are medians over the turns.

    python benchmarks/step_cost.py --steps 2000 --turns 9
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_legacy_train import monitors, train

v1 = tf.compat.v1


class Job(NamedTuple):
    """A graph and what a step of it needs."""

    graph: tf.Graph
    train_op: tf.Operation
    loss: tf.Tensor
    global_step: tf.Tensor
    feed_fn: Callable[[], dict[tf.Tensor, np.ndarray]] | None


def build(optimizer: str, is_fed: bool) -> Job:
    """A linear model of 8 inputs on a batch of 64, from a constant or from placeholders."""
    rng = np.random.RandomState(0)
    x, y = rng.randn(64, 8).astype("float32"), rng.randn(64, 1).astype("float32")
    with tf.Graph().as_default() as graph:
        feed_fn = None
        if is_fed:
            x_in, y_in = v1.placeholder(tf.float32, [None, 8]), v1.placeholder(tf.float32, [None, 1])

            def feed_fn() -> dict[tf.Tensor, np.ndarray]:
                return {x_in: x, y_in: y}
        else:
            x_in, y_in = tf.constant(x), tf.constant(y)
        w = v1.get_variable("w", [8, 1])
        b = v1.get_variable("b", [1])
        loss = tf.reduce_mean(tf.square(tf.matmul(x_in, w) + b - y_in))
        step = v1.train.get_or_create_global_step()
        optimizers = {"adam": v1.train.AdamOptimizer, "sgd": v1.train.GradientDescentOptimizer}
        train_op = optimizers[optimizer](0.01).minimize(loss, global_step=step)
        return Job(graph, train_op, loss, tf.convert_to_tensor(step), feed_fn)


class SessionLoop:
    """The steps of the original's loop."""

    def __init__(self, job: Job):
        self._job = job
        self._session = v1.Session(graph=job.graph)
        with job.graph.as_default():
            self._session.run(v1.global_variables_initializer())

    def seconds_per_step(self, steps: int) -> float:
        job = self._job
        began = time.perf_counter()
        for _ in range(steps):
            feed = job.feed_fn() if job.feed_fn else None
            self._session.run([job.train_op, job.loss], feed)
            self._session.run(job.global_step)
        return (time.perf_counter() - began) / steps


class TakeTurns(monitors.EveryN):
    """Stops the clock every `steps` steps of `train` and lets the Session run as many.

    The first turn warms both up and does not count.
    """

    def __init__(self, steps: int, session_loop: SessionLoop):
        super().__init__(every_n_steps=steps)
        self._steps = steps
        self._session_loop = session_loop
        self._began: float | None = None
        self.ours: list[float] = []
        self.sessions: list[float] = []

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> None:
        if self._began is not None:
            self.ours.append((time.perf_counter() - self._began) / self._steps)
        self.sessions.append(self._session_loop.seconds_per_step(self._steps))
        self._began = time.perf_counter()


def compare(name: str, optimizer: str, is_fed: bool, steps: int, turns: int, **options: Any) -> None:
    """Prints one line: µs a step of each, and how many times faster `train` is."""
    job = build(optimizer, is_fed)
    clock = TakeTurns(steps, SessionLoop(build(optimizer, is_fed)))
    with tempfile.TemporaryDirectory() as output_dir:
        train(
            job.graph,
            output_dir,
            job.train_op,
            job.loss,
            feed_fn=job.feed_fn,
            steps=steps * (turns + 1) + 1,
            monitors=[clock],
            progress_bar=False,
            **options,
        )
    ours = statistics.median(clock.ours[1:])
    session = statistics.median(clock.sessions[1:])
    print(
        f"{name:<28}{optimizer:<6}{ours * 1e6:>10.1f}{session * 1e6:>12.1f}{session / ours:>9.1f}x",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000, help="steps of each turn")
    parser.add_argument("--turns", type=int, default=9, help="turns that count")
    arguments = parser.parse_args()
    print(f"{'':<34}{'train, µs':>10}{'Session, µs':>12}{'faster':>10}")
    for optimizer in ("adam", "sgd"):
        size = {"steps": arguments.steps, "turns": arguments.turns}
        compare("windows", optimizer, False, **size)
        compare("windows, jit_compile=True", optimizer, False, jit_compile=True, **size)
        compare("feed_fn", optimizer, True, **size)


if __name__ == "__main__":
    main()
