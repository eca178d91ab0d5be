"""The files of a checkpoint directory: which checkpoints lie there, the list of them, moving and deleting."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
from collections.abc import Sequence

import tensorflow as tf

from keras_legacy_train.checkpoints.durable import write_durably

STATE_FILE = "checkpoint"

# What TensorFlow takes for a pattern, in the paths it reads and deletes.
_PATTERN_CHARACTERS = re.compile(r"[*?\[\\]")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f]")
# The older format, sharded, is listed as a pattern over its shards.
_V1_SHARDS = re.compile(r"-\?{5}-of-[0-9]{5}$")
_TENSOR_FILE_SUFFIX = r"(?:\.index|\.data-[0-9]{5}-of-[0-9]{5})"


def check_path(directory: str) -> None:
    """Raises ValueError if TensorFlow would take the path for a pattern and not find what it wrote there."""
    found = _PATTERN_CHARACTERS.search(directory)
    if found:
        raise ValueError(
            f"Checkpoints cannot be kept in {directory!r}: TensorFlow reads {found.group()!r} in a path as a"
            " pattern."
        )


def verify_writable(directory: str) -> None:
    """Creates the directory and its parents where missing, and tries to write there; no file is left.

    Raises:
        PermissionError: The directory cannot be created or written to.
    """
    try:
        os.makedirs(directory, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        if error.errno == errno.EROFS:
            raise PermissionError(error.errno, error.strerror, directory) from error
        raise


def step_of(prefix: str) -> int:
    """Returns the number at the end of a checkpoint's name, or -1 if it has none."""
    number = re.search(r"-([0-9]+)$", _V1_SHARDS.sub("", prefix))
    return int(number.group(1)) if number else -1


def is_named(prefix: str, name: str) -> bool:
    """Whether a checkpoint is called `<name>-<step>`."""
    return re.fullmatch(rf"{re.escape(name)}-[0-9]+", os.path.basename(prefix)) is not None


def exists(prefix: str) -> bool:
    """Whether the file that makes a checkpoint is there: the index or, in the older format, the data."""
    return os.path.isfile(prefix + ".index") or any(map(os.path.isfile, tf.io.gfile.glob(prefix)))


def find_checkpoints(directory: str, name: str) -> list[str]:
    """Returns the prefixes of all `<name>-<step>` that have a file in the directory, in order of their steps.

    They may be incomplete. The directory need not exist.
    """
    pattern = re.compile(rf"({re.escape(name)}-[0-9]+){_TENSOR_FILE_SUFFIX}?")
    matches = map(pattern.fullmatch, file_names(directory))
    found = {os.path.join(directory, match.group(1)) for match in matches if match}
    return sorted(found, key=step_of)


def read_state(directory: str) -> list[str] | None:
    """Returns the paths in the `checkpoint` file, the newest last, or `None` if it is gone or unreadable."""
    try:
        state = tf.train.get_checkpoint_state(directory)
    except ValueError:  # Not UTF-8, or nothing in it.
        return None
    if state is None:
        return None
    newest = state.model_checkpoint_path
    return [path for path in state.all_model_checkpoint_paths if path != newest] + [newest]


def write_state(directory: str, prefixes: Sequence[str]) -> None:
    """Replaces the `checkpoint` file by one that lists these checkpoints of the directory, the newest last.

    Their paths are written relative to the directory, so that it can be moved. They get timestamps, for
    without (as TensorFlow 1 leaves them out) `tf.train.CheckpointManager` forgets them. No checkpoints: a
    `checkpoint` file that is there is moved aside.
    """
    path = os.path.join(directory, STATE_FILE)
    if not prefixes:
        if os.path.lexists(path):
            _move_aside(path, "damaged")
        return
    names = [os.path.basename(prefix) for prefix in prefixes]
    state = tf.compat.v1.train.generate_checkpoint_state_proto(
        os.path.abspath(directory), names[-1], names, [time.time()] * len(names)
    )
    write_durably(path, str(state).encode())


def locate(directory: str, path: str) -> str | None:
    """Returns the prefix, in the directory, of a checkpoint that a `checkpoint` file lists under `path`.

    Only its name counts: absolute paths stay good when the directory is moved or copied, and nothing outside
    of it is touched whatever the file says.

    Returns:
        The prefix; `None` if the path leads elsewhere and the directory has no such checkpoint, or if the
        name is none that a checkpoint can have.
    """
    if _CONTROL_CHARACTERS.search(path):
        return None
    parent, name = os.path.split(path)
    if name in ("", ".", "..") or _PATTERN_CHARACTERS.search(_V1_SHARDS.sub("", name)):
        return None
    prefix = os.path.join(directory, name)
    belongs_here = os.path.realpath(parent) == os.path.realpath(directory) or exists(prefix)
    return prefix if belongs_here else None


def checkpoint_files(prefix: str) -> list[str]:
    """Returns the paths of the files of a checkpoint, or of what is left of one."""
    directory, name = os.path.split(prefix)
    any_shard = re.escape(name).replace(r"\?", "[0-9]")
    pattern = re.compile(rf"{any_shard}(?:{_TENSOR_FILE_SUFFIX}|\.meta)?")
    return [os.path.join(directory, each) for each in file_names(directory) if pattern.fullmatch(each)]


def leads_outside(prefix: str) -> str | None:
    """Returns the path of a file of the checkpoint that is a link to outside of its directory, or `None`."""
    directory = os.path.realpath(os.path.dirname(prefix))
    for path in checkpoint_files(prefix):
        if os.path.commonpath([directory, os.path.realpath(path)]) != directory:
            return path
    return None


def move_checkpoint_aside(prefix: str, label: str) -> None:
    """Renames all files of a checkpoint to `<file>.<label>`, with a number behind if that is taken."""
    for path in checkpoint_files(prefix):
        _move_aside(path, label)


def delete_remains(prefix: str) -> None:
    """Deletes what `tf.train.CheckpointManager` leaves: the graph and, in the older format, the data."""
    for path in (prefix + ".meta", prefix):
        if os.path.isfile(path):
            os.remove(path)


def file_names(directory: str) -> list[str]:
    """Returns the names of the files in a directory, and of the symbolic links; it need not exist."""
    if not os.path.isdir(directory):
        return []
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]


def _move_aside(path: str, label: str) -> None:
    target, count = f"{path}.{label}", 1
    while os.path.lexists(target):
        target, count = f"{path}.{label}-{count}", count + 1
    os.rename(path, target)
