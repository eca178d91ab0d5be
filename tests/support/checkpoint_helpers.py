"""Writes, reads and damages checkpoints for tests, and makes variables to save."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train._tensorflow import GraphVariable
from keras_legacy_train.checkpoints import (
    CheckpointIndex,
    CheckpointManager,
    NamedVariables,
    SavedVariable,
    leftovers,
)

MATRIX = np.arange(14, dtype=np.float32).reshape(7, 2)


def saved(key: str, value: Any, slice_spec: str = "", **options: Any) -> SavedVariable:
    """Makes a variable with this value."""
    value = tf.convert_to_tensor(value)
    result = blank(key, value.shape, value.dtype, slice_spec, **options)
    result.variable.assign(value)
    return result


def blank(
    key: str, shape: Any, dtype: tf.DType = tf.float32, slice_spec: str = "", **options: Any
) -> SavedVariable:
    """Makes a variable without a value."""
    return SavedVariable(key, GraphVariable(key, shape, dtype), slice_spec, **options)


def manager_of(
    directory: object, *variables: SavedVariable, max_to_keep: int | None = None, **options: Any
) -> CheckpointManager:
    return CheckpointManager(str(directory), NamedVariables(variables), max_to_keep=max_to_keep, **options)


def clean_up(directory: object) -> None:
    """Does what a trainer does first in its directory."""
    leftovers.clean_up(CheckpointIndex(str(directory)))


def write(
    directory: pathlib.Path, *steps: int, value: float | None = None, **options: Any
) -> CheckpointManager:
    """Saves a variable `w` at each step; its value is the step's number, or `value`."""
    w = blank("w", [])
    manager = manager_of(directory, w, **options)
    for step in steps:
        w.variable.assign(float(step) if value is None else value)
        manager.save(step)
    return manager


def resume(directory: pathlib.Path) -> tuple[str | None, float | None]:
    """Returns what a new run restores: the name of the checkpoint and the value of `w`."""
    w = blank("w", [])
    prefix = manager_of(directory, w).restore_latest()
    return (prefix and os.path.basename(prefix)), (None if prefix is None else float(w.variable.numpy()))


def names(directory: pathlib.Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def listed(directory: pathlib.Path) -> list[str]:
    return list(tf.train.get_checkpoint_state(str(directory)).all_model_checkpoint_paths)


def data_file(directory: pathlib.Path, step: int) -> pathlib.Path:
    return directory / f"model.ckpt-{step}.data-00000-of-00001"


def index_file(directory: pathlib.Path, step: int) -> pathlib.Path:
    return directory / f"model.ckpt-{step}.index"


def flip_a_bit(path: pathlib.Path, position: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def truncate(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: pathlib.Path) -> None:
    path.write_bytes(b"")


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Gives up the rights of root for a while, which may write everywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def save_with_saver(directory: pathlib.Path, step: int = 3, **options: Any) -> str:
    """Writes `w` whole and `table` in two slices as `tf.train.Saver` does, and returns its path."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        w = tf.compat.v1.get_variable("w", initializer=MATRIX * 2)
        table = tf.compat.v1.get_variable(
            "table",
            [7, 2],
            partitioner=tf.compat.v1.fixed_size_partitioner(2),
            initializer=tf.compat.v1.constant_initializer(0.0),
        )
        session.run([w.initializer, [part.initializer for part in table]])
        for part, rows in zip(table, (MATRIX[:4], MATRIX[4:]), strict=True):
            part.load(rows, session)
        saver = tf.compat.v1.train.Saver(**options)
        return str(saver.save(session, str(directory / "model.ckpt"), global_step=step))
