"""Reading checkpoints: whether one is whole, and filling variables from it by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import tensorflow as tf

from keras_legacy_train.checkpoints.variables import SavedVariable
from keras_legacy_train.errors import CheckpointMismatchError


def find_damage(prefix: str) -> str | None:
    """Reads every tensor of a checkpoint, which verifies their checksums, and tells what is wrong.

    A look at the files' sizes would be quicker, but would not see a flipped bit. One tensor is in memory at a
    time, and the pages read stay cached for the restore that follows.

    Args:
        prefix: The checkpoint's path without suffix.

    Returns:
        What is wrong, in one line, or `None` if the checkpoint is intact.
    """
    try:
        _, dtypes = checkpoint_contents(prefix)
        for name, dtype in dtypes.items():
            _read(prefix, [name], [""], [dtype])
    except tf.errors.OpError as error:
        return _in_one_line(error)
    return None


def restore_variables(prefix: str, variables: Iterable[SavedVariable]) -> None:
    """Assigns the variables what a checkpoint holds under their names; all of them or none.

    A slice is read from a whole variable as well as from one cut up in another way, and the reverse. What the
    checkpoint holds besides is ignored.

    Args:
        prefix: The checkpoint's path without suffix.
        variables: The variables, initialised or not.

    Raises:
        CheckpointMismatchError: Variables are missing in the checkpoint, or have another shape or dtype
            there.
        tf.errors.OpError: The checkpoint cannot be read.
    """
    shapes, dtypes = checkpoint_contents(prefix)
    wanted = [saved for saved in variables if not (saved.optional and saved.key not in shapes)]
    # The slices of one variable have the same complaint.
    problems = list(dict.fromkeys(filter(None, (_problem(saved, shapes, dtypes) for saved in wanted))))
    if problems:
        raise CheckpointMismatchError(prefix, problems)
    if not wanted:
        return
    values = _read(
        prefix,
        [saved.key for saved in wanted],
        [saved.slice_spec for saved in wanted],
        [saved.variable.dtype.base_dtype for saved in wanted],
    )
    for saved, value in zip(wanted, values, strict=True):
        saved.variable.assign(value, read_value=False)


def checkpoint_contents(prefix: str) -> tuple[dict[str, list[int]], dict[str, tf.DType]]:
    """Returns the shapes and the dtypes of what a checkpoint holds, by name."""
    try:
        reader = tf.train.load_checkpoint(prefix)
        return reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    except (IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        # What the reader raises for some kinds of damage, where the ops that read tensors raise an OpError.
        raise tf.errors.DataLossError(None, None, str(error)) from error


def _problem(saved: SavedVariable, shapes: dict[str, list[int]], dtypes: dict[str, tf.DType]) -> str | None:
    """Returns why a variable cannot be filled, or `None` if it can."""
    if saved.key not in shapes:
        return f"{saved.key}: not in the checkpoint"
    dtype = dtypes[saved.key]
    if dtype != saved.variable.dtype.base_dtype:
        return f"{saved.key}: {dtype.name} in the checkpoint, {saved.variable.dtype.name} in the graph"
    shape = shapes[saved.key]
    if not saved.saved_shape.is_compatible_with(shape):
        return f"{saved.key}: shape {shape} in the checkpoint, {saved.saved_shape.as_list()} in the graph"
    return None


def _read(
    prefix: str, names: Sequence[str], slice_specs: Sequence[str], dtypes: Sequence[tf.DType]
) -> list[tf.Tensor]:
    with tf.device("CPU:0"):
        return tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=names, shape_and_slices=slice_specs, dtypes=dtypes
        )


def _in_one_line(error: tf.errors.OpError) -> str:
    """Returns the message without the names of the operation that raised it."""
    text = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", error.message)
    return " ".join(text.split())
