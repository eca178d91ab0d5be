"""Classifies handwritten digits with a small convolutional Keras model that resumes by itself.

    python examples/keras_fit.py --output-dir /tmp/keras_digits

Stop it with Ctrl-C, or kill it, and start it again: it resumes from the newest checkpoint, with the history
of the earlier epochs. It ends when the validation loss has not fallen for eight epochs.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence

import keras
import numpy as np

from digits import load_digits
from keras_legacy_train import fit, monitors

BATCH_SIZE = 32


def network() -> keras.Model:
    """Makes a compiled model from images `float32[count, 8, 8, 1]` to logits `float32[count, 10]`."""
    model = keras.Sequential(
        [
            keras.Input([8, 8, 1]),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    return model


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", default=tempfile.mkdtemp(prefix="keras_digits_"))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--at-least", type=float, default=0.97, help="accuracy below which the script fails")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    keras.utils.set_random_seed(1)

    training, validation, test = (
        (part.images.reshape(-1, 8, 8, 1), part.labels.astype(np.int32)) for part in load_digits()
    )
    model = network()
    history = fit(
        model,
        *training,
        batch_size=BATCH_SIZE,
        validation_data=validation,
        output_dir=options.output_dir,
        epochs=options.epochs,
        save_secs=1,
        save_input_state=True,
        log_every_steps=100,
        monitors=[monitors.PrintTensor(["loss", "accuracy", "learning_rate"], every_n=200)],
        callbacks=[keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True)],
    )
    accuracy = model.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
    print(f"Trained for {len(history.epoch)} epochs.")
    print(f"Accuracy on 250 held-out digits: {100 * accuracy:.1f} %")
    if accuracy < options.at_least:
        sys.exit(f"That is less than {100 * options.at_least:.1f}%.")


if __name__ == "__main__":
    main()
