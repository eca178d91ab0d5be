"""Finds the checkpoint that a path given by the user means."""

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
    """Returns the prefix of a checkpoint: the path itself, or the newest intact one in a directory.

    Args:
        name: The argument that gave the path, for messages.
        path: A prefix or a directory.

    Raises:
        ValueError: It is no path, or there is no such checkpoint, or it cannot be read.
        DamagedCheckpointError: There are checkpoints in the directory, and none of them can be read.
    """
    path = arguments.as_path(name, path)
    newest = CheckpointIndex(path).find_latest() if os.path.isdir(path) else None
    return _existing(name, path, newest)


def optional_checkpoint_prefix(name: str, path: Any) -> str | None:
    """Returns what `checkpoint_prefix` does, or `None` if the path is `None` or empty."""
    path = arguments.as_optional_path(name, path)
    return None if path is None else checkpoint_prefix(name, path)


def listed_checkpoint_prefix(name: str, path: Any) -> str:
    """Returns the prefix of a checkpoint; in a directory, of the newest by the `checkpoint` file.

    Other than `checkpoint_prefix`, this does not read the values to verify them.
    """
    path = arguments.as_path(name, path)
    return _existing(name, path, newest_listed(path) if os.path.isdir(path) else None)


def open_checkpoint(name: str, prefix: str) -> tf.train.CheckpointReader:
    """Opens a checkpoint and returns a reader of it.

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
    """Returns the newest checkpoint if the path is a directory, else the path itself."""
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
