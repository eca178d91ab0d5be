"""Which checkpoint a path given by the user means."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.checkpoints.directory import exists, newest_listed
from keras_legacy_train.checkpoints.index import CheckpointIndex
from keras_legacy_train.checkpoints.reading import open_reader
from keras_legacy_train.checkpoints.verification import verify_files


def checkpoint_prefix(name: str, path: Any) -> str:
    """The prefix of a checkpoint: the path itself, or that of the newest intact one in a directory.

    Args:
        name: The argument that gave the path, for messages.
        path: A prefix or a directory.

    Raises:
        ValueError: It is no path, or there is no such checkpoint.
        DamagedCheckpointError: There are checkpoints in the directory, and none of them can be read.
    """
    path = arguments.as_path(name, path)
    newest = CheckpointIndex(path).find_latest() if os.path.isdir(path) else None
    return _existing(name, path, newest)


def optional_checkpoint_prefix(name: str, path: Any) -> str | None:
    """The prefix of a checkpoint, `None` if the path is `None` or empty. See `checkpoint_prefix`."""
    path = arguments.as_optional_path(name, path)
    return None if path is None else checkpoint_prefix(name, path)


def listed_checkpoint_prefix(name: str, path: Any) -> str:
    """As `checkpoint_prefix`; but in a directory the `checkpoint` file decides, and nothing is verified."""
    path = arguments.as_path(name, path)
    return _existing(name, path, newest_listed(path) if os.path.isdir(path) else None)


def open_checkpoint(name: str, prefix: str) -> tf.train.CheckpointReader:
    """A reader of a checkpoint.

    Args:
        name: The argument that gave the path, for messages.
        prefix: Its prefix.

    Raises:
        ValueError: It cannot be read.
    """
    try:
        reader = open_reader(prefix)
    except tf.errors.OpError as error:
        raise _unreadable(name, prefix, error) from error
    if not reader.get_variable_to_shape_map():  # as that of an index file alone
        raise ValueError(f"{name}: the checkpoint {prefix!r} cannot be read; there is nothing in it.")
    return reader


def _existing(name: str, path: str, newest: str | None) -> str:
    """The newest checkpoint, if the path is a directory; or the path itself."""
    if os.path.isdir(path):
        if newest is None:
            raise ValueError(f"{name}: There is no checkpoint in the directory {path!r}.")
        path = newest
    elif not exists(path):
        raise ValueError(
            f"{name}: There is no checkpoint {path!r}. What is needed is a directory, or a prefix such as"
            " 'model.ckpt-300', without '.index', '.meta' or '.data-00000-of-00001'."
        )
    try:
        verify_files(path)
    except tf.errors.OpError as error:
        raise _unreadable(name, path, error) from error
    return path


def _unreadable(name: str, prefix: str, error: tf.errors.OpError) -> ValueError:
    return ValueError(f"{name}: the checkpoint {prefix!r} cannot be read: {error.message}")
