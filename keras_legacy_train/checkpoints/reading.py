"""Reads checkpoints: finds damage, and restores variables by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.checkpoints.recent import values_in_memory
from keras_legacy_train.checkpoints.variables import SavedVariable
from keras_legacy_train.checkpoints.verification import partial_variables, variable_slices, verify_files
from keras_legacy_train.errors import CheckpointMismatchError

_Assigned = list[tuple[SavedVariable, tf.Tensor]]


def find_damage(prefix: str) -> str | None:
    """Reads every tensor of a checkpoint, which verifies their checksums, and returns what is wrong.

    The sizes of the files alone would not show a flipped bit. One tensor is in memory at a time. The pages
    read stay in the system's cache for the restore that follows.

    Args:
        prefix: The checkpoint's path without suffix.

    Returns:
        What is wrong, in one line, or `None` if the checkpoint is intact.
    """
    try:
        for _ in read_tensors(prefix, partial_variables):
            pass
    except tf.errors.OpError as error:
        return in_one_line(error)
    return None


def read_tensors(
    prefix: str, find_slices: Callable[[str], Mapping[str, Sequence[str]]] = variable_slices
) -> Iterator[tuple[str, str, tf.Tensor]]:
    """Reads a checkpoint one tensor at a time, in the order of the names; this verifies the checksums.

    Args:
        prefix: The checkpoint's path without suffix.
        find_slices: Tells which variables are read in slices, given the prefix.

    Yields:
        A variable's name; the slice as `tf.raw_ops.RestoreV2` takes it, `""` for the whole; the value.

    Raises:
        tf.errors.OpError: The checkpoint cannot be read.
    """
    _, dtypes = checkpoint_contents(prefix)
    slices = find_slices(prefix)
    for name, dtype in sorted(dtypes.items()):
        for part in slices.get(name, [""]):
            yield name, part, read_slice(prefix, name, part, dtype)


def read_slice(prefix: str, name: str, slice_spec: str, dtype: tf.DType) -> tf.Tensor:
    """Returns one slice of a variable in a checkpoint, the whole for `""`.

    Raises:
        tf.errors.OpError: It is not there, or cannot be read.
    """
    return _read(prefix, [name], [slice_spec], [dtype])[0]


def restore_variables(prefix: str, variables: Iterable[SavedVariable]) -> None:
    """Assigns variables the values that a checkpoint has under their names; all of them or none.

    A slice is read from a whole variable as well as from one that is partitioned in another way, and the
    reverse. Other variables in the checkpoint are ignored. What has just been saved is not read again.

    Args:
        prefix: The checkpoint's path without suffix.
        variables: The variables, initialised or not.

    Raises:
        CheckpointMismatchError: Variables, or slices of them, are missing in the checkpoint, or have another
            shape or dtype there.
        tf.errors.OpError: The checkpoint cannot be read.
    """
    variables = list(variables)
    assigned = _values_in_memory(prefix, variables)
    if assigned is None:
        assigned = _values_in_files(prefix, variables)
    for saved, value in assigned:
        saved.variable.assign(value, read_value=False)


def _values_in_memory(prefix: str, variables: Sequence[SavedVariable]) -> _Assigned | None:
    """Returns what to assign, if the values are still in memory and fit as they are."""
    values = values_in_memory(prefix)
    if not values:
        return None
    keys = {key for key, _ in values}
    assigned = []
    for saved in variables:
        if saved.optional and saved.key not in keys:
            continue
        value = values.get((saved.key, saved.slice_spec))
        variable = saved.variable
        if value is None or value.dtype != variable.dtype.base_dtype:
            return None
        if not variable.shape.is_compatible_with(value.shape):
            return None
        assigned.append((saved, value))
    return assigned


def _values_in_files(prefix: str, variables: Sequence[SavedVariable]) -> _Assigned:
    """Reads what to assign."""
    wanted = check_variables(prefix, variables)
    if not wanted:
        return []
    try:
        values = _read(
            prefix,
            [saved.key for saved in wanted],
            [saved.slice_spec for saved in wanted],
            [saved.variable.dtype.base_dtype for saved in wanted],
        )
    except tf.errors.OpError as error:
        problems = _missing_slices(prefix, wanted)
        if not problems:
            raise
        raise CheckpointMismatchError(prefix, problems) from error
    return list(zip(wanted, values, strict=True))


def check_variables(prefix: str, variables: Iterable[SavedVariable]) -> list[SavedVariable]:
    """Returns those of the variables that a checkpoint has; only optional ones may be missing.

    Raises:
        CheckpointMismatchError: Others are missing, or variables have another shape or dtype there.
        tf.errors.OpError: The checkpoint cannot be read.
    """
    shapes, dtypes = checkpoint_contents(prefix)
    wanted = [saved for saved in variables if not (saved.optional and saved.key not in shapes)]
    # The slices of one variable have the same complaint.
    problems = list(dict.fromkeys(filter(None, (_problem(saved, shapes, dtypes) for saved in wanted))))
    if problems:
        raise CheckpointMismatchError(prefix, problems)
    return wanted


def checkpoint_contents(prefix: str) -> tuple[dict[str, list[int]], dict[str, tf.DType]]:
    """Returns the shapes and the dtypes of the variables in a checkpoint, by name.

    Raises:
        tf.errors.OpError: The checkpoint cannot be read.
    """
    reader = open_reader(prefix)
    return reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()


def open_reader(prefix: str) -> tf.train.CheckpointReader:
    """Verifies the files of a checkpoint, and opens it with TensorFlow's reader.

    Raises:
        tf.errors.OpError: The checkpoint cannot be read.
    """
    names = verify_files(prefix)
    try:
        reader = tf.train.load_checkpoint(prefix)
        is_complete = reader.get_variable_to_dtype_map().keys() == names
    except (IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        # What the reader raises for some kinds of damage, where the ops that read tensors raise an OpError.
        raise tf.errors.DataLossError(None, None, str(error)) from error
    if not is_complete:  # the reader passes over parts of the index that have a wrong checksum
        raise tf.errors.DataLossError(None, None, f"{prefix}: a part of the index is damaged")
    return reader


def read_variable(prefix: str, name: str) -> Any:
    """Returns the value of one variable in a checkpoint, a NumPy array; `None` if it is not there."""
    reader = open_reader(prefix)
    return reader.get_tensor(name) if reader.has_tensor(name) else None


def _problem(saved: SavedVariable, shapes: dict[str, list[int]], dtypes: dict[str, tf.DType]) -> str | None:
    """Returns why a variable cannot be restored, or `None` if it can."""
    if saved.key not in shapes:
        return f"{saved.key}: not in the checkpoint"
    dtype = dtypes[saved.key]
    if dtype != saved.variable.dtype.base_dtype:
        return f"{saved.key}: {dtype.name} in the checkpoint, {saved.variable.dtype.name} in the graph"
    shape = shapes[saved.key]
    if not saved.saved_shape.is_compatible_with(shape):
        return f"{saved.key}: shape {shape} in the checkpoint, {saved.saved_shape.as_list()} in the graph"
    return None


def _missing_slices(prefix: str, variables: Iterable[SavedVariable]) -> list[str]:
    """Returns which variables a checkpoint has in slices that do not make them up."""
    slices = variable_slices(prefix)
    problems = []
    for saved in variables:
        there = slices.get(saved.key)
        if there is None:
            continue
        *shape, _ = map(str, there[0].split())
        wanted = saved.slice_spec or " ".join([*shape, ":".join("-" * len(shape))])
        if sum(_elements(wanted, each) for each in there) < _elements(wanted, wanted):
            problems.append(
                f"{saved.key}: not all of the slice {wanted!r} is in the checkpoint, which has"
                f" {', '.join(map(repr, there))}"
            )
    return problems


def _elements(one: str, other: str) -> int:
    """Returns how many elements two slices of a variable share."""
    ranges = zip(_ranges(one), _ranges(other), strict=True)
    return math.prod(
        max(min(end, other_end) - max(start, first), 0) for (start, end), (first, other_end) in ranges
    )


def _ranges(slice_spec: str) -> list[tuple[int, int]]:
    """Returns where a slice begins and ends along each dimension."""
    *shape, extents = slice_spec.split()
    ranges = []
    for dimension, extent in zip(map(int, shape), extents.split(":"), strict=True):
        start, length = (0, dimension) if extent == "-" else map(int, extent.split(","))
        ranges.append((start, start + length))
    return ranges


def _read(
    prefix: str, names: Sequence[str], slice_specs: Sequence[str], dtypes: Sequence[tf.DType]
) -> list[tf.Tensor]:
    with tf.device("CPU:0"):
        values: list[tf.Tensor] = tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=names, shape_and_slices=slice_specs, dtypes=dtypes
        )
    return values


def in_one_line(error: tf.errors.OpError) -> str:
    """Returns the message without the names of the operation that raised it."""
    text = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", error.message)
    return " ".join(text.split())
