"""Tries, as one of two workers, what they cannot do, and functions in the place of a model.

    python mirrored_worker_laws.py FOLDER

Every worker makes the same calls in the same order. In the last one, worker 1 fails.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import Silent, checkpoint_numbers
from keras_helpers import arrays, batches, line
from keras_legacy_train import ReplicasDifferError, cluster, fit, monitors, train

TASK = cluster.this_task()
STRATEGY = cluster.multi_worker_mirrored_strategy(timeout=60)


def in_scope(**options: Any) -> keras.Model:
    with STRATEGY.scope():
        return line(**options)


def functions(folder: Path, reduces: bool, is_chief: bool) -> tf.Variable:
    """Trains a variable by a function of one's own, on a batch that is given before each step."""
    with STRATEGY.scope():
        w = tf.Variable(tf.zeros([4, 1]), name="w")

    def loss_of(batch: Any) -> Any:
        return tf.reduce_mean((tf.matmul(batch[0], w) - batch[1]) ** 2)

    def step(batch: Any) -> None:
        with tf.GradientTape() as tape:
            loss = loss_of(batch)
        gradient = tape.gradient(loss, w)
        if reduces:
            gradient = tf.distribute.get_replica_context().all_reduce("MEAN", gradient)
        w.assign_sub(0.1 * gradient)

    train(
        None,
        folder,
        step,
        loss_of,
        feed_fn=batches().repeat().unbatch().batch(6),
        max_steps=5,
        monitors=[Silent()],
        supervisor_is_chief=is_chief,
        strategy=STRATEGY,
    )
    return w


class AsksForMetric(monitors.PrintTensor):
    """Asks all workers for a variable of a metric, which they would add up."""

    run_on_all_workers = True  # type: ignore[assignment]


class Fails(keras.callbacks.Callback):
    """Raises in one worker."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not TASK.is_chief:
            raise OSError("disk full")


def main(folder: Path) -> None:
    with pytest.raises(ValueError, match=f"supervisor_is_chief={not TASK.is_chief}"):
        functions(folder / "none", True, not TASK.is_chief)
    model = in_scope()
    tf.random.set_seed(TASK.index)
    with pytest.raises(ValueError, match="shuffle=True: the workers"):
        fit(model, **{**arrays(), "shuffle": True}, verbose=0)
    with pytest.raises(ValueError, match="run_eagerly=True"):
        fit(in_scope(run_eagerly=True), **arrays(), verbose=0)
    measured = in_scope(metrics=["mae"])
    part_of_metric = AsksForMetric([measured.metrics_variables[-1].path])
    with pytest.raises(ValueError, match="of which each worker has a part"):
        fit(measured, **arrays(), monitors=[part_of_metric], verbose=0)
    fit(measured, **arrays(), monitors=[monitors.PrintTensor(["mae"])] if TASK.is_chief else [], verbose=0)
    with pytest.raises(ReplicasDifferError) as caught:
        functions(folder / "apart", False, TASK.is_chief)
    assert caught.value.names == ["w"]
    assert checkpoint_numbers(folder / "apart") == [0]
    weights = functions(folder / "together", True, TASK.is_chief).numpy()
    np.testing.assert_array_equal(weights, tf.train.load_variable(str(folder / "together"), "w"))
    print("all laws hold", flush=True)
    fit(in_scope(), **arrays(), epochs=2, output_dir=folder / "failed", callbacks=[Fails()], verbose=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
