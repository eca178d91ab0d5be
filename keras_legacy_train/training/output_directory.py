"""Opens the directory of a training: one trainer holds it, and its checkpoints are in order."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable
from types import TracebackType

from keras_legacy_train.checkpoints import CheckpointIndex, CheckpointManager, CheckpointState
from keras_legacy_train.checkpoints import directory as files
from keras_legacy_train.checkpoints.directory_lock import DirectoryLock
from keras_legacy_train.checkpoints.leftovers import clean_up
from keras_legacy_train.distributed.joint_checkpoints import JointCheckpointManager
from keras_legacy_train.distributed.workers import ALONE, Workers
from keras_legacy_train.training.options import TrainingOptions


class OutputDirectory:
    """Holds a directory while it is entered, for a training that goes on from its newest checkpoint.

    The chief holds the directory before it looks for the newest checkpoint, lest that be another one later.
    It makes the directory if it is missing.

    Args:
        directory: The directory.
        options: The arguments of the training.
        workers: The processes that train together. All go on from the checkpoint that the chief finds.

    Attributes:
        newest: The prefix of the newest intact checkpoint, `None` if there is none at all.
        manager: Saves and restores; there once `keep` has told what.

    Raises:
        DirectoryInUseError: Another process trains in the directory.
        PermissionError: The directory cannot be written to.
        DamagedCheckpointError: There are checkpoints, and none of them can be read.
        FileNotFoundError: The chief's checkpoint is not there for this process.
    """

    newest: str | None

    def __init__(self, directory: str, options: TrainingOptions, workers: Workers = ALONE):
        self._directory = directory
        self._options = options
        self._workers = workers
        self._index = CheckpointIndex(directory)
        self._lock = DirectoryLock(directory) if options.is_chief else None
        self._held = contextlib.ExitStack()

    def __enter__(self) -> OutputDirectory:
        with contextlib.ExitStack() as held:
            if self._lock is not None:
                held.enter_context(self._lock)
                clean_up(self._index)
            self.newest = self._find_newest()
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.__exit__(kind, error, trace)

    def _find_newest(self) -> str | None:
        if self._workers.count == 1:
            return self._index.find_latest()
        found = self._index.find_latest() if self._workers.is_chief else None
        step = int(self._workers.chiefs(-1 if found is None else files.step_of(found)))
        if step < 0 or self._workers.is_chief:
            return found
        prefix = os.path.join(self._directory, f"{self._index.name}-{step}")
        if not files.exists(prefix):
            raise FileNotFoundError(
                f"The chief goes on from {prefix}, which is not there for this worker. output_dir must be on"
                " a file system that all workers share."
            )
        return prefix

    def checkpoints_of(
        self, state: CheckpointState, meta_graph: Callable[[], bytes | None] | None = None
    ) -> CheckpointManager:
        """Returns what saves and restores a state here; saves under way are waited for on exit.

        Args:
            state: What a checkpoint holds.
            meta_graph: Returns what to write to a checkpoint's `.meta` file.
        """
        kind: Callable[..., CheckpointManager] = CheckpointManager
        if self._workers.count > 1:
            kind = functools.partial(JointCheckpointManager, is_chief=self._options.is_chief)
        manager = kind(
            self._directory,
            state,
            max_to_keep=self._options.keep_checkpoint_max,
            keep_every_hours=self._options.keep_checkpoint_every_n_hours,
            meta_graph=meta_graph,
            require_finite=self._options.fail_on_nan_loss,
            before_save=None if self._lock is None else self._lock.check,
            index=self._index,
        )
        self._held.callback(manager.wait)
        return manager
