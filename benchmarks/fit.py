"""Measures `fit` against `keras.Model.fit` on the workloads of `run.py`, in one process.

    python benchmarks/fit.py                           # half an hour
    python benchmarks/fit.py softmax lstm --rounds 1   # these
    python benchmarks/fit.py --steps 0.1

Each trainer has a model of its own. Of a call of two epochs the second one is timed: the first traces,
compiles and begins to read, and after the last a thread that tunes the dataset often has to be waited for.
`Model.fit` always runs all steps of an execution, so time no fewer. The trainers take turns, another one
first in each round, so that a busy machine slows all of them. Prints the median of a step's time, and the
median and the quartiles of its ratio to that of `fit` in the same round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from keras_legacy_train import fit
from workloads import DIGITS_VARIABLE, WORKLOADS, graphs, keras_models, save_digits

# Trains two epochs of a number of steps, and calls back.
Trainer = Callable[[int, keras.callbacks.Callback], Any]

# How many steps are timed: some seconds for the slowest.
STEPS = {
    "linear": 5_000,
    "softmax": 5_000,
    "mlp": 1_000,
    "conv": 1_000,
    "embedding": 1_000,
    "lstm": 1_000,
    "feed": 3_000,
}


class LastEpoch(keras.callbacks.Callback):
    """Takes the time of the last epoch.

    Attributes:
        seconds: The time.
    """

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds = time.perf_counter() - self._began


def trainers(name: str, jit_compile: bool) -> dict[str, Trainer]:
    """Makes the trainers to compare, by name."""

    def model(steps_per_execution: int) -> keras.Model:
        keras.utils.set_random_seed(1)
        return keras_models.build(name, steps_per_execution=steps_per_execution, jit_compile=jit_compile)

    def data() -> Any:
        return graphs.batches(name) if WORKLOADS[name].source == "feed" else graphs.dataset(name)

    def by_keras(number: int) -> Trainer:
        trained, batches = model(number), data()
        return lambda steps, callback: trained.fit(
            batches, epochs=2, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[callback]
        )

    def by_fit(number: int) -> Trainer:
        trained, batches = model(number), data()
        return lambda steps, callback: fit(
            trained, batches, epochs=2, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[callback]
        )

    return {
        "fit": by_fit(1),
        "fit, steps_per_execution=100": by_fit(100),
        "model.fit": by_keras(1),
        **{f"model.fit, steps_per_execution={n}": by_keras(n) for n in (10, 100, 1000)},
    }


def measure(compared: dict[str, Trainer], steps: int, rounds: int) -> dict[str, list[float]]:
    """Returns for each trainer the microseconds a step in each round."""
    times: dict[str, list[float]] = {name: [] for name in compared}
    names = list(compared)
    for first in range(rounds):
        for turn in range(len(names)):
            name = names[(first + turn) % len(names)]
            clock = LastEpoch()
            compared[name](steps, clock)
            times[name].append(clock.seconds / steps * 1e6)
    return times


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workloads", nargs="*", choices=[[], *STEPS], help="those to measure; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=float, default=1.0, help="fraction of the steps to run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        os.environ[DIGITS_VARIABLE] = os.path.join(directory, "digits.npz")
        save_digits(os.environ[DIGITS_VARIABLE])
        for name in options.workloads or STEPS:
            for jit_compile in (False, True):
                compared = trainers(name, jit_compile)
                times = measure(compared, int(STEPS[name] * options.steps), options.rounds)
                print(f"\n{WORKLOADS[name].title}, jit_compile={jit_compile}")
                show(times)


def show(times: dict[str, list[float]]) -> None:
    """Prints the microseconds a step of each trainer, and their ratios to those of `fit`."""
    for trainer, microseconds in times.items():
        ratios = [each / ours for each, ours in zip(microseconds, times["fit"], strict=True)]
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        print(
            f"  {trainer:35} {statistics.median(microseconds):9.1f} us a step"
            f"   {middle:5.2f} x fit ({low:.2f} to {high:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
