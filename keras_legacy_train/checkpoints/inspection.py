"""Says what a directory's checkpoints hold, and in which state they are; changes nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
import math
import os
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints import directory as files
from keras_legacy_train.checkpoints.directory_lock import LockHolder, lock_holder
from keras_legacy_train.checkpoints.index import CheckpointIndex
from keras_legacy_train.checkpoints.keys import Form, form_of, without_added
from keras_legacy_train.checkpoints.reading import checkpoint_contents, in_one_line, read_tensors
from keras_legacy_train.errors import DamagedCheckpointError

_LOGGER = logging.getLogger("keras_legacy_train")


@dataclasses.dataclass(frozen=True)
class VariableReport:
    """Describes a variable in a checkpoint.

    Attributes:
        name: Its key in the file.
        dtype: The dtype's name.
        shape: The shape of the whole.
        slices: In how many slices it is stored; 1 for a whole one.
        norm: The square root of the sum of squares; `None` for what is no number.
        not_finite: How many entries are NaN or infinite.
    """

    name: str
    dtype: str
    shape: Sequence[int]
    slices: int
    norm: float | None
    not_finite: int


@dataclasses.dataclass(frozen=True)
class CheckpointReport:
    """Describes a checkpoint.

    Attributes:
        prefix: Its path without suffix.
        step: The number at the end of its name, `None` if there is none.
        time: When it was written, in seconds since the epoch; `None` if no file of it can be looked at.
        bytes: The size of its files.
        form: `"names"`, `"objects"`, or `None` for a damaged one.
        version: 1 for the older format of TensorFlow 1, else 2.
        damage: What is wrong with it, in one line; `None` if it is whole.
        variables: What it holds; of a damaged one what could be read.
        is_listed: Whether the `checkpoint` file of its directory lists it.
    """

    prefix: str
    step: int | None
    time: float | None
    bytes: int
    form: Form | None
    version: int
    damage: str | None
    variables: Sequence[VariableReport]
    is_listed: bool

    @property
    def not_finite(self) -> list[str]:
        """Returns the names of the variables with a NaN or an infinity."""
        return [variable.name for variable in self.variables if variable.not_finite]


@dataclasses.dataclass(frozen=True)
class DirectoryReport:
    """Describes the checkpoints of a directory.

    Attributes:
        directory: The directory.
        checkpoints: Its checkpoints by step.
        resumes: The prefix of the one from which training goes on; `None` if there is none.
        problem: Why training would not start here, `None` if it would.
        gone: The prefixes that the `checkpoint` file lists without there being a file.
        holder: Who holds the directory, if it is held.
    """

    directory: str
    checkpoints: Sequence[CheckpointReport]
    resumes: str | None
    problem: str | None
    gone: Sequence[str]
    holder: LockHolder | None


def inspect_directory(directory: str) -> DirectoryReport:
    """Reads all checkpoints of a directory, and returns what they are.

    Args:
        directory: The directory.

    Raises:
        OSError: The directory cannot be read.
        ValueError: Its path has a character that TensorFlow reads as a pattern.
    """
    index = CheckpointIndex(directory)
    with _silent_log(), _tensorflow.eager_mode():
        listed = index.listed
        present = files.files_by_checkpoint(directory)
        prefixes = [prefix for prefix in listed if os.path.basename(prefix) in present]
        gone = [prefix for prefix in listed if os.path.basename(prefix) not in present]
        names = [name for name, paths in present.items() if _is_checkpoint(name, paths)]
        prefixes += [os.path.join(directory, name) for name in names]
        reports = [
            _inspect(prefix, present[os.path.basename(prefix)], is_listed=prefix in listed)
            for prefix in sorted(set(prefixes), key=lambda prefix: (files.step_of(prefix), prefix))
        ]
        resumes, problem = None, None
        try:
            resumes = index.find_latest()
        except DamagedCheckpointError as error:
            problem = f"{len(error.problems)} checkpoints, and none of them can be read"
    return DirectoryReport(directory, reports, resumes, problem, gone, lock_holder(directory))


def inspect_checkpoint(prefix: str) -> CheckpointReport:
    """Reads a checkpoint, and returns what it is.

    Args:
        prefix: Its path without suffix.
    """
    directory = os.path.dirname(prefix)
    listed = {files.locate(directory, path) for path in files.read_state(directory or ".") or ()}
    with _tensorflow.eager_mode():
        return _inspect(prefix, files.checkpoint_files(prefix), is_listed=prefix in listed)


def _is_checkpoint(name: str, paths: Sequence[str]) -> bool:
    """Tells whether files are those of a checkpoint, and not of the user's."""
    names = [os.path.basename(path) for path in paths]
    if files.is_named(name, "model.ckpt"):
        return any(not each.endswith(".meta") for each in names)
    return any(each.startswith(f"{name}.data-") for each in names)


def _inspect(prefix: str, paths: Sequence[str], is_listed: bool) -> CheckpointReport:
    form: Form | None = None
    variables: list[VariableReport] = []
    damage = None
    link = files.leads_outside(os.path.dirname(prefix), paths)
    if link is not None:
        damage = f"{link} is a link to outside of the directory"
    else:
        try:
            shapes, dtypes = checkpoint_contents(prefix)
            form = form_of(shapes)
            shown = set(without_added(shapes))
            variables += (each for each in _variables(prefix, shapes, dtypes) if each.name in shown)
        except tf.errors.OpError as error:
            damage = in_one_line(error)
    status = [os.lstat(path) for path in paths if os.path.lexists(path)]
    main = next((path for path in (f"{prefix}.index", prefix) if os.path.lexists(path)), None)
    step = files.step_of(prefix)
    return CheckpointReport(
        prefix=prefix,
        step=None if step < 0 else step,
        time=None if main is None else os.lstat(main).st_mtime,
        bytes=sum(each.st_size for each in status),
        form=form,
        version=2 if os.path.lexists(f"{prefix}.index") else 1,
        damage=damage,
        variables=variables,
        is_listed=is_listed,
    )


def _variables(
    prefix: str, shapes: dict[str, list[int]], dtypes: dict[str, tf.DType]
) -> Iterator[VariableReport]:
    """Yields what each variable is; one tensor is in memory at a time."""
    for name, parts in itertools.groupby(read_tensors(prefix), key=lambda each: each[0]):
        slices, squares, not_finite = 0, 0.0, 0
        for _, _, value in parts:
            slices += 1
            if _is_number(value.dtype):
                magnitudes = _magnitudes(value)
                squares += float(np.vdot(magnitudes, magnitudes))
                not_finite += magnitudes.size - int(np.count_nonzero(np.isfinite(magnitudes)))
        norm = math.sqrt(squares) if _is_number(dtypes[name]) else None
        yield VariableReport(name, dtypes[name].name, tuple(shapes[name]), slices, norm, not_finite)


def _is_number(dtype: tf.DType) -> bool:
    return bool(dtype.is_floating or dtype.is_integer or dtype.is_complex or dtype.is_bool)


def _magnitudes(value: tf.Tensor) -> np.ndarray:
    """Returns the absolute values as float64; NumPy needs less time than TensorFlow for many small ones."""
    wide = np.complex128 if value.dtype.is_complex else np.float64
    magnitudes: np.ndarray = np.abs(value.numpy().astype(wide))
    return magnitudes


@contextlib.contextmanager
def _silent_log() -> Iterator[None]:
    """Keeps the index from warning of damage, which the report tells."""
    before, _LOGGER.disabled = _LOGGER.disabled, True
    try:
        yield
    finally:
        _LOGGER.disabled = before
