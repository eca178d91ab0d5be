"""Has the processes of a training act together: the same windows, stops, checkpoints, and the same end."""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from keras_legacy_train.callbacks.checkpoint_saver import CheckpointSaver
from keras_legacy_train.distributed.workers import Workers
from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.loop.agreement import Agreement
from keras_legacy_train.loop.stop import StopReason

_LOGGER = logging.getLogger("keras_legacy_train")

# With this code a process ends after SIGTERM; platforms start it again.
_EXIT_CODE = 128 + signal.SIGTERM
# How much of TensorFlow's message is logged.
_SHOWN = 300


class WorkersAgreement(Agreement):
    """Asks the other processes of a strategy.

    Args:
        workers: The processes.
    """

    def __init__(self, workers: Workers):
        self._workers = workers

    def plan(self, watched: float, window: int) -> tuple[float, int]:
        plans = self._workers.gather(watched, window)
        return float(plans[:, 0].min()), int(plans[0, 1])

    def any(self, flag: bool) -> bool:
        return self._workers.any(flag)

    def signal(self, number: int | None) -> int | None:
        return int(self._workers.gather(number or 0).max()) or None


class JointCheckpointSaver(CheckpointSaver):
    """Saves after the same steps in all processes, by the chief's clock.

    After an error there is no last checkpoint: the others may be elsewhere.

    Args:
        workers: The processes.
        *arguments: See `CheckpointSaver`.
        **options: See `CheckpointSaver`.
    """

    def __init__(self, workers: Workers, *arguments: Any, **options: Any):
        self._workers = workers
        super().__init__(*arguments, **options)

    def _now(self) -> float:
        return self._workers.clock()

    def _saves_at(self, reason: StopReason) -> bool:
        return reason not in (StopReason.NAN, StopReason.ERROR)


@contextlib.contextmanager
def acting_together(workers: Workers) -> Iterator[None]:
    """Has all processes leave together, or, when one of them is lost, has this one exit to be started again.

    Raises:
        SystemExit: Another process is lost. The code is 143, as after SIGTERM.
    """
    if workers.count == 1:
        yield
        return
    try:
        try:
            yield
        except (SystemExit, KeyboardInterrupt, NanLossDuringTrainingError):
            workers.gather(0.0)
            raise
        workers.gather(0.0)
    except tf.errors.OpError as error:
        if not _is_loss(error):
            raise
        _LOGGER.error(
            "Another worker is lost, so this one ends with exit code %d. Start all of them again: training"
            " goes on from the newest checkpoint. %s: … %s",
            _EXIT_CODE,
            type(error).__name__,
            " ".join(error.message.split())[-_SHOWN:],  # it begins with a traceback
        )
        raise SystemExit(_EXIT_CODE) from error


def _is_loss(error: tf.errors.OpError) -> bool:
    """Returns whether an error says that another process does not answer, or is another one now."""
    if isinstance(error, tf.errors.FailedPreconditionError):
        return "incarnation" in error.message or "oordination" in error.message
    return isinstance(error, (tf.errors.UnavailableError, tf.errors.AbortedError))
