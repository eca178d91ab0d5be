"""Trains a Keras model for three epochs, saving every other step; is killed by SIGKILL after step KILL_AT.

python killed_fit.py OUTPUT_DIR [KILL_AT]
"""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from helpers import KillAt
from keras_helpers import batches, sequential
from keras_legacy_train import fit


def main(output_dir: Any, kill_at: int | None = None) -> tuple[keras.Model, keras.callbacks.History]:
    model = sequential()
    history = fit(
        model,
        batches(shuffled=True),
        shuffle=False,
        epochs=3,
        output_dir=output_dir,
        save_steps=2,
        save_input_state=True,
        callbacks=[keras.callbacks.ReduceLROnPlateau("mae", patience=0, min_delta=9.0)],
        monitors=[KillAt(kill_at)],
        verbose=0,
    )
    return model, history


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
