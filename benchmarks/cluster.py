"""Measures training on a cluster against TensorFlow 1.15.5, on the loopback address.

    python benchmarks/cluster.py                          # both programs and works; alone, 1, 2 and 4 workers
    python benchmarks/cluster.py --workers 1 2 --work small --steps 2000

Each measurement runs one parameter server and the workers as processes of their own. Prints a line of JSON
for each number of workers: the steps of all workers together in a second, by program, and their ratio.
"small" is a linear model on batches of 32, "large" a network of two layers of 1,024 units on batches of 256.
"alone" is the same training in one process, without a cluster: the difference is what the cluster costs.
"processor" has the milliseconds of processor time that a step takes in all processes together (on Linux). On
a machine with other work, they tell more than the pace does.

TensorFlow 1.15.5 trains by `MonitoredTrainingSession`. This file also runs under Python 3.7.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WORKS = ("small", "large")
WARM_UP_STEPS = 200


def build(tf: Any, work: str, worker: int) -> Any:
    """Builds the training graph; returns its train op, its loss and its global step."""
    step = tf.train.get_or_create_global_step()
    rows, width, units = (32, 10, []) if work == "small" else (256, 784, [1024, 1024])
    x = tf.random_uniform([rows, width], seed=worker + 1)
    outputs = x
    for number, size in enumerate([*units, 1]):
        weights = tf.get_variable(f"w{number}", [int(outputs.shape[1]), size])
        outputs = tf.matmul(outputs, weights) + tf.get_variable(f"b{number}", [size])
        outputs = outputs if size == 1 else tf.nn.relu(outputs)
    loss = tf.reduce_mean(tf.square(outputs - tf.reduce_sum(x, 1, keepdims=True)))
    rate = 1e-4 if work == "small" else 1e-8  # a large loss: with more it is soon NaN
    return tf.train.GradientDescentOptimizer(rate).minimize(loss, step), loss, step


class Pace(logging.Handler):
    """Notes when which step was done, as the log tells it, and what processor time was taken until then."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[float, int, float]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Notes the step of a record, if it is one of a step."""
        if str(record.msg).startswith("training step"):
            self.note(int(record.args[0]))  # type: ignore[index,arg-type]

    def note(self, step: int) -> None:
        """Notes a step after the warm-up, if a moment has passed since the last."""
        now = time.time()
        if step >= WARM_UP_STEPS and (not self.notes or now - self.notes[-1][0] > 0.02):
            self.notes.append((now, step, processor_seconds()))

    def report(self) -> dict[str, float]:
        """Returns the pace, and the processor time of a step."""
        (began, first, used_before), (ended, last, used) = self.notes[0], self.notes[-1]
        steps = last - first
        return {"steps a second": steps / (ended - began), "processor": 1e3 * (used - used_before) / steps}


def processor_seconds() -> float:
    """Returns the processor time that this process and those started beside it have taken."""
    ticks = 0
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path) as file:
            values = file.read().rpartition(")")[2].split()
            if int(values[1]) == os.getppid():
                ticks += int(values[11]) + int(values[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def train_ours(directory: str, work: str, worker: int, steps: int, servers: list[str]) -> Pace:
    """Trains by `keras_legacy_train`; without servers, in this process."""
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import train

    pace = Pace()
    logger = logging.getLogger("keras_legacy_train")
    logger.setLevel(logging.INFO)
    logger.addHandler(pace)
    place = tf.train.replica_device_setter(1) if servers else contextlib.nullcontext()
    with tf.Graph().as_default() as graph, tf.device(place) if servers else place:
        train_op, loss, _ = build(tf, work, worker)
        train(
            graph,
            directory,
            train_op,
            loss,
            supervisor_is_chief=worker == 0,
            log_every_steps=50,
            monitors=[],
            max_steps=steps,
            cluster={"ps": servers} if servers else None,
        )
    return pace


def train_tf1(directory: str, work: str, worker: int, steps: int, servers: list[str]) -> Pace:
    """Trains by `MonitoredTrainingSession` of TensorFlow 1.15.5; without servers, in this process."""
    import tensorflow as tf

    pace = Pace()
    target, place = "", None
    if servers:
        spec = tf.train.ClusterSpec({"ps": servers, "worker": os.environ["BENCHMARK_WORKERS"].split(",")})
        target = tf.train.Server(spec, "worker", worker).target
        place = tf.train.replica_device_setter(1, worker_device=f"/job:worker/task:{worker}")
    config = tf.ConfigProto(device_filters=["/job:ps", f"/job:worker/task:{worker}"])
    with tf.Graph().as_default(), tf.device(place):
        train_op, _loss, step = build(tf, work, worker)
        with tf.train.MonitoredTrainingSession(
            target, worker == 0, directory, hooks=[tf.train.StopAtStepHook(last_step=steps)], config=config
        ) as session:
            while not session.should_stop():
                _, number = session.run([train_op, step])
                pace.note(number)
    return pace


def serve(program: str, address: str, workers: list[str]) -> None:
    """Runs a parameter server."""
    if program == "ours":
        os.environ["TF_CONFIG"] = json.dumps(
            {"cluster": {"ps": [address]}, "task": {"type": "ps", "index": 0}}
        )
        from keras_legacy_train import cluster

        cluster.serve()
    else:
        import tensorflow as tf

        tf.train.Server(tf.train.ClusterSpec({"ps": [address], "worker": workers}), "ps", 0).join()


def free_addresses(number: int) -> list[str]:
    """Returns addresses at which nothing listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(contextlib.closing(socket.socket())) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


@contextlib.contextmanager
def running(python: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Runs this file in a process of its own, and kills it in the end."""
    process = subprocess.Popen(
        [python, __file__, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def measure(program: str, python: str, work: str, workers: int, steps: int) -> dict[str, float]:
    """Returns what a worker reports of all of them; `workers` is 0 for none and no cluster."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        task = ["--program", program, "--work", work, "--steps", str(steps), "--directory", directory]
        server, *places = free_addresses(1 + max(workers, 1))
        os.environ["BENCHMARK_WORKERS"] = ",".join(places)
        if workers:
            task += ["--servers", server]
            stack.enter_context(running(python, *task, "--task", "ps"))
        processes = [
            stack.enter_context(running(python, *task, "--task", str(worker)))
            for worker in range(max(workers, 1))
        ]
        outputs = [process.communicate()[0] for process in processes]
        report: dict[str, float] = json.loads(outputs[0].splitlines()[-1])
        return report


def main() -> None:
    """Runs the measurements, or one process of one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", nargs="*", default=WORKS, choices=WORKS)
    parser.add_argument("--workers", nargs="*", type=int, default=[0, 1, 2, 4])
    parser.add_argument("--steps", type=int, default=0, help="by default as many as take some seconds")
    for name in ("--program", "--directory", "--task", "--servers"):
        parser.add_argument(name, default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    servers = [given.servers] if given.servers else []
    if given.task == "ps":
        serve(given.program, given.servers, os.environ["BENCHMARK_WORKERS"].split(","))
    elif given.task:
        train = train_ours if given.program == "ours" else train_tf1
        pace = train(given.directory, given.work[0], int(given.task), given.steps, servers)
        print(json.dumps(pace.report()))
    else:
        import environments

        pythons = {"ours": sys.executable, "tf1": environments.interpreter("tf1")}
        for work in given.work:
            for workers in given.workers:
                steps = given.steps or (3_000 if work == "small" else 600)
                reports = {
                    program: measure(program, python, work, workers, steps)
                    for program, python in pythons.items()
                }
                paces = {program: round(each["steps a second"], 1) for program, each in reports.items()}
                line = {"work": work, "workers": workers or "alone", **paces}
                line["ratio"] = round(paces["ours"] / paces["tf1"], 2)
                line["processor"] = {
                    program: round(each["processor"], 2) for program, each in reports.items()
                }
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
