"""Runs the threads that fill a graph's queues."""

from __future__ import annotations

import threading

import tensorflow as tf

from keras_legacy_train.graph.session import GraphSession

_GRACE_SECONDS = 10


class QueueRunners:
    """Runs a graph's queue runners while it is entered.

    Args:
        session: The session that runs the enqueue ops.

    Attributes:
        coordinator: Tells the threads to stop, and keeps what they raised.
    """

    def __init__(self, session: GraphSession):
        self._session = session.unnoticed()
        self.coordinator = tf.train.Coordinator()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> QueueRunners:
        """Starts one thread for each enqueue op."""
        graph = self._session.graph
        for runner in graph.get_collection(tf.compat.v1.GraphKeys.QUEUE_RUNNERS):
            threads = runner.create_threads(self._session, self.coordinator, daemon=True, start=True)
            self._threads.extend(threads)
        return self

    def __exit__(self, error_type: type | None, *_: object) -> None:
        """Closes the queues and waits for the threads; raises their failure if no other error is raised."""
        self.request_stop()
        for thread in self._threads:
            thread.join(_GRACE_SECONDS)
        if error_type is None:
            self.raise_failure()

    def request_stop(self) -> None:
        """Closes the queues, so that a reader gets the end of the input. May be called from any thread."""
        self.coordinator.request_stop()

    def raise_failure(self) -> None:
        """Raises the error that an enqueue op failed with, if any; the end of its input is no failure."""
        self.coordinator.raise_requested_exception()
