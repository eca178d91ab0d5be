"""Finds out which checkpoints a directory has: listed, damaged, refused, and the newest intact one."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Sequence

import tensorflow as tf

from keras_legacy_train.checkpoints import directory as files
from keras_legacy_train.checkpoints.reading import checkpoint_contents, find_damage
from keras_legacy_train.errors import DamagedCheckpointError

_LOGGER = logging.getLogger("keras_legacy_train")
_NAMES_IN_WARNING = 10


class CheckpointIndex:
    """Knows the checkpoints `<directory>/<name>-<step>`. It reads files and never changes one.

    Args:
        directory: Where the checkpoints lie. It need not exist.
        name: The first part of the checkpoints' names.

    Attributes:
        directory: As given.
        name: As given.

    Raises:
        ValueError: The path of the directory has a character (`*`, `?`, `[`, backslash) that TensorFlow reads
            as a pattern.
    """

    def __init__(self, directory: str, name: str = "model.ckpt"):
        files.check_path(directory)
        self.directory = directory
        self.name = name
        # The listed prefixes, the newest last; `None` until they are read. Their files may be gone.
        self._listed: list[str] | None = None
        # Prefixes found to be damaged, with what is wrong.
        self._damaged: dict[str, str] = {}
        # Listed paths that are not read, with the reason.
        self._refused: dict[str, str] = {}
        # Whether the last of the list is the newest; not if the path in that place was refused.
        self._is_newest_listed = True

    @property
    def listed(self) -> list[str]:
        """Returns the prefixes that the `checkpoint` file lists, the newest last.

        Without such a file, these are the checkpoints found in the directory.
        """
        if self._listed is None:
            self._listed = self._read_list()
        return self._listed

    @property
    def damaged(self) -> list[str]:
        """Returns the prefixes of the checkpoints found to be damaged so far."""
        return list(self._damaged)

    @property
    def kept(self) -> list[str]:
        """Returns the listed prefixes whose files exist, oldest first, without the damaged ones."""
        return [prefix for prefix in self.listed if prefix not in self._damaged and files.exists(prefix)]

    def find_latest(self) -> str | None:
        """Returns the prefix of the newest intact checkpoint, or `None` if the directory holds none at all.

        That is the last in the `checkpoint` file. If that one is damaged, or no `checkpoint` file can be
        read, it is the intact checkpoint with the highest step, listed or not. A warning names the damaged
        ones. All tensors of a checkpoint are read to verify it, so ask sparingly.

        Raises:
            DamagedCheckpointError: There are checkpoints, but not one is intact.
        """
        present = files.files_by_checkpoint(self.directory)
        gone = [prefix for prefix in self.listed if os.path.basename(prefix) not in present]
        self._warn_of_gone(gone)
        for prefix in self._newest_first(set(gone)):
            if self._is_intact(prefix, present[os.path.basename(prefix)]):
                self.set_listed([each for each in self.listed if each != prefix] + [prefix])
                return prefix
        found = dict.fromkeys(gone, "its files are gone") | self._damaged | self._refused
        problems = [f"{path}: {problem}" for path, problem in found.items()]
        if problems and not self._holds_only_a_torn_start():
            raise DamagedCheckpointError(self.directory, problems)
        return None

    def is_intact(self, prefix: str) -> bool:
        """Reads all of a checkpoint and tells whether it is intact; the first time it is not, warns."""
        return self._is_intact(prefix, files.checkpoint_files(prefix))

    def _is_intact(self, prefix: str, paths: Sequence[str]) -> bool:
        if prefix in self._damaged:
            return False
        link = files.leads_outside(self.directory, paths)
        damage = find_damage(prefix) if link is None else f"{link} is a link to outside of the directory"
        if damage is not None:
            self._damaged[prefix] = damage
            _LOGGER.warning("Checkpoint %s is damaged and passed over: %s", prefix, damage)
        return damage is None

    def set_listed(self, prefixes: Sequence[str] | None) -> None:
        """Sets what the `checkpoint` file lists now, the newest last; `None` to read the file again."""
        self._listed = None if prefixes is None else list(prefixes)
        self._is_newest_listed = True

    def forget_damaged(self) -> None:
        """Forgets which checkpoints are damaged, when their files have been renamed."""
        self._damaged.clear()

    def _read_list(self) -> list[str]:
        paths = files.read_state(self.directory)
        if paths is None:
            found = files.find_checkpoints(self.directory, self.name)
            state_file = os.path.join(self.directory, files.STATE_FILE)
            if found or os.path.lexists(state_file):
                _LOGGER.warning(
                    "%s is missing or unreadable; going by the checkpoints found beside it: %s.",
                    state_file,
                    ", ".join(map(os.path.basename, found)) or "none",
                )
            return found
        located = [(path, files.locate(self.directory, path)) for path in paths]
        self._refused = {path: problem for path, prefix in located if (problem := self._refusal(prefix))}
        self._is_newest_listed = paths[-1] not in self._refused
        return list(dict.fromkeys(prefix for path, prefix in located if prefix and path not in self._refused))

    def _refusal(self, prefix: str | None) -> str | None:
        """Returns why a listed checkpoint is not even looked at, or `None` if it is.

        Under a name that no save here gives, there may be somebody's file, which would be deleted with the
        checkpoints.
        """
        if prefix is None:
            return "outside of the directory, not read"
        if files.is_named(prefix, self.name):
            return None
        if files.leads_outside(self.directory, files.checkpoint_files(prefix)):
            return "a link to outside of the directory, not read"
        try:
            checkpoint_contents(prefix)
        except tf.errors.OpError:
            return "not a checkpoint"
        return None

    def _newest_first(self, gone: Collection[str]) -> list[str]:
        """Returns every checkpoint, listed or found, but for those whose files are gone.

        The last of the list comes first, the others by step.
        """
        newest = self.listed[-1:] if self._is_newest_listed else []
        others = set(self.listed).union(files.find_checkpoints(self.directory, self.name)).difference(newest)
        ordered = newest + sorted(others, key=files.step_of, reverse=True)
        return [prefix for prefix in ordered if prefix not in gone]

    def _warn_of_gone(self, gone: Sequence[str]) -> None:
        if gone:
            _LOGGER.warning(
                "The files of %d checkpoints that %s lists are gone: %s%s.",
                len(gone),
                os.path.join(self.directory, files.STATE_FILE),
                ", ".join(map(os.path.basename, gone[-_NAMES_IN_WARNING:])),
                " and others" if len(gone) > _NAMES_IN_WARNING else "",
            )

    def _holds_only_a_torn_start(self) -> bool:
        """Tells whether only the first save of all was cut short: before it, nothing was trained."""
        is_listed = os.path.exists(os.path.join(self.directory, files.STATE_FILE))
        return not is_listed and [files.step_of(prefix) for prefix in self._damaged] == [0]
