"""Holds the values of a step's requests, which monitors get in `step_end`."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.graph.elements import graph_element
from keras_legacy_train.types import Fetch


class NamedOutputs(dict[Any, Any]):
    """Holds values by name, and finds them by the tensor, variable or operation of that name, too."""

    def __missing__(self, key: Any) -> Any:
        """Returns the value for the name of a tensor, variable or operation.

        Raises:
            KeyError: There is none.
        """
        for name in _names(key):
            if dict.__contains__(self, name):
                return self[name]
        raise KeyError(key)

    def __getitem__(self, key: Any) -> Any:
        """Returns the value for a name, or for a tensor, variable or operation."""
        try:
            return super().__getitem__(key)
        except TypeError:  # a variable is not hashable under TF 2 behaviour
            return self.__missing__(key)

    def __contains__(self, key: Any) -> bool:
        """Returns whether there is a value for a name, or for a tensor, variable or operation."""
        try:
            if super().__contains__(key):
                return True
        except TypeError:
            pass
        return any(map(super().__contains__, _names(key)))

    def get(self, key: Any, default: Any = None) -> Any:
        """Returns the value for a name, or for a tensor, variable or operation; else `default`."""
        try:
            return self[key]
        except KeyError:
            return default


def _names(key: Any) -> list[str]:
    """Returns the names of a tensor, variable or operation; a Keras variable has a path, too."""
    if isinstance(key, str):
        return []
    names = [getattr(key, "path", None), getattr(key, "name", None)]
    return [spelled for name in names if name for spelled in (name, name.removesuffix(":0"))]


class StepOutputs(NamedOutputs):
    """Holds values by tensor name, and finds them by the requested tensor, variable or string, too.

    An operation has the value `None`.

    Args:
        graph: The graph that the requests belong to.
        requests: Tensors, operations, variables, or names; a name without `":0"` means output 0.

    Attributes:
        tensors: Names of the tensors to compute, each once.
        operations: Names of the operations to run, each once.

    Raises:
        ValueError: A request is not in the graph.
    """

    def __init__(self, graph: tf.Graph, requests: Iterable[Fetch]):
        super().__init__()
        self._asked: list[tuple[str, str]] = []
        tensors: dict[str, None] = {}
        operations: dict[str, None] = {}
        for request in requests:
            element = graph_element(graph, request)
            if isinstance(element, tf.Operation):
                operations[element.name] = None
                self[element] = None
            else:
                tensors[element.name] = None
            # A variable's own name is not that of the tensor that reads it.
            asked = request if isinstance(request, str) else request.name
            if asked != element.name:
                self._asked.append((asked, element.name))
        self.tensors = list(tensors)
        self.operations = list(operations)

    def filled(self, values: Mapping[str, Any]) -> StepOutputs:
        """Returns a copy with values, given by tensor name."""
        outputs = copy.copy(self)
        outputs.fill(values)
        return outputs

    def fill(self, values: Mapping[str, Any]) -> None:
        """Sets the values, given by tensor name."""
        self.update((name, values[name]) for name in self.tensors)
        self.update((asked, self.get(name)) for asked, name in self._asked)
