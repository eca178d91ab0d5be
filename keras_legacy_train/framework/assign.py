"""Reading checkpoints, and giving variables values from them or from arrays."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.checkpoints import SavedVariable
from keras_legacy_train.checkpoints.lookup import listed_checkpoint_prefix, open_checkpoint
from keras_legacy_train.framework.variables import check_variable, get_variable_full_name, get_variables
from keras_legacy_train.graph.elements import suggestion

_LOGGER = logging.getLogger("keras_legacy_train")


def load_checkpoint(filepattern: str | os.PathLike[str]) -> Any:
    """A reader of a checkpoint, or of the newest in a directory; see `tf.train.load_checkpoint`.

    Raises:
        ValueError: There is no such checkpoint, or it cannot be read.
    """
    return _reader("filepattern", filepattern)


def load_variable(checkpoint_dir: str | os.PathLike[str], name: str) -> np.ndarray:
    """A variable's value in a checkpoint, or in the newest of a directory; see `tf.train.load_variable`.

    Raises:
        ValueError: There is no such checkpoint or variable, or it cannot be read.
    """
    reader = _reader("checkpoint_dir", checkpoint_dir)
    name = arguments.as_text("name", name).removesuffix(":0")
    if not reader.has_tensor(name):
        near = suggestion(name, reader.get_variable_to_shape_map())
        raise ValueError(f"name: {name!r} is not in the checkpoint {os.fsdecode(checkpoint_dir)!r}.{near}")
    return reader.get_tensor(name)


def list_variables(checkpoint_dir: str | os.PathLike[str]) -> list[tuple[str, list[int]]]:
    """Names and shapes in a checkpoint, or in the newest of a directory; see `tf.train.list_variables`.

    Raises:
        ValueError: There is no such checkpoint, or it cannot be read.
    """
    return sorted(_reader("checkpoint_dir", checkpoint_dir).get_variable_to_shape_map().items())


def init_from_checkpoint(checkpoint_dir: str | os.PathLike[str], assignment_map: Mapping[str, Any]) -> None:
    """Makes variables' initializers read a checkpoint; see `tf.compat.v1.train.init_from_checkpoint`.

    Raises:
        ValueError: There is no such checkpoint, or it does not have what `assignment_map` asks for.
    """
    if not isinstance(assignment_map, (Mapping, list, tuple)):
        raise ValueError(
            f"assignment_map must be a dict from names to variables or scopes; it is {assignment_map!r}."
        )
    prefix = listed_checkpoint_prefix("checkpoint_dir", checkpoint_dir)
    tf.compat.v1.train.init_from_checkpoint(prefix, assignment_map)


def assign_from_values(var_names_to_values: Mapping[str, Any]) -> tuple[tf.Operation, dict[tf.Tensor, Any]]:
    """An operation that assigns global variables, and what to feed to it.

    Args:
        var_names_to_values: The values by the variables' names, of the variables' shapes.

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


def assign_from_values_fn(var_names_to_values: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A function of a session that assigns global variables; for `init_fn`. See `assign_from_values`."""
    assign_op, feed_dict = assign_from_values(var_names_to_values)
    return lambda session: session.run(assign_op, feed_dict)


def assign_from_checkpoint(
    model_path: str | os.PathLike[str],
    var_list: Sequence[tf.Variable] | Mapping[str, Any],
    ignore_missing_vars: bool = False,
) -> tuple[tf.Operation, dict[tf.Tensor, Any]]:
    """An operation that assigns variables what a checkpoint holds, and what to feed to it.

    Args:
        model_path: The checkpoint.
        var_list: The variables; or a dict from names in the checkpoint to a variable or a list of the slices
            of a partitioned one.
        ignore_missing_vars: Whether variables that the checkpoint lacks are passed over, with a warning.

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
    model_path: str | os.PathLike[str],
    var_list: Sequence[tf.Variable] | Mapping[str, Any],
    ignore_missing_vars: bool = False,
    reshape_variables: bool = False,
) -> Callable[[Any], Any] | None:
    """A function of a session that restores variables from a checkpoint; for `init_fn`.

    Args:
        model_path: The checkpoint.
        var_list: The variables, or a dict from names in the checkpoint to them.
        ignore_missing_vars: Whether variables that the checkpoint lacks are passed over, with a warning.
        reshape_variables: Whether a variable may have another shape in the checkpoint, with as many entries.

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
    # A slice of a partitioned variable must be in a list to be known as one.
    whole = {name: _tensorflow.save_slice(slices[0])[1] == "" for name, slices in found.items()}
    saver = tf.compat.v1.train.Saver(
        {name: slices[0] if whole[name] else slices for name, slices in found.items()},
        reshape=reshape_variables,
    )
    return lambda session: saver.restore(session, path)


def _by_checkpoint_name(
    var_list: Sequence[tf.Variable] | Mapping[str, Any],
) -> list[tuple[str, tf.Variable]]:
    """Pairs of a name in the checkpoint and a variable, or a slice of one, to fill from it."""
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
    if reader.has_tensor(name):
        return True
    message = f"Checkpoint is missing variable [{name}]: {os.fsdecode(path)}"
    if not ignore_missing:
        raise ValueError(message)
    _LOGGER.warning(message)
    return False


def _check_shape(reader: Any, name: str, variable: tf.Variable, reshape: bool = False) -> None:
    stored = tf.TensorShape(reader.get_variable_to_shape_map()[name])
    expected = SavedVariable(name, variable, _tensorflow.save_slice(variable)[1]).saved_shape
    fits = stored.is_compatible_with(expected)
    if not fits and not (reshape and stored.num_elements() == expected.num_elements()):
        raise ValueError(f"{name} has shape {stored} in the checkpoint, and {expected} in the graph.")


def _stored_value(reader: Any, name: str, variable: tf.Variable) -> np.ndarray:
    _check_shape(reader, name, variable)
    value = reader.get_tensor(name)
    _, spec = _tensorflow.save_slice(variable)
    if not spec:
        return value
    bounds = [tuple(map(int, part.split(","))) for part in spec.split()[-1].split(":")]
    return value[tuple(slice(offset, offset + length) for offset, length in bounds)]


def _assign(values: Iterable[tuple[tf.Variable, Any]]) -> tuple[tf.Operation, dict[tf.Tensor, Any]]:
    """An operation that assigns the variables, and the values to feed to it: they stay out of the graph."""
    operations, feed_dict = [], {}
    for variable, value in values:
        placeholder = tf.compat.v1.placeholder(
            variable.dtype.base_dtype, variable.shape, name=f"placeholder/{variable.op.name}"
        )
        operations.append(variable.assign(placeholder, read_value=False))
        feed_dict[placeholder] = _in_shape_of(variable, value)
    return tf.group(*operations), feed_dict


def _in_shape_of(variable: tf.Variable, value: Any) -> Any:
    if not variable.shape.is_fully_defined():
        return value
    try:
        return np.reshape(value, variable.shape.as_list())
    except ValueError as error:
        raise ValueError(
            f"{variable.name} has shape {variable.shape}; a value of shape {np.shape(value)} came."
        ) from error
