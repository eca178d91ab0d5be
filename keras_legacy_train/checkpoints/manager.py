"""Saves a state to the checkpoints of a directory, and restores it from them."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints import directory as files
from keras_legacy_train.checkpoints import writing
from keras_legacy_train.checkpoints.background import Background
from keras_legacy_train.checkpoints.index import CheckpointIndex
from keras_legacy_train.checkpoints.leftovers import remove_listed
from keras_legacy_train.checkpoints.recent import note_saved
from keras_legacy_train.checkpoints.state import CheckpointState, StateCopy
from keras_legacy_train.errors import CheckpointSaveError

_LOGGER = logging.getLogger("keras_legacy_train")

_NAMES_IN_WARNING = 10
# Why a file cannot be written.
_REASONS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EMFILE,
    errno.EIO,
    errno.ESTALE,
)


def _no_meta_graph() -> None:
    return None


class CheckpointManager:
    """Saves a state in `<directory>/<name>-<step>`, keeps the newest checkpoints, and restores from them.

    It stands for the `Saver` of `tf.contrib.learn.train`, and leaves writing and deleting to a
    `tf.train.CheckpointManager`. It adds that checkpoints are complete, that their values are finite, and
    that training goes on while they are written. Everything runs eagerly. Only one manager at a time may work
    in a directory, and only one thread may call it.

    A checkpoint consists of `<prefix>.index`, `<prefix>.data-00000-of-00001` and, if there is a graph to
    show, `<prefix>.meta`; the file `checkpoint` lists those that are kept.

    Args:
        directory: Where the checkpoints lie. Nothing is created or written before it is asked for.
        state: What a checkpoint holds.
        max_to_keep: How many checkpoints to keep, the newest; older ones are deleted after a save, and only
            if their names are in the list this manager keeps. `None` keeps all.
        keep_every_hours: Hours after which one of the older checkpoints is kept for good, no longer listed;
            `None` to keep none.
        meta_graph: Returns the serialized `MetaGraphDef` to write beside the next checkpoint, or `None`.
        require_finite: Whether a checkpoint with a NaN or an infinity among its floats is never written.
        before_save: Called before files are written; what it raises prevents it.
        name: The first part of the checkpoints' names.
        index: What is known already of the checkpoints of that name, by somebody who holds the directory. A
            directory that goes missing is an error then.

    Attributes:
        directory: As given.
        name: As given.
        state: As given.

    Raises:
        ValueError: `max_to_keep` is not positive, or the path of the directory has a character (`*`, `?`,
            `[`, backslash) that TensorFlow reads as a pattern.
    """

    def __init__(
        self,
        directory: str,
        state: CheckpointState,
        *,
        max_to_keep: int | None,
        keep_every_hours: float | None = None,
        meta_graph: Callable[[], bytes | None] | None = None,
        require_finite: bool = True,
        before_save: Callable[[], None] | None = None,
        name: str = "model.ckpt",
        index: CheckpointIndex | None = None,
    ):
        if max_to_keep is not None and max_to_keep < 1:
            raise ValueError(f"max_to_keep must be positive or None, not {max_to_keep}.")
        self.directory = directory
        self.name = name
        self.state = state
        self._meta_graph = meta_graph or _no_meta_graph
        self._index = index or CheckpointIndex(directory, name)
        self._max_to_keep = max_to_keep
        self._keep_every_seconds = None if keep_every_hours is None else keep_every_hours * 3600
        self._keeps_from = time.time() + (self._keep_every_seconds or 0)
        self._require_finite = require_finite
        self._before_save = before_save
        self._background = Background()
        self._is_writable = index is not None and os.path.isdir(directory)

    def beside(self, folder: str) -> CheckpointManager:
        """Returns a manager of the same state in a folder of the directory. It keeps one, finite or not."""
        return CheckpointManager(
            os.path.join(self.directory, folder),
            self.state,
            max_to_keep=1,
            meta_graph=self._meta_graph,
            require_finite=False,
            name=self.name,
        )

    @property
    def checkpoints(self) -> list[str]:
        """Returns the prefixes of the checkpoints kept, oldest first, without those found to be damaged."""
        self._background.join()
        return self._index.kept

    @property
    def latest(self) -> str | None:
        """Returns the prefix of the newest intact checkpoint, or `None` if the directory holds none at all.

        See `CheckpointIndex.find_latest`. If a save is under way, this waits for its end.

        Raises:
            DamagedCheckpointError: There are checkpoints, but not one is intact.
        """
        self._background.join()
        return self._index.find_latest()

    def restore_latest(self) -> str | None:
        """Restores the newest intact checkpoint; see `latest` and `restore`.

        Returns:
            Its prefix, or `None` if the directory holds no checkpoint at all: then nothing was assigned.

        Raises:
            DamagedCheckpointError: There are checkpoints, but not one is intact.
            CheckpointMismatchError: The checkpoint does not fit the state. Nothing was assigned.
        """
        prefix = self.latest
        if prefix is not None:
            self.restore(prefix)
        return prefix

    def restore(self, path: str) -> None:
        """Gives the state the values that a checkpoint holds, as `Saver.restore` did.

        Args:
            path: A prefix, in this directory or another.

        Raises:
            CheckpointMismatchError: Variables are missing in the checkpoint, or have another shape or dtype
                there. Nothing was assigned.
            tf.errors.OpError: The checkpoint cannot be read. Nothing was assigned.
        """
        self.state.restore(path)

    def verify_writable(self) -> None:
        """Creates the directory and its parents where missing, and tries to write there. No file is left.

        If the directory is missing later on, that is an error.

        Raises:
            PermissionError: The directory cannot be created or written to.
        """
        files.verify_writable(self.directory)
        self._is_writable = True

    def save(self, step: int) -> str | None:
        """Writes a checkpoint, lists it in the `checkpoint` file, and only then deletes those not kept.

        If the newest checkpoint has this number already and is intact, nothing is written: a process killed
        while it writes over the checkpoint would destroy it. Other files of this number are renamed first, to
        `<file>.damaged`, or to `<file>.replaced` if they are intact. Intact ones are of an earlier run, and
        have other values.

        Args:
            step: The checkpoint's number.

        Returns:
            The checkpoint's prefix; `None`, with a warning that names them, if variables are not finite.

        Raises:
            CheckpointSaveError: The files cannot be written. Earlier checkpoints are as they were.
        """
        self._background.wait()
        return self._saved(step) or self._save(step, self.state.copy(), self._meta_graph)

    def save_in_background(self, step: int, on_saved: Callable[[str], None] = lambda prefix: None) -> None:
        """Saves as `save` does, but only copies the values now, and writes them in another thread.

        The copy takes as much memory as those variables that are assigned before it is written. If the save
        before is still under way, this waits for its end. `check` or `wait` raises errors.

        Args:
            step: The checkpoint's number.
            on_saved: Called, in another thread, with the prefix of the checkpoint once it is the newest.
        """
        self._background.wait()
        saved = self._saved(step)
        if saved is not None:
            on_saved(saved)
            return
        copy, meta_graph = self.state.copy(), self._meta_graph()

        def save() -> None:
            with _tensorflow.eager_mode():
                prefix = self._save(step, copy, lambda: meta_graph)
            if prefix is not None:
                on_saved(prefix)

        self._background.start(save)

    def take_back(self) -> None:
        """Deletes the checkpoints kept, and the list of them; all must have been written by this."""
        remove_listed(self.directory, self.checkpoints)
        self._index.set_listed(None)

    def check(self) -> None:
        """Raises the error of a save in the background; only once."""
        self._background.check()

    def wait(self) -> None:
        """Waits until no save is under way, and raises the error of one in the background, only once."""
        self._background.wait()

    def _saved(self, step: int) -> str | None:
        """Returns the newest checkpoint if it has this number, is intact, and the values are finite.

        Values are copied after this, not before: to verify a checkpoint takes memory as well.
        """
        prefix = self._prefix(step)
        if self._index.kept[-1:] != [prefix] or not self._index.is_intact(prefix):
            return None
        return None if self._require_finite and self.state.copy().not_finite() else prefix

    def _prefix(self, step: int) -> str:
        return os.path.join(self.directory, f"{self.name}-{step}")

    def _save(self, step: int, copy: StateCopy, meta_graph: Callable[[], bytes | None]) -> str | None:
        if self._warn_if_not_finite(step, copy):
            return None
        prefix = self._prefix(step)
        _LOGGER.info("Saving checkpoint for step %d to checkpoint: %s.", step, prefix)
        try:
            self._write(prefix, copy, meta_graph())
        except (tf.errors.OpError, OSError) as error:
            raise CheckpointSaveError(*_reason(error), prefix) from error
        note_saved(prefix, copy.values_by_place)
        return prefix

    def _write(self, prefix: str, copy: StateCopy, meta_graph: bytes | None) -> None:
        if self._before_save is not None:
            self._before_save()
        if not self._is_writable:
            self.verify_writable()
        self._move_aside(prefix)
        kept = self._without_those_kept_for_good(self._index.kept)
        self._index.set_listed(None)  # to be read anew if this fails
        self._index.set_listed(
            writing.write_checkpoint(prefix, copy.checkpoint, meta_graph, kept, self._max_to_keep)
        )

    def _without_those_kept_for_good(self, prefixes: list[str]) -> list[str]:
        """Returns the checkpoints without those that would be deleted now, but are kept for good."""
        if self._max_to_keep is None or self._keep_every_seconds is None:
            return prefixes
        kept_for_good = set()
        for prefix in prefixes[: len(prefixes) + 1 - self._max_to_keep]:
            if os.path.getmtime(f"{prefix}.index") > self._keeps_from:
                kept_for_good.add(prefix)
                self._keeps_from += self._keep_every_seconds
        return [prefix for prefix in prefixes if prefix not in kept_for_good]

    def _move_aside(self, prefix: str) -> None:
        """Renames what is damaged, and files of this number, so that nothing is ever written over."""
        if files.exists(prefix) and self._index.is_intact(prefix):
            files.move_checkpoints_aside([prefix], "replaced")
        files.move_checkpoints_aside([*self._index.damaged, prefix], "damaged")
        self._index.forget_damaged()

    def _warn_if_not_finite(self, step: int, copy: StateCopy) -> bool:
        names = copy.not_finite() if self._require_finite else []
        if not names:
            return False
        more = len(names) - _NAMES_IN_WARNING
        _LOGGER.warning(
            "No checkpoint is saved for step %d: not all values are finite in %s%s.",
            step,
            ", ".join(names[:_NAMES_IN_WARNING]),
            f" and {more} more variables" if more > 0 else "",
        )
        return True


def _reason(error: tf.errors.OpError | OSError) -> tuple[int | None, str]:
    """Returns the operating system's number and text of an error.

    The message of an error of TensorFlow has that text somewhere in it.
    """
    if isinstance(error, OSError):
        return error.errno, error.strerror or str(error)
    for number in _REASONS:
        if os.strerror(number) in error.message:
            return number, os.strerror(number)
    return None, error.message
