"""Measures `fit` against `keras.Model.fit` on the workloads of `run.py`, in one process.

    python benchmarks/fit.py                           # half an hour
    python benchmarks/fit.py softmax lstm --rounds 1   # these
    python benchmarks/fit.py --steps 0.1

Each trainer has a model of its own. After a warm-up call, which traces and compiles, a call of many steps is
timed as a whole. `Model.fit` always runs all steps of an execution, so time no fewer. The trainers take
turns, round by round, so that a busy machine slows all of them. Prints the median of a step's time, and the
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
import tensorflow as tf

from keras_legacy_train import fit
from workloads import DIGITS_VARIABLE, WORKLOADS, graphs, keras_models, save_digits

# Trains for a number of steps.
Trainer = Callable[[int], Any]

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


def trainers(name: str, jit_compile: bool) -> dict[str, Trainer]:
    """Makes the trainers to compare, by name."""
    not_tuned = tf.data.Options()
    # Otherwise half of the calls end 0.63, 1.27, 2.55, … seconds after they began to read: see the notes.
    not_tuned.autotune.enabled = False

    def model(steps_per_execution: int) -> keras.Model:
        keras.utils.set_random_seed(1)
        return keras_models.build(name, steps_per_execution=steps_per_execution, jit_compile=jit_compile)

    def data() -> Any:
        if WORKLOADS[name].source == "feed":
            return graphs.batches(name)
        return graphs.dataset(name).with_options(not_tuned)

    def by_keras(number: int) -> Trainer:
        trained, batches = model(number), data()
        return lambda steps: trained.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)

    def by_fit(number: int) -> Trainer:
        trained, batches = model(number), data()
        return lambda steps: fit(
            trained, batches, steps=steps, steps_per_epoch=steps, verbose=0, shuffle=False
        )

    return {
        "fit": by_fit(1),
        "fit, steps_per_execution=100": by_fit(100),
        "model.fit": by_keras(1),
        **{f"model.fit, steps_per_execution={n}": by_keras(n) for n in (10, 100, 1000)},
    }


def measure(compared: dict[str, Trainer], steps: int, rounds: int) -> dict[str, list[float]]:
    """Returns for each trainer the microseconds a step in each round."""
    for train in compared.values():
        train(steps)
    times: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, train in compared.items():
            began = time.perf_counter()
            train(steps)
            times[name].append((time.perf_counter() - began) / steps * 1e6)
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
