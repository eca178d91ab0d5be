"""The directory of a training: held by one trainer, its checkpoints in order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from keras_legacy_train.checkpoints import CheckpointManager
from keras_legacy_train.checkpoints.directory_lock import DirectoryLock
from keras_legacy_train.training.run import TrainingOptions


@contextlib.contextmanager
def opened_checkpoints(directory: str, options: TrainingOptions) -> Iterator[CheckpointManager]:
    """The checkpoints of a directory, to train from and, for the chief, to add to.

    The chief holds the directory before it looks for the newest checkpoint, lest that be another one later.

    Args:
        directory: The directory. For the chief it is made if it is missing.
        options: The arguments of the training.

    Raises:
        DirectoryInUseError: Another process trains in the directory.
        PermissionError: The directory cannot be written to.
    """
    with contextlib.ExitStack() as held:
        lock = held.enter_context(DirectoryLock(directory)) if options.is_chief else None
        manager = CheckpointManager(
            directory,
            max_to_keep=options.keep_checkpoint_max,
            require_finite=options.fail_on_nan_loss,
            before_save=None if lock is None else lock.check,
        )
        if lock is not None:
            manager.clean_up()
        try:
            yield manager
        finally:
            manager.wait()
