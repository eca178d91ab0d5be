"""`tf.contrib.learn.train`, its monitors and its checkpoints, on today's TensorFlow and Keras 3."""

_NEEDS_TENSORFLOW = (
    "keras_legacy_train needs Keras on TensorFlow, but {found}."
    " Set the environment variable KERAS_BACKEND=tensorflow before keras is imported."
)
try:
    from keras import backend as _backend
except ImportError as _error:
    raise ImportError(_NEEDS_TENSORFLOW.format(found=f"Keras cannot load its backend: {_error}")) from _error
if _backend.backend() != "tensorflow":
    raise ImportError(_NEEDS_TENSORFLOW.format(found=f"its backend is {_backend.backend()!r}"))

from keras_legacy_train import callbacks, checkpoints, framework, layers, learn, monitors, rnn_cell, tf_layers
from keras_legacy_train.errors import (
    CheckpointMismatchError,
    CheckpointSaveError,
    DamagedCheckpointError,
    DirectoryInUseError,
    NanLossDuringTrainingError,
    NoProgressError,
    NotInitializedError,
)
from keras_legacy_train.evaluate import evaluate, infer, run_feeds, run_feeds_iter, run_n
from keras_legacy_train.fit import fit
from keras_legacy_train.graph_model import GraphModel
from keras_legacy_train.migration import LoadReport, load_tf1_weights
from keras_legacy_train.summaries import clear_summary_writers, get_summary_writer
from keras_legacy_train.train import train

__version__ = "0.1.0.dev0"

__all__ = [
    "CheckpointMismatchError",
    "CheckpointSaveError",
    "DamagedCheckpointError",
    "DirectoryInUseError",
    "GraphModel",
    "LoadReport",
    "NanLossDuringTrainingError",
    "NoProgressError",
    "NotInitializedError",
    "callbacks",
    "checkpoints",
    "clear_summary_writers",
    "evaluate",
    "fit",
    "framework",
    "get_summary_writer",
    "infer",
    "layers",
    "learn",
    "load_tf1_weights",
    "monitors",
    "rnn_cell",
    "run_feeds",
    "run_feeds_iter",
    "run_n",
    "tf_layers",
    "train",
]
