"""Measures the cost of checkpoints: of a durable save, of the search for NaNs, of saves while training.

    python benchmarks/checkpoint_cost.py                     # 512 MB
    python benchmarks/checkpoint_cost.py --megabytes 1024 --seconds 120

Prints one line of JSON for each measurement. Needs memory for four times the megabytes, and disk space for
three times.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import tensorflow as tf

from keras_legacy_train import callbacks, train
from keras_legacy_train.checkpoints import CheckpointManager, NamedVariables, SavedVariable

VARIABLES = 16


def save(megabytes: int, repetitions: int) -> dict[str, Any]:
    """Measures the seconds that a checkpoint takes, with and without `fsync`, and those of its parts.

    Args:
        megabytes: Size of the variables.
        repetitions: How often a checkpoint is saved; the result has the medians.
    """
    entries = megabytes * 2**18 // VARIABLES
    variables = [tf.Variable(tf.random.normal([entries])) for _ in range(VARIABLES)]
    state = NamedVariables([SavedVariable(f"v{i}", v) for i, v in enumerate(variables)])
    times: dict[str, list[float]] = {"save": [], "save without fsync": [], "copy": [], "finite check": []}
    with tempfile.TemporaryDirectory() as directory:
        manager = CheckpointManager(directory, state, max_to_keep=1)
        for step in range(repetitions):
            os.sync()
            times["save"].append(_seconds(manager.save, 2 * step))
            os.sync()
            with mock.patch("os.fsync"):
                times["save without fsync"].append(_seconds(manager.save, 2 * step + 1))
            times["copy"].append(_seconds(state.copy))
            copy = state.copy()
            times["finite check"].append(_seconds(copy.not_finite))
    medians = {name: statistics.median(each) for name, each in times.items()}
    return {
        "megabytes": megabytes,
        **{f"{name}, s": round(value, 4) for name, value in medians.items()},
        "fsync ratio": round(medians["save"] / medians["save without fsync"], 2),
    }


def training(megabytes: int, save_secs: float, seconds: float, rounds: int) -> dict[str, Any]:
    """Measures steps a second and peak memory, with checkpoints and without, in turns.

    Args:
        megabytes: Size of the variables.
        save_secs: Seconds between two checkpoints.
        seconds: How long each training takes.
        rounds: How many trainings of each kind; the result has the medians.
    """
    figures: dict[float, list[dict[str, float]]] = {0.0: [], save_secs: []}
    for _ in range(rounds):
        for secs, each in figures.items():
            command = [sys.executable, __file__, "--train", f"{megabytes} {secs} {seconds}"]
            each.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    without, with_saves = (
        {name: statistics.median(figure[name] for figure in each) for name in each[0]}
        for each in figures.values()
    )
    return {
        "megabytes": megabytes,
        "save_secs": save_secs,
        "steps/s": round(with_saves["steps/s"], 3),
        "steps/s without": round(without["steps/s"], 3),
        "ratio": round(with_saves["steps/s"] / without["steps/s"], 3),
        "processor time ratio": round(with_saves["processor s/step"] / without["processor s/step"], 3),
        "more memory at the peak, MB": round(with_saves["peak, MB"] - without["peak, MB"]),
    }


class _Pace(callbacks.LoopCallback):
    """Stops the training after some seconds, and measures the pace after the first few steps.

    Attributes:
        figures: Steps a second, and processor seconds a step.
    """

    def __init__(self, seconds: float):
        super().__init__()
        self._seconds = seconds
        self._began: tuple[int, float, float] | None = None
        self.figures: dict[str, float] = {}

    def on_steps_end(self, steps: Any) -> None:
        """Measures the pace so far; stops the training when its time is over."""
        now, used = time.perf_counter(), time.process_time()
        if self._began is None:
            if steps.last > 3:
                self._began = steps.last, now, used
            return
        first, began, used_before = self._began
        done = steps.last - first
        self.figures = {"steps/s": done / (now - began), "processor s/step": (used - used_before) / done}
        if now > began + self._seconds:
            self.model.stop_training = True


def train_once(megabytes: float, save_secs: float, seconds: float) -> dict[str, float]:
    """Trains once; returns the pace and the peak memory.

    Args:
        megabytes: Size of the variables.
        save_secs: Seconds between two checkpoints; 0 for none.
        seconds: How long the training takes.
    """
    v1 = tf.compat.v1
    width = int((megabytes * 2**18 / VARIABLES) ** 0.5)
    with tf.Graph().as_default() as graph:
        x = tf.random.normal([32, width], seed=1)
        for number in range(VARIABLES):
            w = v1.get_variable(
                f"w{number}", [width, width], initializer=v1.random_normal_initializer(0, 0.01)
            )
            x = tf.tanh(tf.matmul(x, w))
        loss = tf.reduce_mean(tf.square(x))
        optimizer = v1.train.GradientDescentOptimizer(0.01)
        train_op = optimizer.minimize(loss, v1.train.get_or_create_global_step())
    pace = _Pace(seconds)
    with tempfile.TemporaryDirectory() as directory:
        train(
            graph,
            directory,
            train_op,
            loss,
            monitors=[],
            callbacks=[pace],
            supervisor_save_model_secs=save_secs,
            keep_checkpoint_max=1,
            progress_bar=False,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**pace.figures, "peak, MB": peak}


def _seconds(function: Callable[..., Any], *arguments: Any) -> float:
    """Calls a function; returns the seconds it took."""
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=512, help="size of the variables")
    parser.add_argument("--repetitions", type=int, default=5, help="how often a checkpoint is saved")
    parser.add_argument("--save-secs", type=float, default=30.0, help="seconds between two checkpoints")
    parser.add_argument("--seconds", type=float, default=90.0, help="how long each training takes")
    parser.add_argument("--rounds", type=int, default=3, help="how many trainings with checkpoints")
    parser.add_argument("--train", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        print(json.dumps(train_once(*map(float, arguments.train.split()))))
        sys.exit()
    print(json.dumps(save(arguments.megabytes, arguments.repetitions)), flush=True)
    figures = training(arguments.megabytes, arguments.save_secs, arguments.seconds, arguments.rounds)
    print(json.dumps(figures), flush=True)
