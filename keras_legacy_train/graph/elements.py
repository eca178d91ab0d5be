"""Looks up tensors and operations of a graph."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import tensorflow as tf


def graph_element(graph: tf.Graph, request: Any) -> tf.Operation | tf.Tensor:
    """The tensor or operation that is meant.

    Args:
        graph: Where to look for it.
        request: A tensor, operation, variable, or a name. Of `"x"` the tensor `x:0` is meant if the operation
            `x` has an output, and else the operation.

    Raises:
        ValueError: It is not in the graph.
    """
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


def find_tensor(argument: str, graph: tf.Graph, request: Any) -> tf.Tensor:
    """The tensor that is meant.

    Args:
        argument: The argument that gave it, for messages.
        graph: Where to look for it.
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


def check_names(argument: str, graph: tf.Graph, requests: Any) -> None:
    """Raises ValueError for a name that is not in the graph, with the names that are near."""
    for request in tf.nest.flatten(requests):
        if not isinstance(request, str):
            continue
        operations = {operation.name for operation in graph.get_operations()}
        name = request.partition(":")[0]
        if name not in operations:
            raise ValueError(f"{argument}: {request!r} is not in the graph.{suggestion(name, operations)}")


def suggestion(name: str, names: Iterable[str]) -> str:
    """A sentence with those of `names` that are near, `""` if none is."""
    near = difflib.get_close_matches(name, list(names))
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
