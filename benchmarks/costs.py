"""Measures the costs of `train` besides steps: starts of large graphs, imports, long runs, checkpoints.

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
    """Measures the seconds from calling `train` until the first step, and the first window, are done.

    Args:
        nodes: Number of nodes in the graph, about.
    """
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import callbacks, train

    class Arrivals(callbacks.LoopCallback):
        """Records when a single step, and a window, are done for the first time."""

        def __init__(self) -> None:
            super().__init__()
            self.step = self.window = 0.0

        def on_steps_end(self, steps: Any) -> None:
            """Records the first times."""
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
    """Builds a chain of layers over sixteen variables, with about `nodes` nodes including the gradient.

    Returns:
        The graph, the `train_op` and the loss.
    """
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
    """Measures the seconds that importing the package adds to importing TensorFlow and Keras."""
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    began = time.perf_counter()
    import keras_legacy_train  # noqa: F401

    return {"seconds": time.perf_counter() - began}


def memory(steps: int = 1_000_000, samples: int = 10) -> dict[str, Any]:
    """Measures the memory of a linear model's training, with default monitors and a checkpoint each second.

    Args:
        steps: How many steps to train.
        samples: How often the memory is measured.
    """
    from keras_legacy_train import callbacks, train
    from workloads import graphs

    class Memory(callbacks.LoopCallback):
        """Records the memory in use, `samples` times over the run."""

        def __init__(self) -> None:
            super().__init__()
            self.megabytes: list[float] = []

        def on_steps_end(self, done: Any) -> None:
            """Records the memory if it is time."""
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
    """Returns the memory that this process has in RAM now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def calls(function: str = "train", count: int = 500, sample_every: int = 100) -> dict[str, Any]:
    """Measures the kilobytes on the C heap, in use and free, after many calls.

    Args:
        function: "train", each call with a new graph, or "fit", all with the same model.
        count: Number of calls.
        sample_every: Number of calls between two measurements.
    """
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
    """Declares `struct mallinfo2` of glibc."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks")),
        *((name, ctypes.c_size_t) for name in ("fsmblks", "uordblks", "fordblks", "keepcost")),
    ]


def _heap() -> _Heap:
    """Returns the state of the C heap, after garbage collection."""
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.malloc_trim(0)
    libc.mallinfo2.restype = _Heap
    heap: _Heap = libc.mallinfo2()
    return heap


def checkpoints(gigabytes: float = 1.0, seconds: float = 95.0, save_secs: float = 30.0) -> dict[str, Any]:
    """Measures steps a second with and without timed checkpoints, and the longest pause that one makes.

    Args:
        gigabytes: Size of the variables.
        seconds: How long the training with checkpoints takes.
        save_secs: Seconds between two checkpoints.
    """
    without, _ = _train_large_model(gigabytes, seconds / 2, None)
    with_saves, longest = _train_large_model(gigabytes, seconds, save_secs)
    return {
        "steps_per_second_without": without,
        "steps_per_second": with_saves,
        "part_lost": 1 - with_saves / without,
        "longest_pause_seconds": longest,
    }


def copies(gigabytes: float = 1.0, seconds: float = 20.0, save_secs: float = 5.0) -> dict[str, Any]:
    """Measures the extra memory while variables are saved, in multiples of their size.

    Args:
        gigabytes: Size of the variables.
        seconds: How long the training takes.
        save_secs: Seconds between two checkpoints.
    """
    # With oneDNN, TensorFlow uses an allocator that keeps memory which is no longer in use.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    from keras_legacy_train import callbacks

    class Peak(callbacks.LoopCallback):
        """Records the memory in use after the first step, and the peak from then on."""

        def __init__(self) -> None:
            super().__init__()
            self.first = self.largest = 0.0

        def on_steps_end(self, steps: Any) -> None:
            """Starts the recording after the first step."""
            if not self.first:
                self.first = _megabytes_in_use()
                threading.Thread(target=self._watch, daemon=True).start()

        def _watch(self) -> None:
            """Records the peak, for ever."""
            while True:
                self.largest = max(self.largest, _megabytes_in_use())
                time.sleep(0.005)

    peak = Peak()
    _train_large_model(gigabytes, seconds, save_secs, peak)
    return {"copies": (peak.largest - peak.first) / (gigabytes * 1024)}


def _train_large_model(
    gigabytes: float, seconds: float, save_secs: float | None, *others: Any
) -> tuple[float, float]:
    """Trains a large embedding.

    Args:
        gigabytes: Size of the variables.
        seconds: How long the training takes.
        save_secs: Seconds between two checkpoints; `None` for none.
        *others: Further callbacks.

    Returns:
        Steps a second, and the longest pause between two windows.
    """
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import callbacks, train

    class Pace(callbacks.LoopCallback):
        """Stops the training when its time is over, and records the pauses between windows."""

        def __init__(self) -> None:
            super().__init__()
            self.began = self.last = 0.0
            self.pauses = [0.0]
            self.first_step = self.last_step = 0

        def on_steps_end(self, steps: Any) -> None:
            """Records a window."""
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
            callbacks=[pace, *others],
            progress_bar=False,
        )
    return (pace.last_step - pace.first_step) / (pace.last - pace.began), max(pace.pauses)


# By name: the measurement, and the options of each of its processes.
_MEASUREMENTS: dict[str, tuple[Callable[..., dict[str, Any]], list[dict[str, Any]]]] = {
    "start": (start, [{"nodes": 1_000}, {"nodes": 10_000}, {"nodes": 100_000}]),
    "import": (importing, [{}] * 5),
    "memory": (memory, [{}]),
    "checkpoints": (checkpoints, [{}]),
    "copies": (copies, [{}]),
    "calls": (calls, [{"function": "train"}, {"function": "fit"}]),
}


def main() -> None:
    """Runs the command line."""
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
