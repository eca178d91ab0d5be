"""Initialises a lifted graph's variables, tables and iterators, in the Supervisor's order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.errors import NotInitializedError
from keras_legacy_train.graph.nodes import VARIABLE_OPS
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.types import FeedDict, Fetches

_KEYS = tf.compat.v1.GraphKeys

# Numbers in a constant of which TensorFlow would make a constant, too, when it optimizes a function.
_SMALL = 10_000


class GraphStart:
    """Gives a graph its first values, as `train` is told to.

    Args:
        init_op: See `initialize_variables`.
        init_feed_dict: Fed to `init_op`.
        init_fn: Called with the session afterwards.
    """

    def __init__(
        self,
        init_op: Fetches | None = None,
        init_feed_dict: FeedDict | None = None,
        init_fn: Callable[[GraphSession], Any] | None = None,
    ):
        self._init_op = init_op
        self._init_feed_dict = init_feed_dict
        self._init_fn = init_fn

    def complete_graph(self, graph: tf.Graph) -> None:
        """Adds what is still missing in the graph, when monitors and hooks have added theirs."""

    def initialize_variables(self, session: GraphSession) -> None:
        """Initialises what a checkpoint would hold."""
        initialize_variables(session, self._init_op, self._init_feed_dict, self._init_fn)

    def initialize_locals(self, session: GraphSession) -> None:
        """Initialises what no checkpoint holds."""
        initialize_locals(session)

    def check(self, session: GraphSession) -> None:
        """Checks that everything has been initialised.

        Raises:
            NotInitializedError: Something has not.
        """
        check_initialized(session)


def initialize_variables(
    session: GraphSession,
    init_op: Fetches | None = None,
    init_feed_dict: FeedDict | None = None,
    init_fn: Callable[[GraphSession], Any] | None = None,
) -> None:
    """Runs `init_op` and then `init_fn`.

    Args:
        session: The graph's session.
        init_op: Assigns the global variables; any structure that the session can run. `None` stands for the
            graph's `INIT_OP` collection or, if that is empty, for each variable's own initializer.
        init_feed_dict: Fed to `init_op`.
        init_fn: Called with the session afterwards.
    """
    graph = session.graph
    if init_op is None:
        init_op = graph.get_collection(_KEYS.INIT_OP)[:1]
    if init_op or init_feed_dict:
        session.run(init_op or _initializers(graph, _KEYS.GLOBAL_VARIABLES), init_feed_dict)
    else:
        run_initializers(session, _KEYS.GLOBAL_VARIABLES)
    session.lifted.forget_functions()
    if init_fn is not None:
        with session.as_default():
            init_fn(session)


def initialize_missing(session: GraphSession) -> None:
    """Runs the initializers of the global variables that have no value yet."""
    variables = session.graph.get_collection(_KEYS.GLOBAL_VARIABLES)
    missing = [v for v in variables if not session.lifted.variable(v.op.name).initialized]
    _run_initializers(session, [variable.initializer for variable in missing])


def initialize_resources(session: GraphSession) -> None:
    """Creates the resources that are registered in the graph's collections, such as tree ensembles."""
    graph = session.graph
    resources = graph.get_collection(_KEYS.RESOURCES) + graph.get_collection(_KEYS.LOCAL_RESOURCES)
    session.run([resource.create for resource in resources])


def initialize_locals(session: GraphSession) -> None:
    """Initialises local variables, tables and iterators, which no checkpoint holds."""
    graph = session.graph
    local_init_op = graph.get_collection(_KEYS.LOCAL_INIT_OP)[:1]
    if not local_init_op:
        run_initializers(session, _KEYS.LOCAL_VARIABLES)
        local_init_op = graph.get_collection(_KEYS.TABLE_INITIALIZERS)
    session.run(local_init_op)


def run_initializers(session: GraphSession, collection: str) -> None:
    """Runs the initializers of the variables in a collection of the graph."""
    _run_initializers(session, _initializers(session.graph, collection))


def _initializers(graph: tf.Graph, collection: str) -> list[Any]:
    return [variable.initializer for variable in graph.get_collection(collection)]


def _run_initializers(session: GraphSession, initializers: Sequence[Any]) -> None:
    """Runs the initializers of variables. Those that assign a small constant need no function."""
    others, values = [], session.initial_values
    with session.lifted.eager_mode():
        for initializer in initializers:
            operation = getattr(initializer, "op", initializer)  # it may be what an assignment returns
            name = operation.name
            if name not in values:
                values[name] = _constant(operation)
            if values[name] is None:
                others.append(initializer)
            else:
                session.lifted.variable(operation.inputs[0].op.name).assign(values[name], read_value=False)
    if others:
        session.run(others)


def _constant(initializer: tf.Operation) -> tf.Tensor | None:
    """Returns the constant that an operation assigns to a variable; `None` if it does not, or a large one."""
    if initializer.type not in ("Assign", "AssignVariableOp"):
        return None
    variable, value = initializer.inputs
    if variable.op.type not in VARIABLE_OPS or (value.shape.num_elements() or math.inf) > _SMALL:
        return None
    # `tf.get_static_value` would have it that the value cannot be fed any more.
    constant = value.op.inputs[1].op if value.op.type == "Fill" else value.op
    if constant.type != "Const" or any(op.control_inputs for op in (initializer, value.op, constant)):
        return None
    return tf.constant(np.broadcast_to(tf.make_ndarray(constant.get_attr("value")), value.shape.as_list()))


def check_initialized(session: GraphSession) -> None:
    """Checks that each global and local variable has a value.

    Raises:
        NotInitializedError: Some have none.
    """
    graph = session.graph
    variables = graph.get_collection(_KEYS.GLOBAL_VARIABLES) + graph.get_collection(_KEYS.LOCAL_VARIABLES)
    names = dict.fromkeys(variable.op.name for variable in variables)
    missing = [name for name in names if not session.lifted.variable(name).initialized]
    if missing:
        raise NotInitializedError(missing)
