"""Runs queue runners for as long as a context lasts."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

__all__ = ["NestedQueueRunnerError", "QueueRunners"]

__getattr__ = module_getattr(__name__, __all__)

_lock = threading.Lock()


class NestedQueueRunnerError(Exception):
    """Says that `QueueRunners` is entered within itself."""


@contextlib.contextmanager
def QueueRunners(session: Any) -> Iterator[None]:
    """Runs the queue runners of the default graph; stands for `tf.contrib.slim.queues.QueueRunners`.

    Args:
        session: The session they run in. It is closed if they do not stop within two minutes.

    Raises:
        NestedQueueRunnerError: They are running already.
    """
    if not _lock.acquire(blocking=False):
        raise NestedQueueRunnerError("QueueRunners cannot be nested")
    try:
        coordinator = tf.train.Coordinator()
        threads = [
            thread
            for runner in tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.QUEUE_RUNNERS)
            for thread in runner.create_threads(session, coord=coordinator, daemon=True, start=True)
        ]
        try:
            yield
        finally:
            coordinator.request_stop()
            try:
                coordinator.join(threads, stop_grace_period_secs=120)
            except RuntimeError:  # some do not stop by themselves
                session.close()
    finally:
        _lock.release()
