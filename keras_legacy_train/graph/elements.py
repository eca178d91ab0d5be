"""Looks up tensors and operations of a graph."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from keras_legacy_train.types import Fetch, Fetches

_KEYS = tf.compat.v1.GraphKeys


def graph_element(graph: tf.Graph, request: Fetch) -> tf.Operation | tf.Tensor:
    """Returns the tensor or operation that a request stands for.

    Args:
        graph: The graph to look it up in.
        request: A tensor, operation, variable, or a name. `"x"` stands for the tensor `x:0` if the operation
            `x` has an output, else for the operation. A variable stands for its value.

    Raises:
        ValueError: It is not in the graph.
    """
    element = _graph_element(graph, request)
    return variable_value(element) if is_variable(element) else element


def is_variable(element: Any) -> bool:
    """Returns whether an element of a graph is the handle of a resource variable."""
    operation = getattr(element, "op", None)  # a tensor of eager execution has none
    return isinstance(element, tf.Tensor) and operation is not None and operation.type == "VarHandleOp"


def variable_value(handle: tf.Tensor) -> tf.Tensor:
    """Returns the tensor that reads a resource variable.

    In code written for reference variables, a variable's name stands for its value. But the name of a
    resource variable is that of its handle.
    """
    for operation in handle.consumers():
        if operation.type == "ReadVariableOp" and not operation.control_inputs:
            return operation.outputs[0]
    with handle.graph.as_default(), tf.control_dependencies(None):
        return tf.raw_ops.ReadVariableOp(resource=handle, dtype=handle.op.get_attr("dtype"))


def find_variable(handle: tf.Tensor) -> tf.Variable | tf.Tensor:
    """Returns the global variable that has the handle, or the tensor that reads it if none has."""
    variables = handle.graph.get_collection(_KEYS.GLOBAL_VARIABLES)
    found = next((variable for variable in variables if variable.op is handle.op), None)
    return variable_value(handle) if found is None else found


def find_global_step(graph: tf.Graph) -> tf.Variable | tf.Tensor | None:
    """Returns the variable that counts a graph's steps, or `None`.

    It is the one in the `GLOBAL_STEP` collection, or else the one named `global_step`. If the latter is a
    resource variable, `tf.compat.v1.train.get_global_step` would find its handle.

    Raises:
        TypeError: It is not an integer or not a scalar.
    """
    handle = None
    if not graph.get_collection(_KEYS.GLOBAL_STEP):
        with contextlib.suppress(KeyError):
            handle = graph.get_tensor_by_name(f"{_KEYS.GLOBAL_STEP}:0")
    if not is_variable(handle):
        return tf.compat.v1.train.get_global_step(graph)
    step = find_variable(handle)
    tf.compat.v1.train.assert_global_step(step)
    return step


def register_global_step(graph: tf.Graph) -> None:
    """Puts the variable that counts a graph's steps into the `GLOBAL_STEP` collection, if that is empty.

    TensorFlow finds it there for its hooks and for monitors.

    Raises:
        TypeError: It is not an integer or not a scalar.
    """
    step = find_global_step(graph)
    is_collected = bool(graph.get_collection(_KEYS.GLOBAL_STEP))
    if isinstance(step, tf.Variable) and not is_collected and not graph.finalized:
        graph.add_to_collection(_KEYS.GLOBAL_STEP, step)


def _graph_element(graph: tf.Graph, request: Fetch) -> tf.Operation | tf.Tensor:
    """Returns the tensor or operation of a request; the handle of a resource variable for its name."""
    if isinstance(request, (tf.Tensor, tf.Operation)) and request.graph is graph:
        return request
    try:
        if isinstance(request, str) and ":" not in request:
            operation = graph.as_graph_element(request, allow_tensor=False)
            return operation.outputs[0] if operation.outputs else operation
        return graph.as_graph_element(request)
    except (KeyError, TypeError, ValueError) as error:
        where = getattr(request, "graph", None)
        if where is not None and where is not graph:
            name = getattr(request, "name", request)
            raise ValueError(
                f"{name!r} belongs to {where}, not to the graph that is run, {graph}."
            ) from error
        raise ValueError(f"{request!r} is not in the graph: {error}") from error


def find_tensor(argument: str, graph: tf.Graph, request: Fetch) -> tf.Tensor:
    """Returns the tensor that a request stands for.

    Args:
        argument: The argument that gave the request, for messages.
        graph: The graph to look it up in.
        request: A tensor, a variable, or a name.

    Raises:
        ValueError: It is not in the graph, or is an operation.
    """
    check_names(argument, graph, request)
    try:
        element = graph_element(graph, request)
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from error
    if isinstance(element, tf.Operation):
        raise ValueError(f"{argument}: {element.name!r} is an operation; name a tensor.")
    return element


def check_names(argument: str, graph: tf.Graph, requests: Fetches | None) -> None:
    """Checks that all names in a structure of requests are in the graph.

    Raises:
        ValueError: One is not; the message suggests similar names.
    """
    for request in tf.nest.flatten(requests):
        if not isinstance(request, str):
            continue
        operations = {operation.name for operation in graph.get_operations()}
        name = request.partition(":")[0]
        if name not in operations:
            raise ValueError(f"{argument}: {request!r} is not in the graph.{suggestion(name, operations)}")


def suggestion(name: str, names: Iterable[str]) -> str:
    """Returns a sentence that suggests the names similar to `name`, `""` if there is none."""
    near = difflib.get_close_matches(name, list(names))
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
