"""Checkpoints: written, kept, verified and read back.

    manager = CheckpointManager("/tmp/run", NamedVariables([SavedVariable("w", w)]), max_to_keep=5)
    manager.verify_writable()
    if manager.restore_latest() is None:
        w.assign([1.0, 2.0])
    manager.save(step=10)  # writes /tmp/run/model.ckpt-10.index and .data-00000-of-00001

A *state* says what is in them. `NamedVariables` have the names TensorFlow 1 gave them: the files are what
`tf.compat.v1.train.Saver` would have written, so every reader of TensorFlow 1 and 2 opens them, and what it
wrote is restored here: the tensor bundles of TensorFlow 1.0 and later as well as the older single file ("V1")
format, sharded or not, with partitioned variables or without. `TrackedObjects` are in the form of
TensorFlow 2, as `tf.train.Checkpoint(model=model)` reads and writes it.
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
