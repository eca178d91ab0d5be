"""Gives a graph its first values as a `Scaffold` says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_legacy_train.estimator import log
from keras_legacy_train.graph.initialize import (
    GraphStart,
    check_initialized,
    initialize_resources,
    run_initializers,
)
from keras_legacy_train.graph.session import GraphSession

_KEYS = tf.compat.v1.GraphKeys
_PROPERTIES = (
    "init_op",
    "init_feed_dict",
    "init_fn",
    "ready_op",
    "ready_for_local_init_op",
    "local_init_op",
    "local_init_feed_dict",
    "saver",
)


class ScaffoldStart(GraphStart):
    """Initialises a graph in the order of `tf.compat.v1.train.MonitoredSession`.

    Args:
        scaffold: The scaffold that the model function has given.
        input_initializers: What begins the input; runs after everything else is initialised.
        is_seen: Whether anybody else uses the scaffold, or expects the ops of its default values.

    Attributes:
        is_plain: Whether the model function has left everything to the defaults, and nobody sees it.
    """

    def __init__(
        self,
        scaffold: tf.compat.v1.train.Scaffold,
        input_initializers: Sequence[tf.Operation] = (),
        is_seen: bool = True,
    ):
        super().__init__()
        self.is_plain = not is_seen and all(getattr(scaffold, name) is None for name in _PROPERTIES)
        self._scaffold = scaffold
        self._input_initializers = list(input_initializers)
        self._ready_op = scaffold.ready_op  # later it is the default one if there is none
        self._has_init_op = self._has_local_init_op = False

    def complete_graph(self, graph: tf.Graph) -> None:
        if self.is_plain:
            return
        scaffold = self._scaffold
        self._has_init_op = scaffold.init_op is not None or bool(graph.get_collection(_KEYS.INIT_OP))
        local_init_ops = graph.get_collection(_KEYS.LOCAL_INIT_OP)
        self._has_local_init_op = scaffold.local_init_op is not None or bool(local_init_ops)
        with graph.as_default():
            scaffold.finalize()

    def initialize_variables(self, session: GraphSession) -> None:
        scaffold = self._scaffold
        if self.is_plain:
            initialize_resources(session)
            super().initialize_variables(session)
            return
        if self._has_init_op or scaffold.init_feed_dict:
            session.run(scaffold.init_op, scaffold.init_feed_dict)
        else:
            initialize_resources(session)
            run_initializers(session, _KEYS.GLOBAL_VARIABLES)
            session.run(session.graph.get_collection("saved_model_initializers"))
        session.lifted.forget_functions()
        if scaffold.init_fn is not None:
            with session.as_default():
                scaffold.init_fn(session)

    def initialize_locals(self, session: GraphSession) -> None:
        log.info("Running local_init_op.")
        scaffold = self._scaffold
        if self.is_plain:
            super().initialize_locals(session)
        elif self._has_local_init_op or scaffold.local_init_feed_dict:
            session.run(scaffold.local_init_op, scaffold.local_init_feed_dict)
        else:
            run_initializers(session, _KEYS.LOCAL_VARIABLES)
            session.run(session.graph.get_collection(_KEYS.TABLE_INITIALIZERS))
        log.info("Done running local_init_op.")
        session.run(self._input_initializers)

    def check(self, session: GraphSession) -> None:
        if self._ready_op is None:
            check_initialized(session)
            return
        missing = session.run(self._ready_op)
        if missing is not None and missing.dtype != np.int32 and missing.size:
            names = ", ".join(tf.compat.as_text(name) for name in np.ravel(missing))
            raise RuntimeError(
                f"Init operations did not make model ready. The scaffold's ready_op tells of: {names}"
            )
