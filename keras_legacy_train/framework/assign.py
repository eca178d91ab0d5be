"""Reads checkpoints, and assigns variables values from them or from arrays."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.checkpoints import SavedVariable
from keras_legacy_train.checkpoints.lookup import listed_checkpoint_prefix, open_checkpoint
from keras_legacy_train.framework.variables import check_variable, get_variable_full_name, get_variables
from keras_legacy_train.graph.elements import suggestion
from keras_legacy_train.types import InitFn, PathLike, TensorLike

_LOGGER = logging.getLogger("keras_legacy_train")


def load_checkpoint(filepattern: PathLike) -> tf.train.CheckpointReader:
    """Opens a checkpoint; stands for `tf.train.load_checkpoint`.

    Args:
        filepattern: The checkpoint, or a directory, whose newest one is taken.

    Returns:
        A reader, with `get_tensor`, `has_tensor` and `get_variable_to_shape_map`.

    Raises:
        ValueError: There is no such checkpoint, or it cannot be read.
    """
    return _reader("filepattern", filepattern)


def load_variable(checkpoint_dir: PathLike, name: str) -> np.ndarray:
    """Returns the value of a variable in a checkpoint; stands for `tf.train.load_variable`.

    Args:
        checkpoint_dir: The checkpoint, or a directory, whose newest one is taken.
        name: The variable's name, with or without `":0"`.

    Raises:
        ValueError: There is no such checkpoint or variable, or it cannot be read.
    """
    reader = _reader("checkpoint_dir", checkpoint_dir)
    name = arguments.as_text("name", name).removesuffix(":0")
    if not reader.has_tensor(name):
        near = suggestion(name, reader.get_variable_to_shape_map())
        raise ValueError(f"name: {name!r} is not in the checkpoint {os.fsdecode(checkpoint_dir)!r}.{near}")
    value: np.ndarray = reader.get_tensor(name)
    return value


def list_variables(checkpoint_dir: PathLike) -> list[tuple[str, list[int]]]:
    """Returns the names and shapes in a checkpoint, by name; stands for `tf.train.list_variables`.

    Args:
        checkpoint_dir: The checkpoint, or a directory, whose newest one is taken.

    Raises:
        ValueError: There is no such checkpoint, or it cannot be read.
    """
    return sorted(_reader("checkpoint_dir", checkpoint_dir).get_variable_to_shape_map().items())


def init_from_checkpoint(checkpoint_dir: PathLike, assignment_map: Mapping[str, Any]) -> None:
    """Makes the initializers of variables read a checkpoint.

    Stands for `tf.compat.v1.train.init_from_checkpoint`.

    Args:
        checkpoint_dir: The checkpoint, or a directory, whose newest one is taken.
        assignment_map: Variables or scopes of the default graph by names or scopes in the checkpoint.

    Raises:
        ValueError: There is no such checkpoint, or it lacks a name in `assignment_map`.
    """
    if not isinstance(assignment_map, (Mapping, list, tuple)):
        raise ValueError(
            f"assignment_map must be a dict from names to variables or scopes; it is {assignment_map!r}."
        )
    prefix = listed_checkpoint_prefix("checkpoint_dir", checkpoint_dir)
    tf.compat.v1.train.init_from_checkpoint(prefix, assignment_map)


def assign_from_values(
    var_names_to_values: Mapping[str, TensorLike],
) -> tuple[tf.Operation, dict[tf.Tensor, Any]]:
    """Returns an operation that assigns global variables, and the values to feed to it.

    Args:
        var_names_to_values: Values of the variables' shapes, by the variables' names.

    Returns:
        The operation and its `feed_dict`, for `session.run`.

    Raises:
        ValueError: There is no such variable, or a value has another number of entries.
    """
    if not isinstance(var_names_to_values, Mapping):
        raise ValueError(
            f"var_names_to_values must be a dict from names to values; it is {var_names_to_values!r}."
        )
    variables = {variable.op.name: variable for variable in get_variables()}
    missing = [name for name in var_names_to_values if name not in variables]
    if missing:
        names = ", ".join(map(str, missing))
        raise ValueError(f"var_names_to_values: Variable {names} wasn't found")
    return _assign((variables[name], value) for name, value in var_names_to_values.items())


def assign_from_values_fn(var_names_to_values: Mapping[str, TensorLike]) -> InitFn:
    """Returns an `init_fn` for `train` that assigns global variables.

    Args:
        var_names_to_values: See `assign_from_values`.

    Raises:
        ValueError: As `assign_from_values` does.
    """
    assign_op, feed_dict = assign_from_values(var_names_to_values)
    return lambda session: session.run(assign_op, feed_dict)


def assign_from_checkpoint(
    model_path: PathLike,
    var_list: Sequence[tf.Variable] | Mapping[str, Any],
    ignore_missing_vars: bool = False,
) -> tuple[tf.Operation, dict[tf.Tensor, Any]]:
    """Returns an operation that assigns variables their values in a checkpoint, and the values to feed to it.

    Args:
        model_path: The checkpoint, or a directory, whose newest one is taken.
        var_list: The variables; or a dict from names in the checkpoint to variables. The value for a
            partitioned variable is the list of its slices.
        ignore_missing_vars: Whether to skip variables that the checkpoint lacks, with a warning.

    Returns:
        The operation and its `feed_dict`, for `session.run`.

    Raises:
        ValueError: The checkpoint lacks a variable, or has it in another shape.
    """
    reader = _reader("model_path", model_path)
    ignore_missing_vars = arguments.as_flag("ignore_missing_vars", ignore_missing_vars)
    return _assign(
        (variable, _stored_value(reader, name, variable))
        for name, variable in _by_checkpoint_name(var_list)
        if _is_stored(reader, name, model_path, ignore_missing_vars)
    )


def assign_from_checkpoint_fn(
    model_path: PathLike,
    var_list: Sequence[tf.Variable] | Mapping[str, Any],
    ignore_missing_vars: bool = False,
    reshape_variables: bool = False,
) -> InitFn | None:
    """Returns an `init_fn` for `train` that restores variables from a checkpoint.

    Args:
        model_path: The checkpoint, or a directory, whose newest one is taken.
        var_list: The variables, or a dict from names in the checkpoint to variables.
        ignore_missing_vars: Whether to skip variables that the checkpoint lacks, with a warning.
        reshape_variables: Whether a variable may have another shape in the checkpoint, with the same number
            of entries.

    Returns:
        The function; `None` if the checkpoint has none of the variables.

    Raises:
        ValueError: `var_list` is empty, or the checkpoint lacks a variable or has it in another shape.
    """
    if not var_list:
        raise ValueError("var_list cannot be empty")
    path = listed_checkpoint_prefix("model_path", model_path)
    reader = open_checkpoint("model_path", path)
    ignore_missing_vars = arguments.as_flag("ignore_missing_vars", ignore_missing_vars)
    reshape_variables = arguments.as_flag("reshape_variables", reshape_variables)
    found: dict[str, list[tf.Variable]] = {}
    for name, variable in _by_checkpoint_name(var_list):
        if _is_stored(reader, name, path, ignore_missing_vars):
            _check_shape(reader, name, variable, reshape_variables)
            found.setdefault(name, []).append(variable)
    if not found:
        _LOGGER.warning("No Variables to restore")
        return None
    # The saver takes a variable in a list for a slice of a partitioned one.
    whole = {name: _tensorflow.save_slice(slices[0])[1] == "" for name, slices in found.items()}
    saver = tf.compat.v1.train.Saver(
        {name: slices[0] if whole[name] else slices for name, slices in found.items()},
        reshape=reshape_variables,
    )
    return lambda session: saver.restore(session, path)


def _by_checkpoint_name(
    var_list: Sequence[tf.Variable] | Mapping[str, Any],
) -> list[tuple[str, tf.Variable]]:
    """Returns pairs of a name in the checkpoint and a variable, or a slice of one, to fill from it.

    Raises:
        ValueError: `var_list` holds something else.
    """
    if not isinstance(var_list, Iterable) or isinstance(var_list, (str, tf.Variable)):
        raise ValueError(f"var_list must be a list or a dict of variables; it is {var_list!r}.")
    if not isinstance(var_list, Mapping):
        return [(get_variable_full_name(check_variable("var_list", each)), each) for each in var_list]
    return [
        (arguments.as_text("a name in var_list", name), check_variable("var_list", variable))
        for name, value in var_list.items()
        for variable in (value if isinstance(value, (list, tuple)) else [value])
    ]


def _reader(argument: str, path: Any) -> tf.train.CheckpointReader:
    return open_checkpoint(argument, listed_checkpoint_prefix(argument, path))


def _is_stored(reader: Any, name: str, path: Any, ignore_missing: bool) -> bool:
    """Returns whether a checkpoint holds a variable; logs a warning if it does not.

    Raises:
        ValueError: It does not, and `ignore_missing` is false.
    """
    if reader.has_tensor(name):
        return True
    message = f"Checkpoint is missing variable [{name}]: {os.fsdecode(path)}"
    if not ignore_missing:
        raise ValueError(message)
    _LOGGER.warning(message)
    return False


def _check_shape(reader: Any, name: str, variable: tf.Variable, reshape: bool = False) -> None:
    """Checks that a variable has the same shape in a checkpoint or, to reshape, the same number of entries.

    Raises:
        ValueError: It does not.
    """
    stored = tf.TensorShape(reader.get_variable_to_shape_map()[name])
    expected = SavedVariable(name, variable, _tensorflow.save_slice(variable)[1]).saved_shape
    fits = stored.is_compatible_with(expected)
    if not fits and not (reshape and stored.num_elements() == expected.num_elements()):
        raise ValueError(f"{name} has shape {stored} in the checkpoint, and {expected} in the graph.")


def _stored_value(reader: Any, name: str, variable: tf.Variable) -> np.ndarray:
    """Reads the value of a variable, or of a slice of a partitioned one.

    Raises:
        ValueError: The variable has another shape in the checkpoint.
    """
    _check_shape(reader, name, variable)
    value: np.ndarray = reader.get_tensor(name)
    _, spec = _tensorflow.save_slice(variable)
    if not spec:
        return value
    bounds = [tuple(map(int, part.split(","))) for part in spec.split()[-1].split(":")]
    part: np.ndarray = value[tuple(slice(offset, offset + length) for offset, length in bounds)]
    return part


def _assign(values: Iterable[tuple[tf.Variable, Any]]) -> tuple[tf.Operation, dict[tf.Tensor, Any]]:
    """Returns an operation that assigns variables, and its feeds, which keep the values out of the graph."""
    operations, feed_dict = [], {}
    for variable, value in values:
        placeholder = tf.compat.v1.placeholder(
            variable.dtype.base_dtype, variable.shape, name=f"placeholder/{variable.op.name}"
        )
        operations.append(variable.assign(placeholder, read_value=False))
        feed_dict[placeholder] = _reshape_like(variable, value)
    return tf.group(*operations), feed_dict


def _reshape_like(variable: tf.Variable, value: Any) -> Any:
    """Brings a value into the shape of a variable, if that is known.

    Raises:
        ValueError: It has another number of entries.
    """
    if not variable.shape.is_fully_defined():
        return value
    try:
        return np.reshape(value, variable.shape.as_list())
    except ValueError as error:
        raise ValueError(
            f"{variable.name} has shape {variable.shape}; a value of shape {np.shape(value)} came."
        ) from error
