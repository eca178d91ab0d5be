"""The global step, and variables of the default graph: making them and finding them."""

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
        What is in the `GLOBAL_STEP` collection, or else the variable named `global_step`.

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
    """Returns the global step of a graph, and makes it if there is none. See `get_global_step`."""
    step = get_global_step(graph)
    return tf.compat.v1.train.create_global_step(graph) if step is None else step


def assert_global_step(global_step_tensor: Any) -> None:
    """Raises TypeError for a global step that is not an integer scalar, a variable or tensor."""
    is_handle = is_variable(global_step_tensor)
    tf.compat.v1.train.assert_global_step(
        find_variable(global_step_tensor) if is_handle else global_step_tensor
    )


def assert_or_get_global_step(graph: tf.Graph | None = None, global_step_tensor: Any = None) -> Any:
    """The given global step, or the graph's own.

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
    """A variable in the `LOCAL_VARIABLES` collection: no checkpoint holds it.

    Args:
        initial_value: See `tf.compat.v1.Variable`, as the others.
        validate_shape: Whether the shape of the initial value must be known.
        name: The variable's name.
        use_resource: Whether it is a resource variable; by default what the scope says.
    """
    return _untrained_variable(_KEYS.LOCAL_VARIABLES, initial_value, validate_shape, name, use_resource)


def global_variable(
    initial_value: Any, validate_shape: bool = True, name: str | None = None, use_resource: bool | None = None
) -> tf.Variable:
    """A variable in the `GLOBAL_VARIABLES` collection that is not trained. See `local_variable`."""
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
    """The variable of that name in the current scope; made if there is none.

    Args:
        name: See `tf.compat.v1.get_variable`, as all that are not told of here.
        device: Where to place it.
        **options: `partitioner`, `custom_getter`, `use_resource`, `synchronization`, `aggregation`.
    """
    with tf.device(device or ""):  # `None` would undo the devices around
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
    """As `variable`; the variable is also in `GLOBAL_VARIABLES` and `MODEL_VARIABLES`."""
    collections = [*(collections or ()), _KEYS.GLOBAL_VARIABLES, _KEYS.MODEL_VARIABLES]
    return variable(name, shape, dtype, initializer, regularizer, trainable, collections, **options)


def add_model_variable(var: tf.Variable) -> None:
    """Puts a variable into the `MODEL_VARIABLES` collection, once."""
    check_variable("var", var)
    graph = tf.compat.v1.get_default_graph()
    if not any(var is each for each in graph.get_collection(_KEYS.MODEL_VARIABLES)):
        graph.add_to_collection(_KEYS.MODEL_VARIABLES, var)


def get_variables(
    scope: Any = None, suffix: str | None = None, collection: str = _KEYS.GLOBAL_VARIABLES
) -> list[tf.Variable]:
    """The variables of a collection of the default graph.

    Args:
        scope: Only those whose names begin so: a variable scope, or a regular expression.
        suffix: Only those whose names end so.
        collection: The collection.
    """
    if isinstance(scope, tf.compat.v1.VariableScope):
        scope = scope.name
    _check_pattern("scope", scope)
    if suffix is not None:
        _check_pattern("suffix", suffix)
    if suffix is not None:
        scope = f"{scope or ''}.*{suffix if ':' in suffix else suffix + ':'}"
    return tf.compat.v1.get_collection(arguments.as_text("collection", collection), scope)


def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[tf.Variable]:
    """`get_variables` of `MODEL_VARIABLES`."""
    return get_variables(scope, suffix, _KEYS.MODEL_VARIABLES)


def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[tf.Variable]:
    """`get_variables` of `LOCAL_VARIABLES`."""
    return get_variables(scope, suffix, _KEYS.LOCAL_VARIABLES)


def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[tf.Variable]:
    """`get_variables` of `TRAINABLE_VARIABLES`."""
    return get_variables(scope, suffix, _KEYS.TRAINABLE_VARIABLES)


def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[tf.Variable]:
    """The global variables whose names end so."""
    return get_variables(scope, arguments.as_text("suffix", suffix))


def get_variables_by_name(given_name: str, scope: Any = None) -> list[tf.Variable]:
    """The global variables that have this name within their scopes."""
    given_name = arguments.as_text("given_name", given_name)
    return get_variables(scope, f"/{given_name}:|^{given_name}:")


def get_unique_variable(var_op_name: str) -> tf.Variable:
    """The global variable of exactly that name.

    Raises:
        ValueError: There is none.
    """
    for candidate in get_variables():
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"var_op_name: Couldn't find variable {var_op_name}")


def get_variables_to_restore(
    include: Sequence[Any] | None = None, exclude: Sequence[Any] | None = None
) -> list[tf.Variable]:
    """The global variables in some scopes, without those in others.

    Args:
        include: Scopes, as in `get_variables`; `None` for all variables.
        exclude: Scopes whose variables are left out.

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
    """Those variables whose names match one pattern and none of others.

    Args:
        var_list: The variables.
        include_patterns: Regular expressions of which one must match; `None` if none need.
        exclude_patterns: Regular expressions of which none may match.
        reg_search: Whether they match anywhere in a name, or only at its beginning.
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
    if isinstance(patterns, str) or not isinstance(patterns, Iterable):
        raise ValueError(f"{name} must be a list of regular expressions; it is {patterns!r}.")
    patterns = list(patterns)
    for pattern in patterns:
        _check_pattern(f"an item of {name}", pattern)
    return patterns


def check_variable(name: str, variable: Any) -> Any:
    """The variable itself; raises ValueError for what is none. `name` is the argument that gave it."""
    if not hasattr(variable, "op") or not hasattr(variable, "assign"):
        raise ValueError(f"{name} must be a variable, or have nothing else in it; it has {variable!r}.")
    return variable


def _check_pattern(name: str, pattern: Any) -> None:
    try:
        re.compile(arguments.as_optional_text(name, pattern) or "")
    except re.error as error:
        raise ValueError(f"{name} must be a regular expression; {pattern!r} is none: {error}.") from error


def get_variable_full_name(var: tf.Variable) -> str:
    """The name a variable has in a checkpoint: for a slice of a partitioned variable that of the whole."""
    check_variable("var", var)
    return _tensorflow.save_slice(var)[0]
