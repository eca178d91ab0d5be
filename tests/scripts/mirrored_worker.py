"""Trains a Keras model as one of the workers of `TF_CONFIG`, and prints what came of it.

python mirrored_worker.py OUTPUT_DIR STEPS

KILL_AT="worker/1:6" has that worker kill itself after that step. SHOWS_STEPS=1 has the chief print each step
that it runs.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from helpers import KillAt, Silent
from keras_helpers import adam, batches, compiled, inputs, targets
from keras_legacy_train import cluster, fit, monitors


class Kills(KillAt):
    """Kills any worker, not only the chief."""

    @property
    def run_on_all_workers(self) -> bool:
        return True


class Shows(monitors.BaseMonitor):
    """Prints the steps that the chief runs."""

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        print(f"step {step}", flush=True)
        return super().step_end(step, output)


def hidden() -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = [keras.Input([4]), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)]
    return compiled(keras.Sequential(layers), optimizer=adam())


def watching(name: str) -> list[Any]:
    victim, _, step = os.environ.get("KILL_AT", "").partition(":")
    killing = [Kills(int(step))] if victim and victim == name else []
    return [*([Shows()] if "SHOWS_STEPS" in os.environ else [Silent()]), *killing]


def main(directory: str, steps: int) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    task = cluster.this_task()
    strategy = cluster.multi_worker_mirrored_strategy(timeout=60)
    if strategy.num_replicas_in_sync == 1:
        model = hidden()
    else:
        with strategy.scope():
            model = hidden()
    history = fit(
        model,
        batches(shuffled=True),
        shuffle=False,
        output_dir=directory or None,
        max_steps=steps,
        save_steps=4,
        save_input_state=bool(directory),
        validation_data=None if "SHOWS_STEPS" in os.environ else (inputs(), targets()),
        monitors=watching("" if task is None else f"{task.type}/{task.index}"),
        verbose=0,
    )
    weights = [weight.tolist() for weight in model.get_weights()]
    print(json.dumps({"history": history.history, "weights": weights}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
