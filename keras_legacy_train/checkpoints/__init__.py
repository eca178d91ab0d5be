"""Checkpoints under the names TensorFlow 1 gave the variables: written, kept, verified and read back.

    manager = CheckpointManager("/tmp/run", [SavedVariable("w", w)], max_to_keep=5)
    manager.verify_writable()
    if manager.restore_latest() is None:
        w.assign([1.0, 2.0])
    manager.save(step=10)  # writes /tmp/run/model.ckpt-10.index and .data-00000-of-00001

The files are what `tf.compat.v1.train.Saver` would have written, so every reader of TensorFlow 1 and 2 opens
them, and what it wrote is restored here: the tensor bundles of TensorFlow 1.0 and later as well as the older
single file ("V1") format, sharded or not, with partitioned variables or without.
"""

from keras_legacy_train.checkpoints.manager import CheckpointManager
from keras_legacy_train.checkpoints.variables import SavedVariable

__all__ = ["CheckpointManager", "SavedVariable"]
