"""`tf.contrib.learn.train`, its monitors and its checkpoints, on today's TensorFlow and Keras 3."""

import keras as _keras

if _keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"keras_legacy_train needs Keras on TensorFlow, but its backend is {_keras.backend.backend()!r}."
        " Set the environment variable KERAS_BACKEND=tensorflow before keras is imported."
    )

from keras_legacy_train import callbacks, monitors
from keras_legacy_train.errors import (
    CheckpointMismatchError,
    DamagedCheckpointError,
    NanLossDuringTrainingError,
    NoProgressError,
    NotInitializedError,
)
from keras_legacy_train.train import train

__all__ = [
    "CheckpointMismatchError",
    "DamagedCheckpointError",
    "NanLossDuringTrainingError",
    "NoProgressError",
    "NotInitializedError",
    "callbacks",
    "monitors",
    "train",
]
