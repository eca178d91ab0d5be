"""Holds a graph that a model function has built, to be run as often as wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.fingerprint import fingerprint
from keras_legacy_train.estimator.graph_run import GraphRun
from keras_legacy_train.estimator.model_fn import Input
from keras_legacy_train.estimator.scaffold_start import ScaffoldStart
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.graph.session import GraphSession

_KEYS = tf.compat.v1.GraphKeys

# Variables are not kept beyond a run if there are more bytes of them.
_MOST_BYTES = 64 * 2**20


class BuiltGraph:
    """Runs a graph that is not trained, each time as if it were new.

    Args:
        graph: The graph, complete but for what hooks add.
        spec: What the model function has returned.
        given: What the input function has given it.
        hooks: Session hooks.
        scaffold: The spec's scaffold, or what stands for it.

    Attributes:
        graph: As given.
        spec: As given.
    """

    def __init__(
        self,
        graph: tf.Graph,
        spec: EstimatorSpec,
        given: Input,
        hooks: Sequence[Any],
        scaffold: tf.compat.v1.train.Scaffold,
    ):
        self.graph = graph
        self.spec = spec
        self._hooks = hooks
        self._start = ScaffoldStart(scaffold, given.initializers, is_seen=bool(hooks))
        self._session: GraphSession | None = None
        self._fingerprint = fingerprint(graph) if self._start.is_plain else None

    def is_same(self, other: BuiltGraph) -> bool:
        """Returns whether this would compute the same as the other."""
        return self._fingerprint is not None and self._fingerprint == other._fingerprint

    def restored(self, restore: Callable[[GraphSession], None] | None) -> GraphRun:
        """Returns a run of the graph, a context manager.

        Args:
            restore: Gives the session's variables their values; `None` to initialise them.
        """
        return GraphRun(self.graph, self._start, self._hooks, restore, self._session)

    def keep(self, run: GraphRun) -> bool:
        """Keeps what has been made for a run for the next one; returns whether that is possible.

        It is not where something would be left of the run: what hooks, queues or random ops remember.
        """
        lifted = run.session.lifted
        sizes = (v.dtype.size * (v.shape.num_elements() or 0) for v in lifted.variables.values())
        if (
            self._start.is_plain
            and not self.graph.get_collection(_KEYS.QUEUE_RUNNERS)
            and math.fsum(sizes) <= _MOST_BYTES
            and not lifted.has_drawn()
        ):
            self._session = run.session
        return self._session is not None
