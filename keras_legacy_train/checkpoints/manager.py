"""The checkpoints of one directory: the newest good one, the next one, and which are kept."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_legacy_train.checkpoints import directory as files
from keras_legacy_train.checkpoints.reading import find_damage
from keras_legacy_train.checkpoints.state import CheckpointState, NamedVariables
from keras_legacy_train.errors import DamagedCheckpointError

logger = logging.getLogger("keras_legacy_train")

_NAMES_IN_WARNING = 10


def _no_meta_graph() -> None:
    return None


class CheckpointManager:
    """Saves a state in `<directory>/<name>-<step>`, keeps the newest checkpoints, and restores from them.

    It stands for the `Saver` of `tf.contrib.learn.train`, around a `tf.train.CheckpointManager` that writes
    and deletes. What it adds: whole checkpoints only, finite values only. Everything runs eagerly. Only one
    manager at a time may be at work in a directory.

    A checkpoint consists of `<prefix>.index`, `<prefix>.data-00000-of-00001` and, if there is a graph to
    show, `<prefix>.meta`; the file `checkpoint` lists those that are kept.

    Args:
        directory: Where the checkpoints lie. Nothing is created or written before it is asked for.
        state: What a checkpoint holds; `track` can tell that later.
        max_to_keep: How many checkpoints to keep, the newest; older ones are deleted after a save, and only
            if their names are in the list this manager keeps. `None` keeps all.
        meta_graph: Returns the serialized `MetaGraphDef` to write beside the next checkpoint, or `None`.
        require_finite: Whether a checkpoint with a NaN or an infinity among its floats is never written.
        name: The first part of the checkpoints' names.

    Raises:
        ValueError: `max_to_keep` is not positive, or the path of the directory has a character (`*`, `?`,
            `[`, backslash) that TensorFlow reads as a pattern.
    """

    def __init__(
        self,
        directory: str,
        state: CheckpointState | None = None,
        *,
        max_to_keep: int | None,
        meta_graph: Callable[[], bytes | None] = _no_meta_graph,
        require_finite: bool = True,
        name: str = "model.ckpt",
    ):
        if max_to_keep is not None and max_to_keep < 1:
            raise ValueError(f"max_to_keep must be positive or None, not {max_to_keep}.")
        files.check_path(directory)
        self._directory = directory
        self._name = name
        self._max_to_keep = max_to_keep
        self._require_finite = require_finite
        self.track(NamedVariables(()) if state is None else state, meta_graph)
        # Prefixes found to be damaged, with what is wrong.
        self._damaged: dict[str, str] = {}
        # Listed paths that lead out of the directory.
        self._elsewhere: list[str] = []
        # The listed prefixes, the newest last; whether their files are still there is another matter.
        self._listed = self._read_list()

    def track(self, state: CheckpointState, meta_graph: Callable[[], bytes | None] = _no_meta_graph) -> None:
        """Sets what a checkpoint holds, in the place of what the constructor was given."""
        self._state = state
        self._meta_graph = meta_graph
        self._writer: tf.train.CheckpointManager | None = None

    @property
    def checkpoints(self) -> list[str]:
        """The prefixes of the checkpoints kept, oldest first, without those found to be damaged."""
        return [p for p in self._listed if p not in self._damaged and files.exists(p)]

    @property
    def latest(self) -> str | None:
        """The prefix of the newest intact checkpoint, or `None` if the directory holds none at all.

        It is the last in the `checkpoint` file. If that one is damaged, or no `checkpoint` file can be read,
        it is the intact checkpoint with the highest step, listed or not. Damaged ones are told of in a
        warning. All tensors of the checkpoint are read to verify them, so ask sparingly.

        Raises:
            DamagedCheckpointError: There are checkpoints, but not one is intact.
        """
        for prefix in self._newest_first():
            if self._is_intact(prefix):
                self._listed = [p for p in self._listed if p != prefix] + [prefix]
                return prefix
        problems = [f"{prefix}: {damage}" for prefix, damage in self._damaged.items()]
        problems += [f"{path}: outside of the directory, not read" for path in self._elsewhere]
        if problems and not self._holds_only_a_torn_start():
            raise DamagedCheckpointError(self._directory, problems)
        return None

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
        self._state.restore(path)

    def read(self, path: str, name: str) -> np.ndarray | None:
        """The value of one variable in a checkpoint, `None` if it is not there.

        Args:
            path: The checkpoint's prefix.
            name: The variable's name.
        """
        reader = tf.train.load_checkpoint(path)
        return reader.get_tensor(name) if reader.has_tensor(name) else None

    def verify_writable(self) -> None:
        """Creates the directory and its parents where missing, and tries to write there; no file is left.

        Raises:
            PermissionError: The directory cannot be created or written to.
        """
        files.verify_writable(self._directory)

    def save(self, step: int) -> str | None:
        """Writes a checkpoint, lists it in the `checkpoint` file, and only then deletes those not kept.

        If the newest checkpoint has this number already and is intact, nothing is written: dying while
        writing over it would destroy it. Any other files of this number are renamed first: to
        `<file>.damaged`, or to `<file>.replaced` if they were intact but left over by a run that went on
        from there, so that their values are not those of the variables.

        Args:
            step: The checkpoint's number.

        Returns:
            The checkpoint's prefix; `None`, with a warning that names them, if variables are not finite.

        Raises:
            tf.errors.OpError, OSError: The files cannot be written. Earlier checkpoints are as they were.
        """
        if self._warn_if_not_finite(step):
            return None
        prefix = os.path.join(self._directory, f"{self._name}-{step}")
        if self.checkpoints[-1:] == [prefix] and self._is_intact(prefix):
            return prefix
        logger.info("Saving checkpoint for step %d to checkpoint: %s.", step, prefix)
        self._clear_number(prefix)
        self._write(step)
        return prefix

    def _write(self, step: int) -> None:
        writer = self._prepared_writer()
        earlier = writer.checkpoints
        # Called when the tensors are written and the `checkpoint` file is not yet.
        options = tf.train.CheckpointOptions(experimental_write_callbacks=[self._write_meta_graph])
        writer.save(checkpoint_number=step, options=options)
        self._listed = writer.checkpoints
        for prefix in set(earlier).difference(self._listed):
            files.delete_remains(prefix)

    def _prepared_writer(self) -> tf.train.CheckpointManager:
        """Returns TensorFlow's manager, made to keep exactly what this one keeps.

        It takes its list from the `checkpoint` file and deletes what that names, wherever it lies. So it gets
        to see only a file written here.
        """
        kept = self.checkpoints
        if self._writer is None or self._writer.checkpoints != kept:
            files.write_state(self._directory, kept)
            self._writer = tf.train.CheckpointManager(
                tf.train.Checkpoint(**self._state.children()),
                self._directory,
                max_to_keep=self._max_to_keep,
                checkpoint_name=self._name,
            )
        return self._writer

    def _write_meta_graph(self, prefix: str) -> None:
        meta_graph = self._meta_graph()
        if meta_graph is not None:
            files.write_atomically(prefix + ".meta", meta_graph)

    def _clear_number(self, prefix: str) -> None:
        """Moves files of this number aside, so that nothing is ever written over."""
        if files.exists(prefix) and self._is_intact(prefix):
            files.move_checkpoint_aside(prefix, "replaced")
        else:
            files.move_checkpoint_aside(prefix, "damaged")
        self._damaged.pop(prefix, None)

    def _warn_if_not_finite(self, step: int) -> bool:
        names = self._state.not_finite() if self._require_finite else []
        if not names:
            return False
        more = len(names) - _NAMES_IN_WARNING
        logger.warning(
            "No checkpoint is saved for step %d: not all values are finite in %s%s.",
            step,
            ", ".join(names[:_NAMES_IN_WARNING]),
            f" and {more} more variables" if more > 0 else "",
        )
        return True

    def _read_list(self) -> list[str]:
        """Returns the prefixes in the `checkpoint` file or, without such a file, those in the directory."""
        paths = files.read_state(self._directory)
        if paths is None:
            found = files.find_checkpoints(self._directory, self._name)
            state_file = os.path.join(self._directory, files.STATE_FILE)
            if found or os.path.exists(state_file):
                logger.warning(
                    "%s is missing or unreadable; going by the checkpoints found beside it: %s.",
                    state_file,
                    ", ".join(map(os.path.basename, found)) or "none",
                )
            return found
        located = {path: files.locate(self._directory, path) for path in paths}
        self._elsewhere = [path for path, prefix in located.items() if prefix is None]
        return list(dict.fromkeys(prefix for prefix in located.values() if prefix is not None))

    def _newest_first(self) -> list[str]:
        """Returns every checkpoint, listed or found: the last of the list first, the others by step."""
        newest = self._listed[-1:]
        others = set(self._listed).union(files.find_checkpoints(self._directory, self._name))
        return newest + sorted(others.difference(newest), key=files.step_of, reverse=True)

    def _is_intact(self, prefix: str) -> bool:
        if prefix in self._damaged:
            return False
        damage = find_damage(prefix)
        if damage is not None:
            self._damaged[prefix] = damage
            logger.warning("Checkpoint %s is damaged and passed over: %s", prefix, damage)
        return damage is None

    def _holds_only_a_torn_start(self) -> bool:
        """Whether the first save of all was cut short: nothing was trained yet, so nothing can be lost."""
        listed = os.path.exists(os.path.join(self._directory, files.STATE_FILE))
        return not listed and [files.step_of(prefix) for prefix in self._damaged] == [0]
