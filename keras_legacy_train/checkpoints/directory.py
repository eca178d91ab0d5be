"""Finds, lists, moves and deletes the files of a checkpoint directory."""

from __future__ import annotations

import collections
import errno
import os
import re
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence

import tensorflow as tf
from google.protobuf import text_format

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints.durable import write_durably
from keras_legacy_train.checkpoints.regular_files import read_regular

STATE_FILE = "checkpoint"
# The graph as text, which lies beside the checkpoints.
GRAPH_FILE = "graph.pbtxt"

# A list of 200,000 checkpoints, with their timestamps, is about as long.
_MAX_STATE_BYTES = 2**24
# What TensorFlow takes for a pattern, in the paths it reads and deletes.
_PATTERN_CHARACTERS = re.compile(r"[*?\[\\]")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f]")
# The older format, sharded, is listed as a pattern over its shards.
_V1_SHARDS = re.compile(r"-\?{5}-of-[0-9]{5}$")
_TENSOR_FILE_SUFFIX = r"(?:\.index|\.data-[0-9]{5}-of-[0-9]{5})"
_SUFFIX = re.compile(rf"(?:{_TENSOR_FILE_SUFFIX}|\.meta)$")
_SHARD = re.compile(r"-[0-9]{5}(-of-[0-9]{5})$")


def check_path(directory: str) -> None:
    """Raises ValueError if TensorFlow would read the path as a pattern and not find its own files there."""
    found = _PATTERN_CHARACTERS.search(directory)
    if found:
        raise ValueError(
            f"Checkpoints cannot be kept in {directory!r}: TensorFlow reads {found.group()!r} in a path as a"
            " pattern."
        )


def verify_writable(directory: str) -> None:
    """Creates the directory and its parents where missing, and tries to write there. No file is left.

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
    """Tells whether a checkpoint is called `<name>-<step>`."""
    return re.fullmatch(rf"{re.escape(name)}-[0-9]+", os.path.basename(prefix)) is not None


def exists(prefix: str) -> bool:
    """Tells whether a checkpoint has its main file: the index or, in the older format, the data."""
    if os.path.isfile(prefix + ".index") or os.path.isfile(prefix):
        return True
    return _V1_SHARDS.search(prefix) is not None and any(map(os.path.isfile, tf.io.gfile.glob(prefix)))


def find_checkpoints(directory: str, name: str) -> list[str]:
    """Returns the prefixes of all `<name>-<step>` with a file in the directory, in order of their steps.

    They may be incomplete. The directory need not exist.
    """
    pattern = re.compile(rf"({re.escape(name)}-[0-9]+){_TENSOR_FILE_SUFFIX}?")
    matches = map(pattern.fullmatch, file_names(directory))
    found = {os.path.join(directory, match.group(1)) for match in matches if match}
    return sorted(found, key=step_of)


def read_state(directory: str) -> list[str] | None:
    """Reads the `checkpoint` file.

    Returns:
        The paths in it, the newest last, each joined to the directory; `None` if there is no such file, or it
        cannot be read.
    """
    state = _tensorflow.CheckpointStateProto()
    try:
        text_format.Parse(read_regular(os.path.join(directory, STATE_FILE), _MAX_STATE_BYTES), state)
    except (OSError, ValueError, text_format.ParseError):  # ValueError: it is not UTF-8
        return None
    newest = state.model_checkpoint_path
    if not newest:
        return None
    paths = [path for path in state.all_model_checkpoint_paths if path != newest] + [newest]
    return [os.path.join(directory, path) for path in paths]


def newest_listed(directory: str) -> str | None:
    """Returns the newest checkpoint by the `checkpoint` file, as `tf.train.latest_checkpoint` does."""
    paths = read_state(directory)
    return paths[-1] if paths and exists(paths[-1]) else None


def write_state(directory: str, prefixes: Sequence[str]) -> None:
    """Replaces the `checkpoint` file by one that lists these checkpoints of the directory, the newest last.

    Paths are written relative to the directory, so that it can be moved. Timestamps are written because
    `tf.train.CheckpointManager` forgets checkpoints without one. If there are no checkpoints, an existing
    `checkpoint` file is moved aside.
    """
    path = os.path.join(directory, STATE_FILE)
    is_replaced = bool(prefixes) and (os.path.isfile(path) or os.path.islink(path))
    if os.path.lexists(path) and not is_replaced:
        _move_aside(path, "damaged")
    if not prefixes:
        return
    names = [os.path.basename(prefix) for prefix in prefixes]
    state = tf.compat.v1.train.generate_checkpoint_state_proto(
        os.path.abspath(directory), names[-1], names, [time.time()] * len(names)
    )
    write_durably(path, str(state).encode())


def locate(directory: str, path: str) -> str | None:
    """Returns the prefix, in the directory, of a checkpoint that the `checkpoint` file lists under `path`.

    Only its name counts: absolute paths stay valid when the directory is moved or copied, and nothing outside
    of it is touched, whatever the file says.

    Returns:
        The prefix; `None` if the path leads elsewhere and the directory has no such checkpoint, or if no
        checkpoint can have that name.
    """
    if _CONTROL_CHARACTERS.search(path):
        return None
    parent, name = os.path.split(path)
    if name in ("", ".", "..") or _PATTERN_CHARACTERS.search(_V1_SHARDS.sub("", name)):
        return None
    prefix = os.path.join(directory, name)
    belongs_here = (
        parent == directory or exists(prefix) or os.path.realpath(parent) == os.path.realpath(directory)
    )
    return prefix if belongs_here else None


def checkpoint_files(prefix: str) -> list[str]:
    """Returns the paths of the files of a checkpoint, or of what is left of one."""
    directory, name = os.path.split(prefix)
    return files_by_checkpoint(directory, [name]).get(name, [])


def files_by_checkpoint(directory: str, only: Iterable[str] | None = None) -> Mapping[str, list[str]]:
    """Returns the paths of all files in a directory by the name of the checkpoint that they could belong to.

    A file can be that of two: in the older format, the data has the checkpoint's own name.

    Args:
        directory: The directory; it need not exist.
        only: The names of the checkpoints whose files are wanted; by default all are.
    """
    beginnings = ("",) if only is None else tuple(name.partition("?")[0] for name in only)
    found: dict[str, list[str]] = collections.defaultdict(list)
    for name in file_names(directory):
        if not name.startswith(beginnings):
            continue
        names = (name, _SUFFIX.sub("", name))
        for each in {*names, *(_SHARD.sub(r"-?????\1", each) for each in names)}:
            found[each].append(os.path.join(directory, name))
    return dict(found)


def leads_outside(directory: str, paths: Iterable[str]) -> str | None:
    """Returns the first of the paths that is a link to outside of the directory, or `None`."""
    directory = os.path.realpath(directory)
    for path in paths:
        if os.path.islink(path) and os.path.commonpath([directory, os.path.realpath(path)]) != directory:
            return path
    return None


def move_checkpoints_aside(prefixes: Sequence[str], label: str) -> None:
    """Renames all files of checkpoints to `<file>.<label>`, with a number behind it if that name is taken."""
    for directory in {os.path.dirname(prefix) for prefix in prefixes}:
        names = [os.path.basename(prefix) for prefix in prefixes if os.path.dirname(prefix) == directory]
        files = files_by_checkpoint(directory, names)
        for path in dict.fromkeys(path for name in names for path in files.get(name, ())):
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
