"""Fits a model on input that other processes make, and prints how that ended. Run by test_fit_workers.py.

    python worker_fit.py KIND OUTPUT_DIR [interrupt]

KIND is "dataset" (a PyDataset whose workers are processes), "threads" (the same with threads), "pool"
(a generator that asks a pool of processes), "spawned" (one that spawns them) or "service" (that of tf.data).
OUTPUT_DIR is "" for none. With "interrupt" the process and its workers get SIGINT after step 3, as by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import callbacks, fit

ROWS = np.arange(64, dtype=np.float32).reshape(16, 4) / 64.0
EPOCHS = 2


def batch(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows of a batch, and what the model learns of them."""
    rows = ROWS[index * 4 : index * 4 + 4]
    return rows, rows.sum(axis=1, keepdims=True)


class Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return len(ROWS) // 4

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return batch(index)


def pooled(method: str | None) -> tf.data.Dataset:
    """Returns a dataset whose batches come from a pool of processes."""

    def generate() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        with multiprocessing.get_context(method).Pool(2) as pool:
            yield from pool.imap(batch, range(len(ROWS) // 4))

    spec = (tf.TensorSpec([4, 4], tf.float32), tf.TensorSpec([4, 1], tf.float32))
    return tf.data.Dataset.from_generator(generate, output_signature=spec)


def repeated_batch() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(batch(0)).batch(4).repeat(4)


def served() -> Any:
    """Returns a dataset that a worker of tf.data's service reads, and the servers, which must live on."""
    dispatcher = tf.data.experimental.service.DispatchServer()
    address = dispatcher.target.partition("://")[2]
    worker = tf.data.experimental.service.WorkerServer(
        tf.data.experimental.service.WorkerConfig(dispatcher_address=address)
    )
    distribute = tf.data.experimental.service.distribute("parallel_epochs", dispatcher.target)
    return repeated_batch().apply(distribute), (dispatcher, worker)


def compiled_model() -> keras.Model:
    model = keras.Sequential([keras.Input([4]), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


class Interrupts(callbacks.LoopCallback):
    def on_steps_end(self, steps: callbacks.Steps) -> None:
        if steps.last >= 3:
            os.killpg(0, signal.SIGINT)


def main(kind: str, output_dir: str, interrupt: str = "") -> None:
    os.setsid()
    servers: Any = None  # they live as long as somebody holds them
    if kind == "service":
        data, servers = served()
    elif kind in ("pool", "spawned"):
        data = pooled("spawn" if kind == "spawned" else None)
    else:
        data = Batches(workers=2, use_multiprocessing=kind == "dataset")
    model = compiled_model()
    options = {"epochs": EPOCHS, "shuffle": False, "verbose": 0, "output_dir": output_dir or None}
    loss: Any = "interrupted"
    with contextlib.suppress(KeyboardInterrupt):
        watching = [Interrupts()] if interrupt else []
        loss = fit(model, data, callbacks=watching, **options).history["loss"]
    del data, servers
    print(json.dumps({"loss": loss, "left": len(multiprocessing.active_children())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
