"""What `train` costs besides steps: starting with large graphs, importing, long runs, checkpoints.

    python benchmarks/costs.py start                 # graphs of 1,000, 10,000 and 100,000 nodes
    python benchmarks/costs.py import
    python benchmarks/costs.py memory                # 1,000,000 steps
    python benchmarks/costs.py checkpoints           # 1 GB every 30 s; needs 4 GB of memory and of disk
    python benchmarks/costs.py copies                # of 1 GB while it is saved
    python benchmarks/costs.py calls                 # 500 calls in one process; needs glibc

Each measurement is a process of its own, and prints one line of JSON.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import ctypes
import gc
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def start(nodes: int = 1_000) -> dict[str, Any]:
    """Seconds from calling `train` at its defaults until the first step, and the first window, are done."""
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import callbacks, train

    class Arrivals(callbacks.LoopCallback):
        """Notes when a step of its own and a window are done for the first time."""

        def __init__(self) -> None:
            super().__init__()
            self.step = self.window = 0.0

        def on_steps_end(self, steps: Any) -> None:
            now = time.perf_counter()
            if len(steps) == 1:
                self.step = self.step or now
            else:
                self.window = self.window or now

    graph, train_op, loss = _deep_graph(tf, nodes)
    arrivals = Arrivals()
    with tempfile.TemporaryDirectory() as output_dir:
        called = time.perf_counter()
        train(graph, output_dir, train_op, loss, callbacks=[arrivals], steps=60, progress_bar=False)
    return {
        "nodes": len(graph.get_operations()),
        "first_step_seconds": arrivals.step - called,
        "first_window_seconds": arrivals.window - called,
    }


def _deep_graph(tf: Any, nodes: int) -> tuple[Any, Any, Any]:
    """A chain of layers over sixteen variables, of about so many nodes with its gradient."""
    with tf.Graph().as_default() as graph:
        weights = [tf.get_variable(f"weight{index}", [4]) for index in range(16)]
        hidden = tf.ones([4])
        while len(graph.get_operations()) < nodes / 3:  # the gradient has two for each of them
            for weight in weights:
                hidden = tf.tanh(hidden * weight)
        loss = tf.reduce_mean(hidden)
        step = tf.train.get_or_create_global_step()
        train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)
    return graph, train_op, loss


def importing() -> dict[str, Any]:
    """Seconds that importing the package adds to importing TensorFlow and Keras."""
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    began = time.perf_counter()
    import keras_legacy_train  # noqa: F401

    return {"seconds": time.perf_counter() - began}


def memory(steps: int = 1_000_000, samples: int = 10) -> dict[str, Any]:
    """Megabytes in use while a linear model trains with the default monitors and a checkpoint each second."""
    from keras_legacy_train import callbacks, train
    from workloads import graphs

    class Memory(callbacks.LoopCallback):
        """Notes the memory in use, so many times over the run."""

        def __init__(self) -> None:
            super().__init__()
            self.megabytes: list[float] = []

        def on_steps_end(self, done: Any) -> None:
            if done.last * samples >= steps * (len(self.megabytes) + 1):
                self.megabytes.append(_megabytes_in_use())

    used = Memory()
    job = graphs.build("linear")
    with tempfile.TemporaryDirectory() as output_dir:
        train(
            job.graph,
            output_dir,
            job.train_op,
            job.loss,
            supervisor_save_model_secs=1,
            callbacks=[used],
            steps=steps,
            progress_bar=False,
        )
    return {"megabytes": used.megabytes, "growth": used.megabytes[-1] - used.megabytes[0]}


def _megabytes_in_use() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def calls(function: str = "train", count: int = 500, sample_every: int = 100) -> dict[str, Any]:
    """Kilobytes on the C heap, in use and free, after so many calls with a new graph or the same model."""
    from keras_legacy_train import fit, train
    from workloads import arrays, graphs, keras_models

    model = keras_models.build("linear")
    in_use, free = [], []
    for number in range(1, count + 1):
        with tempfile.TemporaryDirectory() as output_dir:
            if function == "train":
                job = graphs.build("linear")
                train(job.graph, output_dir, job.train_op, job.loss, steps=4, progress_bar=False)
            else:
                fit(model, *arrays("linear"), output_dir=output_dir, steps=4, verbose=0)
        if number % sample_every == 0:
            heap = _heap()
            in_use.append((heap.uordblks + heap.hblkhd) / 1024)
            free.append(heap.fordblks / 1024)
    return {"function": function, "calls": count, "kilobytes_in_use": in_use, "kilobytes_free": free}


class _Heap(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks")),
        *((name, ctypes.c_size_t) for name in ("fsmblks", "uordblks", "fordblks", "keepcost")),
    ]


def _heap() -> _Heap:
    """The C heap after a clearance."""
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.malloc_trim(0)
    libc.mallinfo2.restype = _Heap
    return libc.mallinfo2()


def checkpoints(gigabytes: float = 1.0, seconds: float = 95.0, save_secs: float = 30.0) -> dict[str, Any]:
    """Steps a second with and without timed checkpoints, and the longest pause that one makes."""
    without, _ = _train_large_model(gigabytes, seconds / 2, None)
    with_saves, longest = _train_large_model(gigabytes, seconds, save_secs)
    return {
        "steps_per_second_without": without,
        "steps_per_second": with_saves,
        "part_lost": 1 - with_saves / without,
        "longest_pause_seconds": longest,
    }


def copies(gigabytes: float = 1.0, seconds: float = 20.0, save_secs: float = 5.0) -> dict[str, Any]:
    """By how many times the size of the variables the memory rises over one of them, while they are saved."""
    # Another allocator of TensorFlow's keeps memory that is no longer in use.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    from keras_legacy_train import callbacks

    class Peak(callbacks.LoopCallback):
        """Notes the memory in use after the first step, and from then on the largest."""

        def __init__(self) -> None:
            super().__init__()
            self.first = self.largest = 0.0

        def on_steps_end(self, steps: Any) -> None:
            if not self.first:
                self.first = _megabytes_in_use()
                threading.Thread(target=self._watch, daemon=True).start()

        def _watch(self) -> None:
            while True:
                self.largest = max(self.largest, _megabytes_in_use())
                time.sleep(0.005)

    peak = Peak()
    _train_large_model(gigabytes, seconds, save_secs, peak)
    return {"copies": (peak.largest - peak.first) / (gigabytes * 1024)}


def _train_large_model(
    gigabytes: float, seconds: float, save_secs: float | None, *watchers: Any
) -> tuple[float, float]:
    """Steps a second, and the longest time from one window to the next beyond what they took."""
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import callbacks, train

    class Pace(callbacks.LoopCallback):
        """Stops the training in time, and looks at the clock after each window."""

        def __init__(self) -> None:
            super().__init__()
            self.began = self.last = 0.0
            self.pauses = [0.0]
            self.first_step = self.last_step = 0

        def on_steps_end(self, steps: Any) -> None:
            now = time.perf_counter()
            if not self.began:
                self.began, self.first_step = now, steps.last
            else:
                self.pauses.append(now - self.last - steps.seconds)
            self.last, self.last_step = now, steps.last
            self.model.stop_training = now > self.began + seconds

    rows = int(gigabytes * 2**30 / 4 / 256)
    with tf.Graph().as_default() as graph:
        table = tf.get_variable("table", [rows, 256], initializer=tf.zeros_initializer())
        ids = tf.random_uniform([256], maxval=rows, dtype=tf.int32)
        loss = tf.reduce_mean(tf.square(tf.nn.embedding_lookup(table, ids) - 1.0))
        optimizer = tf.train.GradientDescentOptimizer(0.1)
        train_op = optimizer.minimize(loss, global_step=tf.train.get_or_create_global_step())
    pace = Pace()
    with tempfile.TemporaryDirectory() as output_dir:
        train(
            graph,
            output_dir,
            train_op,
            loss,
            supervisor_save_model_secs=save_secs,
            keep_checkpoint_max=1,
            monitors=[],
            callbacks=[pace, *watchers],
            progress_bar=False,
        )
    return (pace.last_step - pace.first_step) / (pace.last - pace.began), max(pace.pauses)


# What is measured by each name: the measurement, and the options of its processes.
_MEASUREMENTS: dict[str, tuple[Callable[..., dict[str, Any]], list[dict[str, Any]]]] = {
    "start": (start, [{"nodes": 1_000}, {"nodes": 10_000}, {"nodes": 100_000}]),
    "import": (importing, [{}] * 5),
    "memory": (memory, [{}]),
    "checkpoints": (checkpoints, [{}]),
    "copies": (copies, [{}]),
    "calls": (calls, [{"function": "train"}, {"function": "fit"}]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="*", help="what to measure; everything by default")
    parser.add_argument("--options", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.name) - set(_MEASUREMENTS))
    if unknown:
        parser.error(f"There is no {', '.join(unknown)}; there are {', '.join(_MEASUREMENTS)}.")
    if arguments.options is not None:
        measurement, _ = _MEASUREMENTS[arguments.name[0]]
        print(json.dumps({arguments.name[0]: measurement(**arguments.options)}), flush=True)
        return
    for name in arguments.name or _MEASUREMENTS:
        for options in _MEASUREMENTS[name][1]:
            command = [sys.executable, __file__, name, "--options", json.dumps(options)]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
