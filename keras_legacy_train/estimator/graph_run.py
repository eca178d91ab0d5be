"""Runs a graph that is not trained, between the hooks of those who watch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints.reading import restore_variables
from keras_legacy_train.estimator import log
from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.initialize import GraphStart, initialize_resources
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.interrupts import watched_calls
from keras_legacy_train.programs.graph_state import saved_variables


class GraphRun:
    """Restores a graph, and runs it between the hooks, as `tf.compat.v1.train.MonitoredSession` does.

    It is a context manager. The end of the input ends the block without an error.

    Args:
        graph: The graph.
        start: What gives it its first values.
        hooks: The hooks.
        restore: Gives the session's variables their values; `None` to initialise them.
        session: The session of an earlier run of the graph, if nobody has hooks.
    """

    def __init__(
        self,
        graph: tf.Graph,
        start: GraphStart,
        hooks: Sequence[tf.compat.v1.train.SessionRunHook],
        restore: Callable[[GraphSession], None] | None,
        session: GraphSession | None = None,
    ):
        self._graph = graph
        self._start = start
        self._hooks = list(hooks)
        self._restore = restore
        self._session = session
        self._queue_runners: QueueRunners | None = None
        self._stop_requested = False
        self._entered = contextlib.ExitStack()

    @property
    def session(self) -> GraphSession:
        """Returns the graph's session, once the context is entered."""
        assert self._session is not None
        return self._session

    @property
    def is_watched(self) -> bool:
        """Returns whether a hook wants to see each run."""
        nothing = (tf.compat.v1.train.SessionRunHook.before_run, tf.compat.v1.train.SessionRunHook.after_run)
        # A mock has methods that its class has not.
        methods = ((hook.before_run, hook.after_run) for hook in self._hooks)
        return any(tuple(getattr(each, "__func__", None) for each in both) != nothing for both in methods)

    @property
    def should_stop(self) -> bool:
        """Returns whether a hook, or a thread that fills a queue, has asked to stop."""
        assert self._queue_runners is not None
        return self._stop_requested or self._queue_runners.coordinator.should_stop()

    def __enter__(self) -> GraphRun:
        with contextlib.ExitStack() as entered, self._graph.as_default():
            for hook in self._hooks:
                hook.begin()
            is_first = self._session is None
            if is_first:
                self._start.complete_graph(self._graph)
            with _tensorflow.eager_mode():
                session = self._session = self._session or GraphSession(LiftedGraph(self._graph))
                with self.watched_calls():
                    if self._restore is None:
                        self._start.initialize_variables(session)
                    else:
                        initialize_resources(session)
                        self._restore(session)
                    self._start.initialize_locals(session)
                    if is_first:  # later on, the same initialisers have run
                        self._start.check(session)
            self._queue_runners = entered.enter_context(QueueRunners(session))
            with session.as_default():
                for hook in self._hooks:
                    hook.after_create_session(session, self._queue_runners.coordinator)
            self._entered = entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        is_end_of_input = isinstance(error, (tf.errors.OutOfRangeError, StopIteration))
        with contextlib.ExitStack() as leaving:
            leaving.push(self._entered)
            if error is not None and not is_end_of_input:
                raise error
            if is_end_of_input:
                self.raise_failure()
            with self.session.as_default():
                for hook in self._hooks:
                    hook.end(self.session)
        return is_end_of_input

    def watched_calls(self) -> contextlib.AbstractContextManager[Any]:
        """Returns a context in which Ctrl-C ends a call that waits, and a long wait is explained."""
        return watched_calls(lambda: awaited_input(self.session))

    def raise_failure(self) -> None:
        """Raises the error that a thread which fills a queue has failed with, if there is one."""
        assert self._queue_runners is not None
        self._queue_runners.raise_failure()

    def run(self, fetches: Any) -> Any:
        """Runs fetches, and with them what the hooks ask for; see `GraphSession.run`.

        Raises:
            RuntimeError: Two hooks feed the same tensor.
            tf.errors.OutOfRangeError: The input has ended.
        """
        session = self.session
        if not self.is_watched:
            return session.run(fetches)
        context = tf.compat.v1.train.SessionRunContext(tf.compat.v1.train.SessionRunArgs(fetches), session)
        asked: dict[int, Any] = {}
        feeds: dict[Any, Any] = {}
        with session.as_default():
            for index, hook in enumerate(self._hooks):
                request = hook.before_run(context)
                if request is None:
                    continue
                if request.fetches is not None:
                    asked[index] = request.fetches
                if feeds.keys() & (request.feed_dict or {}).keys():
                    raise RuntimeError("Same tensor is fed by two hooks.")
                feeds.update(request.feed_dict or {})
            outputs = session.run({"caller": fetches, "hooks": asked}, feeds)
            for index, hook in enumerate(self._hooks):
                values = tf.compat.v1.train.SessionRunValues(
                    outputs["hooks"].get(index), tf.compat.v1.RunOptions(), tf.compat.v1.RunMetadata()
                )
                hook.after_run(context, values)
        self._stop_requested |= bool(context.stop_requested)
        return outputs["caller"]


def restored_from(checkpoint: str, saver: tf.compat.v1.train.Saver | None) -> Callable[[GraphSession], None]:
    """Returns what restores a graph from a checkpoint.

    Args:
        checkpoint: Prefix of the checkpoint.
        saver: The graph's own Saver, which knows what is read; by default all variables are, by their names.
    """

    def restore(session: GraphSession) -> None:
        log.info("Restoring parameters from %s", checkpoint)
        if saver is None:
            restore_variables(checkpoint, saved_variables(session))
            return
        with session.as_default():
            saver.restore(session, checkpoint)

    return restore
