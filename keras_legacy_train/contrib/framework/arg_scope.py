"""Gives functions default arguments within a scope."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])

ArgScope = dict[str, dict[str, Any]]
"""The default arguments of each function, by its `arg_scope_func_key`."""

_current_scope: ContextVar[ArgScope | None] = ContextVar("arg_scope", default=None)

# The arguments with a default value of each decorated function, by its key.
_scoped_arguments: dict[str, tuple[str, ...]] = {}


def add_arg_scope(func: _Function) -> _Function:
    """Decorates a function, so that `arg_scope` can give it default arguments.

    Stands for `tf.contrib.framework.add_arg_scope`.

    Args:
        func: A function.

    Returns:
        The function that adds the arguments of the current scope to those of a call. A call's own come first.
    """
    key = arg_scope_func_key(func)
    parameters = inspect.signature(func).parameters.values()
    _scoped_arguments[key] = tuple(
        parameter.name for parameter in parameters if parameter.default is not inspect.Parameter.empty
    )

    @functools.wraps(func)
    def with_scope(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **{**current_arg_scope().get(key, {}), **kwargs})

    with_scope._key_op = key  # type: ignore[attr-defined]
    return with_scope  # type: ignore[return-value]


@contextlib.contextmanager
def arg_scope(
    list_ops_or_scope: Sequence[Callable[..., Any]] | Mapping[str, Mapping[str, Any]], **kwargs: Any
) -> Iterator[ArgScope]:
    """Gives functions default arguments; stands for `tf.contrib.framework.arg_scope`.

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train.contrib.framework import arg_scope, model_variable

    with tf.Graph().as_default(), arg_scope([model_variable], initializer=tf.zeros_initializer()) as scope:
        model_variable("bias", [10])
    with tf.Graph().as_default(), arg_scope(scope):
        model_variable("bias", [10])
    ```

    Args:
        list_ops_or_scope: Functions that `add_arg_scope` decorates; or a scope to enter again.
        **kwargs: The arguments. They are added to those of the enclosing scope, and replace those of the same
            name. A scope that is entered again takes none.

    Yields:
        The scope: the arguments of each function, those of enclosing scopes included.

    Raises:
        TypeError: `list_ops_or_scope` is neither.
        ValueError: A function is not decorated, or there are arguments beside a scope.
    """
    if isinstance(list_ops_or_scope, Mapping):
        if kwargs:
            raise ValueError(
                "When attempting to re-use a scope by supplying a dictionary, kwargs must be empty. They are"
                f" {', '.join(kwargs)}."
            )
        scope = {key: dict(defaults) for key, defaults in list_ops_or_scope.items()}
    elif isinstance(list_ops_or_scope, (list, tuple)):
        scope = dict(current_arg_scope())
        for function in list_ops_or_scope:
            if not has_arg_scope(function):
                name = getattr(function, "__name__", function)
                raise ValueError(f"{name} is not decorated with @add_arg_scope.")
            key = arg_scope_func_key(function)
            scope[key] = {**scope.get(key, {}), **kwargs}
    else:
        raise TypeError(
            "list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict); it is"
            f" {list_ops_or_scope!r}."
        )
    token = _current_scope.set(scope)
    try:
        yield scope
    finally:
        _current_scope.reset(token)


def current_arg_scope() -> ArgScope:
    """Returns the current scope: the default arguments of each function, by its key."""
    return _current_scope.get() or {}


def has_arg_scope(func: Callable[..., Any]) -> bool:
    """Returns whether `add_arg_scope` decorates a function.

    Args:
        func: A function.
    """
    return arg_scope_func_key(func) in _scoped_arguments


def arg_scoped_arguments(func: Callable[..., Any]) -> tuple[str, ...]:
    """Returns the names of the arguments that `arg_scope` can set: those with a default value.

    Args:
        func: A function that `add_arg_scope` decorates.

    Raises:
        ValueError: It is not decorated.
    """
    if not has_arg_scope(func):
        raise ValueError(f"{getattr(func, '__name__', func)} is not decorated with @add_arg_scope.")
    return _scoped_arguments[arg_scope_func_key(func)]


def arg_scope_func_key(op: Callable[..., Any]) -> str:
    """Returns the key of a function in a scope.

    Args:
        op: A function, decorated or not.
    """
    key: str = getattr(op, "_key_op", str(op))
    return key
