"""Provides `model.optimizer` for Keras callbacks on a graph, which has its optimizers inside."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train.graph.elements import graph_element
from keras_legacy_train.graph.nodes import VARIABLE_OPS
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.types import Fetch, TensorLike

_KEYS = tf.compat.v1.GraphKeys
_READS = frozenset({"Identity", "ReadVariableOp"})


class GraphOptimizer:
    """Stands in the place of a Keras optimizer, so that callbacks can read and set the learning rate.

    Args:
        learning_rate: The variable that holds the learning rate, if the graph has one.
        iterations: The variable that counts steps, if the graph has one.

    Attributes:
        built: True; there is nothing to build.
        variables: Empty; the variables of the graph's optimizers are among the model's weights.
    """

    built = True
    variables: tuple[keras.Variable, ...] = ()

    def __init__(self, learning_rate: keras.Variable | None, iterations: keras.Variable | None):
        self._learning_rate = learning_rate
        self._iterations = iterations

    @property
    def learning_rate(self) -> keras.Variable:
        """Returns the learning rate. A number may be assigned to it.

        Raises:
            AttributeError: It is not known which variable of the graph it is.
        """
        if self._learning_rate is None:
            raise AttributeError("It is not known which variable of the graph is the learning rate.")
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: TensorLike) -> None:
        self.learning_rate.assign(value)

    @property
    def iterations(self) -> keras.Variable:
        """Returns the global step.

        Raises:
            AttributeError: The graph has none.
        """
        if self._iterations is None:
            raise AttributeError("The graph has no global step, so its steps are not counted.")
        return self._iterations

    def finalize_variable_values(self, variables: Any) -> None:
        """Does nothing: a graph has none of the work that a Keras optimizer does at the end of training."""


def find_learning_rate(session: GraphSession, learning_rate: Fetch | None = None) -> str | None:
    """Finds the variable that holds the learning rate.

    Args:
        session: The graph's session.
        learning_rate: The variable or its name. By default the one variable of the graph that is called
            `learning_rate`, as `optimize_loss` calls it, if it is the only one and holds one float.

    Returns:
        The name of its op; `None` if there is no such variable.

    Raises:
        ValueError: `learning_rate` is not a variable.
    """
    if learning_rate is None:
        names = {
            variable.op.name
            for variable in session.graph.get_collection(_KEYS.GLOBAL_VARIABLES)
            if variable.op.name.rpartition("/")[2] == "learning_rate"
            and variable.dtype.is_floating
            and variable.shape.rank == 0
        }
        return names.pop() if len(names) == 1 else None
    try:
        element = graph_element(session.graph, learning_rate)
    except ValueError as error:
        raise ValueError(f"learning_rate: {error}") from error
    operation = element if isinstance(element, tf.Operation) else element.op
    while operation.type in _READS and operation.inputs:
        operation = operation.inputs[0].op
    if operation.type not in VARIABLE_OPS:
        raise ValueError(
            f"learning_rate: {element.name!r} is computed by the graph, so it cannot be set. Name a variable."
        )
    return str(operation.name)
