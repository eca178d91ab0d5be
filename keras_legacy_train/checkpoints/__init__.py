"""Writes, keeps, verifies and restores checkpoints, and locks the directory that holds them.

May import errors, arguments, `_tensorflow` and `_keras`; it knows nothing of graphs, programs or the loop.

    manager = CheckpointManager("/tmp/run", NamedVariables([SavedVariable("w", w)]), max_to_keep=5)
    manager.verify_writable()
    if manager.restore_latest() is None:
        w.assign([1.0, 2.0])
    manager.save(step=10)  # writes /tmp/run/model.ckpt-10.index and .data-00000-of-00001

A *state* says what a checkpoint holds. `NamedVariables` go by the names of TensorFlow 1. Their files are
those that `tf.compat.v1.train.Saver` writes, so every reader of TensorFlow 1 and 2 opens them. The files of
a `Saver` are restored here: tensor bundles, which TensorFlow writes since 1.0, and the older format ("V1"),
with or without shards and partitioned variables. `TrackedObjects` are in the form of TensorFlow 2, as
`tf.train.Checkpoint(model=model)` reads and writes it.
"""

from keras_legacy_train.checkpoints.index import CheckpointIndex
from keras_legacy_train.checkpoints.manager import CheckpointManager
from keras_legacy_train.checkpoints.objects import TrackedObjects
from keras_legacy_train.checkpoints.state import CheckpointState, NamedVariables
from keras_legacy_train.checkpoints.variables import SavedVariable

__all__ = [
    "CheckpointIndex",
    "CheckpointManager",
    "CheckpointState",
    "NamedVariables",
    "SavedVariable",
    "TrackedObjects",
]
