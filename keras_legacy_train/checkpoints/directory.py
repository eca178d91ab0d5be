"""The files of a checkpoint directory: which checkpoints lie there, the list of them, moving and deleting."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import time
from collections.abc import Sequence

import tensorflow as tf

STATE_FILE = "checkpoint"

# What TensorFlow takes for a pattern, in the paths it reads and deletes.
_PATTERN_CHARACTERS = re.compile(r"[*?\[\\]")
# The older format, sharded, is listed as a pattern over its shards.
_V1_SHARDS = re.compile(r"-\?{5}-of-\d{5}$")
_TENSOR_FILE_SUFFIX = r"(?:\.index|\.data-\d{5}-of-\d{5})"


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
    number = re.search(r"-(\d+)$", _V1_SHARDS.sub("", prefix))
    return int(number.group(1)) if number else -1


def exists(prefix: str) -> bool:
    """Whether the file that makes a checkpoint is there: the index or, in the older format, the data."""
    return os.path.isfile(prefix + ".index") or any(map(os.path.isfile, tf.io.gfile.glob(prefix)))


def find_checkpoints(directory: str, name: str) -> list[str]:
    """Returns the prefixes of all `<name>-<step>` that have a file in the directory, in order of their steps.

    They may be incomplete. The directory need not exist.
    """
    pattern = re.compile(rf"({re.escape(name)}-\d+){_TENSOR_FILE_SUFFIX}?")
    matches = map(pattern.fullmatch, _file_names(directory))
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
        if os.path.exists(path):
            _move_aside(path, "damaged")
        return
    names = [os.path.basename(prefix) for prefix in prefixes]
    state = tf.compat.v1.train.generate_checkpoint_state_proto(
        os.path.abspath(directory), names[-1], names, [time.time()] * len(names)
    )
    write_atomically(path, str(state).encode())


def locate(directory: str, path: str) -> str | None:
    """Returns the prefix, in the directory, of a checkpoint that a `checkpoint` file lists under `path`.

    Only its name counts: absolute paths stay good when the directory is moved or copied, and nothing outside
    of it is touched whatever the file says.

    Returns:
        The prefix; `None` if the path leads elsewhere and the directory has no such checkpoint, or if the
        name is a pattern.
    """
    parent, name = os.path.split(path)
    if not name or _PATTERN_CHARACTERS.search(_V1_SHARDS.sub("", name)):
        return None
    prefix = os.path.join(directory, name)
    belongs_here = os.path.realpath(parent) == os.path.realpath(directory) or exists(prefix)
    return prefix if belongs_here else None


def move_checkpoint_aside(prefix: str, label: str) -> None:
    """Renames all files of a checkpoint to `<file>.<label>`, with a number behind if that is taken."""
    directory, name = os.path.split(prefix)
    pattern = re.compile(rf"{re.escape(name)}(?:{_TENSOR_FILE_SUFFIX}|\.meta)?")
    for file_name in _file_names(directory):
        if pattern.fullmatch(file_name):
            _move_aside(os.path.join(directory, file_name), label)


def delete_remains(prefix: str) -> None:
    """Deletes what `tf.train.CheckpointManager` leaves: the graph and, in the older format, the data."""
    for path in (prefix + ".meta", prefix):
        if os.path.isfile(path):
            os.remove(path)


def write_atomically(path: str, data: bytes) -> None:
    """Writes a file that appears, or replaces an earlier one, only when it is complete."""
    temporary = path + ".temporary"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def _move_aside(path: str, label: str) -> None:
    target, count = f"{path}.{label}", 1
    while os.path.lexists(target):
        target, count = f"{path}.{label}-{count}", count + 1
    os.rename(path, target)


def _file_names(directory: str) -> list[str]:
    if not os.path.isdir(directory):
        return []
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries if entry.is_file()]
