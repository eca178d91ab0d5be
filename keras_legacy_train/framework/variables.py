"""Makes and finds the global step and variables of the default graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.graph.elements import find_global_step, find_variable, is_variable

_KEYS = tf.compat.v1.GraphKeys


def get_global_step(graph: tf.Graph | None = None) -> Any:
    """Returns the global step of a graph, or `None`; stands for `tf.compat.v1.train.get_global_step`.

    Args:
        graph: The graph; by default the default graph.

    Returns:
        The variable in the `GLOBAL_STEP` collection, or else the one named `global_step`.

    Raises:
        TypeError: It is not an integer or not a scalar.
    """
    return find_global_step(tf.compat.v1.get_default_graph() if graph is None else graph)


def create_global_step(graph: tf.Graph | None = None) -> Any:
    """Makes the global step of a graph; stands for `tf.compat.v1.train.create_global_step`.

    Args:
        graph: The graph; by default the default graph.

    Returns:
        The variable, an `int64` scalar.

    Raises:
        ValueError: The graph has a global step.
    """
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    return tf.compat.v1.train.create_global_step(graph)


def get_or_create_global_step(graph: tf.Graph | None = None) -> Any:
    """Returns the global step of a graph, and makes one if there is none.

    Stands for `tf.compat.v1.train.get_or_create_global_step`.

    Args:
        graph: The graph; by default the default graph.

    Raises:
        TypeError: The global step is not an integer or not a scalar.
    """
    step = get_global_step(graph)
    return tf.compat.v1.train.create_global_step(graph) if step is None else step


def assert_global_step(global_step_tensor: Any) -> None:
    """Checks a global step; stands for `tf.compat.v1.train.assert_global_step`.

    Args:
        global_step_tensor: A variable or a tensor.

    Raises:
        TypeError: It is neither, or not an integer, or not a scalar.
    """
    is_handle = is_variable(global_step_tensor)
    tf.compat.v1.train.assert_global_step(
        find_variable(global_step_tensor) if is_handle else global_step_tensor
    )


def assert_or_get_global_step(graph: tf.Graph | None = None, global_step_tensor: Any = None) -> Any:
    """Returns the given global step, or the graph's own.

    Args:
        graph: The graph; by default the default graph.
        global_step_tensor: A global step; `None` to look it up.

    Returns:
        The global step, or `None` if none is given and none is found.

    Raises:
        TypeError: It is not an integer or not a scalar.
    """
    if not isinstance(graph, tf.Graph | None):
        raise TypeError(f"graph must be a tf.Graph; it is {graph!r}.")
    if global_step_tensor is None:
        return get_global_step(graph)
    if is_variable(global_step_tensor):
        global_step_tensor = find_variable(global_step_tensor)
    try:
        assert_global_step(global_step_tensor)
    except TypeError as error:
        raise TypeError(f"global_step_tensor: {error}") from error
    return global_step_tensor


def local_variable(
    initial_value: Any, validate_shape: bool = True, name: str | None = None, use_resource: bool | None = None
) -> tf.Variable:
    """Makes a variable in the `LOCAL_VARIABLES` collection. It is not trained, and no checkpoint holds it.

    Args:
        initial_value: The initial value. See `tf.compat.v1.Variable`, also for the other arguments.
        validate_shape: Whether the shape of the initial value must be known.
        name: The variable's name.
        use_resource: Whether it is a resource variable; by default the scope decides.
    """
    return _untrained_variable(_KEYS.LOCAL_VARIABLES, initial_value, validate_shape, name, use_resource)


def global_variable(
    initial_value: Any, validate_shape: bool = True, name: str | None = None, use_resource: bool | None = None
) -> tf.Variable:
    """Makes a variable in the `GLOBAL_VARIABLES` collection. It is not trained.

    Args:
        initial_value: See `local_variable`.
        validate_shape: See `local_variable`.
        name: See `local_variable`.
        use_resource: See `local_variable`.
    """
    return _untrained_variable(_KEYS.GLOBAL_VARIABLES, initial_value, validate_shape, name, use_resource)


def _untrained_variable(
    collection: str, initial_value: Any, validate_shape: bool, name: str | None, use_resource: bool | None
) -> tf.Variable:
    return tf.compat.v1.Variable(
        initial_value,
        trainable=False,
        collections=[collection],
        validate_shape=validate_shape,
        name=name,
        use_resource=use_resource,
    )


def variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Iterable[str] | None = None,
    caching_device: Any = None,
    device: Any = None,
    **options: Any,
) -> tf.Variable:
    """Returns the variable of that name in the current scope, and makes it if there is none.

    Args:
        name: See `tf.compat.v1.get_variable`, also for the arguments that are not listed here.
        device: The device to place it on; `None` for that of the scope.
        **options: `partitioner`, `custom_getter`, `use_resource`, `synchronization`, `aggregation`.
    """
    with tf.device(device or ""):  # `None` would undo the enclosing device scopes.
        return tf.compat.v1.get_variable(
            name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=list(dict.fromkeys(collections or [_KEYS.GLOBAL_VARIABLES])),
            caching_device=caching_device,
            **options,
        )


def model_variable(
    name: str,
    shape: Any = None,
    dtype: Any = tf.float32,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Iterable[str] | None = None,
    **options: Any,
) -> tf.Variable:
    """Does what `variable` does; the variable is also in `GLOBAL_VARIABLES` and `MODEL_VARIABLES`."""
    collections = [*(collections or ()), _KEYS.GLOBAL_VARIABLES, _KEYS.MODEL_VARIABLES]
    return variable(name, shape, dtype, initializer, regularizer, trainable, collections, **options)


def add_model_variable(var: tf.Variable) -> None:
    """Adds a variable to the `MODEL_VARIABLES` collection, unless it is in there.

    Raises:
        ValueError: `var` is not a variable.
    """
    check_variable("var", var)
    graph = tf.compat.v1.get_default_graph()
    if not any(var is each for each in graph.get_collection(_KEYS.MODEL_VARIABLES)):
        graph.add_to_collection(_KEYS.MODEL_VARIABLES, var)


def get_variables(
    scope: Any = None, suffix: str | None = None, collection: str = _KEYS.GLOBAL_VARIABLES
) -> list[tf.Variable]:
    """Returns the variables of a collection of the default graph.

    Args:
        scope: A variable scope, or a regular expression that the beginning of a name must match; `None` for
            all.
        suffix: A regular expression that the end of a name must match; `None` for all.
        collection: The collection.

    Raises:
        ValueError: An argument is not a string, or not a regular expression.
    """
    if isinstance(scope, tf.compat.v1.VariableScope):
        scope = scope.name
    _check_pattern("scope", scope)
    if suffix is not None:
        _check_pattern("suffix", suffix)
    if suffix is not None:
        scope = f"{scope or ''}.*{suffix if ':' in suffix else suffix + ':'}"
    variables: list[tf.Variable] = tf.compat.v1.get_collection(
        arguments.as_text("collection", collection), scope
    )
    return variables


def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[tf.Variable]:
    """Returns the variables in `MODEL_VARIABLES`. See `get_variables`."""
    return get_variables(scope, suffix, _KEYS.MODEL_VARIABLES)


def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[tf.Variable]:
    """Returns the variables in `LOCAL_VARIABLES`. See `get_variables`."""
    return get_variables(scope, suffix, _KEYS.LOCAL_VARIABLES)


def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[tf.Variable]:
    """Returns the variables in `TRAINABLE_VARIABLES`. See `get_variables`."""
    return get_variables(scope, suffix, _KEYS.TRAINABLE_VARIABLES)


def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[tf.Variable]:
    """Returns the global variables whose names end with a suffix. See `get_variables`."""
    return get_variables(scope, arguments.as_text("suffix", suffix))


def get_variables_by_name(given_name: str, scope: Any = None) -> list[tf.Variable]:
    """Returns the global variables whose names, without their scopes, are the given one."""
    given_name = arguments.as_text("given_name", given_name)
    return get_variables(scope, f"/{given_name}:|^{given_name}:")


def get_unique_variable(var_op_name: str) -> tf.Variable:
    """Returns the global variable of exactly that name.

    Raises:
        ValueError: There is no such variable.
    """
    for candidate in get_variables():
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"var_op_name: Couldn't find variable {var_op_name}")


def get_variables_to_restore(
    include: Sequence[Any] | None = None, exclude: Sequence[Any] | None = None
) -> list[tf.Variable]:
    """Returns the global variables in some scopes, without those in others.

    Args:
        include: The scopes of the variables to return, as in `get_variables`; `None` for all variables.
        exclude: The scopes of the variables to leave out.

    Raises:
        TypeError: `include` or `exclude` is neither a list nor a tuple.
    """
    for name, scopes in (("include", include), ("exclude", exclude)):
        if scopes is not None and not isinstance(scopes, (list, tuple)):
            raise TypeError(f"{name} is provided but is not a list or a tuple.")
    included = get_variables() if include is None else _in_scopes(include)
    excluded = {variable.name for variable in _in_scopes(exclude or ())}
    return [variable for variable in included if variable.name not in excluded]


def _in_scopes(scopes: Iterable[Any]) -> list[tf.Variable]:
    return [variable for scope in scopes for variable in get_variables(scope)]


def filter_variables(
    var_list: Iterable[tf.Variable],
    include_patterns: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    reg_search: bool = True,
) -> list[tf.Variable]:
    """Returns the variables whose names match patterns.

    Args:
        var_list: The variables to choose from.
        include_patterns: Regular expressions, one of which must match; `None` to include all.
        exclude_patterns: Regular expressions, none of which may match.
        reg_search: Whether a pattern may match anywhere in a name. If not, it must match at the beginning.

    Raises:
        ValueError: `var_list` is not a list of variables, or a pattern is not a regular expression.
    """
    if not isinstance(var_list, Iterable) or isinstance(var_list, str):
        raise ValueError(f"var_list must be a list of variables; it is {var_list!r}.")
    variables = [check_variable("var_list", variable) for variable in var_list]
    match = re.search if arguments.as_flag("reg_search", reg_search) else re.match
    included = None if include_patterns is None else _as_patterns("include_patterns", include_patterns)
    excluded = _as_patterns("exclude_patterns", exclude_patterns or ())
    return [
        variable
        for variable in variables
        if (included is None or any(match(pattern, variable.name) for pattern in included))
        and not any(match(pattern, variable.name) for pattern in excluded)
    ]


def _as_patterns(name: str, patterns: Any) -> list[str]:
    """Returns a list of regular expressions.

    Raises:
        ValueError: It is not a list, or an item is not a regular expression.
    """
    if isinstance(patterns, str) or not isinstance(patterns, Iterable):
        raise ValueError(f"{name} must be a list of regular expressions; it is {patterns!r}.")
    checked: list[str] = list(patterns)
    for pattern in checked:
        _check_pattern(f"an item of {name}", pattern)
    return checked


def check_variable(name: str, variable: Any) -> Any:
    """Checks and returns a variable.

    Args:
        name: The argument that gave it, for the message.
        variable: The variable.

    Raises:
        ValueError: It is not a variable.
    """
    if not hasattr(variable, "op") or not hasattr(variable, "assign"):
        raise ValueError(f"{name} must be a variable, or have nothing else in it; it has {variable!r}.")
    return variable


def _check_pattern(name: str, pattern: Any) -> None:
    try:
        re.compile(arguments.as_optional_text(name, pattern) or "")
    except re.error as error:
        raise ValueError(f"{name} must be a regular expression; {pattern!r} is none: {error}.") from error


def get_variable_full_name(var: tf.Variable) -> str:
    """Returns the name of a variable in a checkpoint; for a slice of a partitioned one the name of the whole.

    Raises:
        ValueError: `var` is not a variable.
    """
    check_variable("var", var)
    return _tensorflow.save_slice(var)[0]
