"""Trains a Keras model by two workers, which keep in step on a `MultiWorkerMirroredStrategy`.

One command starts both on this machine. Each reads the same batches of handwritten digits and trains on its
half of the rows; the first worker saves. In the end one process trains the same model on the same batches,
and the weights are compared.

    python examples/cluster/mirrored_workers.py --output-dir /tmp/mirrored --steps 300
    python examples/cluster/mirrored_workers.py --output-dir /tmp/mirrored --steps 600   # goes on at step 301
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from typing import TYPE_CHECKING

from local_cluster import run_tasks, task_name

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

TASKS = {"worker": 2}
HELD_OUT = 250
BATCH_SIZE = 50


def digits() -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Returns the batches to train on, the same in every process, and the digits that are held out."""
    import numpy as np
    import sklearn.datasets
    import tensorflow as tf

    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(labels))
    images, labels = (images[order] / 16).astype(np.float32), labels[order].astype(np.int32)
    train = tf.data.Dataset.from_tensor_slices((images[HELD_OUT:], labels[HELD_OUT:]))
    held_out = tf.data.Dataset.from_tensor_slices((images[:HELD_OUT], labels[:HELD_OUT]))
    return train.shuffle(len(labels), seed=1).repeat().batch(BATCH_SIZE), held_out.batch(HELD_OUT)


def network() -> keras.Model:
    import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input([64]), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.002), loss, metrics=["accuracy"])
    return model


def run_task(output_dir: str, steps: int) -> None:
    """Trains as the worker that `TF_CONFIG` says."""
    # They load TensorFlow, which the process that starts the tasks need not do.
    from keras_legacy_train import cluster, fit

    strategy = cluster.multi_worker_mirrored_strategy(timeout=60)
    with strategy.scope():
        model = network()
    train, held_out = digits()
    history = fit(
        model,
        train,
        strategy=strategy,
        output_dir=output_dir,
        max_steps=steps,
        steps_per_epoch=100,
        save_steps=100,
        save_input_state=True,
        validation_data=held_out,
        verbose=0,
    )
    if strategy.cluster_resolver.task_id == 0:
        weights = [weight.tolist() for weight in model.get_weights()]
        result = {"weights": weights, "accuracy": history.history["val_accuracy"][-1]}
        with open(os.path.join(output_dir, "result.json"), "w") as file:
            json.dump(result, file)


def check(output_dir: str, steps: int, at_least: float) -> None:
    """Compares the result of the workers with that of one process."""
    import numpy as np

    from keras_legacy_train import fit

    with open(os.path.join(output_dir, "result.json")) as file:
        result = json.load(file)
    alone = network()
    fit(alone, digits()[0], max_steps=steps, steps_per_epoch=100, verbose=0)
    pairs = zip(result["weights"], alone.get_weights(), strict=True)
    difference = max(float(np.abs(np.asarray(ours) - theirs).max()) for ours, theirs in pairs)
    print(f"Accuracy on {HELD_OUT} held-out digits after step {steps}: {result['accuracy']:.1%}")
    print(f"Largest difference from the weights that one process finds: {difference:.1e}")
    if difference > 1e-3 or result["accuracy"] < at_least:
        sys.exit("That is not what was expected.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Trains a Keras model by two workers on this machine.")
    parser.add_argument("--output-dir", default=os.path.join(tempfile.gettempdir(), "mirrored_workers"))
    parser.add_argument("--steps", type=int, default=300, help="train up to this global step")
    parser.add_argument("--at-least", type=float, default=0.9, help="fail if the accuracy is lower")
    return parser.parse_args()


def main() -> int:
    options = parse_arguments()
    task = task_name()
    if task is not None:
        logging.basicConfig(level=logging.INFO, format=f"{task}: %(message)s")
        run_task(options.output_dir, options.steps)
        return 0
    code = run_tasks(sys.argv, TASKS)
    if code == 0:
        check(options.output_dir, options.steps, options.at_least)
    return code


if __name__ == "__main__":
    sys.exit(main())
