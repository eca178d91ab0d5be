"""Measures `fit` against `keras.Model.fit`, in one process.

    python benchmarks/fit.py            # some minutes
    python benchmarks/fit.py --rounds 1 --steps 0.1

Each trainer has a model of its own. After a warm-up call, which traces and compiles, a call of many steps is
timed as a whole. The trainers take turns, round by round, so that a busy machine slows all of them. Prints
the median of a step's time, and the median and the quartiles of its ratio to that of `fit` in the same round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import fit

# Trains for a number of steps.
Trainer = Callable[[int], Any]

# By the name of the model: its layers, the batch size, and the steps that are timed.
MODELS: dict[str, tuple[Callable[[], list[Any]], int, int]] = {
    "small: 64-10": (lambda: [keras.Input([64]), keras.layers.Dense(10)], 32, 10_000),
    "middle: 64-512-512-10": (
        lambda: [
            keras.Input([64]),
            keras.layers.Dense(512, "relu"),
            keras.layers.Dense(512, "relu"),
            keras.layers.Dense(10),
        ],
        256,
        1_000,
    ),
}


def compiled(layers: Callable[[], list[Any]], jit_compile: bool, steps_per_execution: int) -> keras.Model:
    """Builds and compiles a model."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(layers())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        "sgd",
        loss,
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
        jit_compile=jit_compile,
    )
    return model


def batches(batch_size: int) -> tf.data.Dataset:
    """Makes random batches without end: features `float32[batch_size, 64]`, labels `int64[batch_size]`."""
    rng = np.random.RandomState(0)
    x, y = rng.randn(2048, 64).astype(np.float32), rng.randint(0, 10, 2048)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size).repeat()


def trainers(layers: Callable[[], list[Any]], batch_size: int, jit_compile: bool) -> dict[str, Trainer]:
    """Makes the trainers to compare, by name."""
    data = batches(batch_size)

    def by_keras(steps_per_execution: int) -> Trainer:
        model = compiled(layers, jit_compile, steps_per_execution)
        return lambda steps: model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    ours = compiled(layers, jit_compile, 1)
    return {
        "fit": lambda steps: fit(ours, data, steps=steps, steps_per_epoch=steps, verbose=0, shuffle=False),
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=float, default=1.0, help="fraction of the steps to run")
    options = parser.parse_args()
    for name, (layers, batch_size, steps) in MODELS.items():
        for jit_compile in (False, True):
            compared = trainers(layers, batch_size, jit_compile)
            times = measure(compared, int(steps * options.steps), options.rounds)
            print(f"\n{name}, batch {batch_size}, jit_compile={jit_compile}")
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
