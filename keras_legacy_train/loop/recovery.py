"""Says how a training goes on when what it runs on was lost for a moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf


def is_passing(error: BaseException) -> bool:
    """Returns whether an error is one that a training gets over by starting again from a checkpoint."""
    return isinstance(error, (tf.errors.AbortedError, tf.errors.UnavailableError))


@dataclasses.dataclass(frozen=True)
class Recovery:
    """Holds how a training goes on when what it runs on was lost for a moment.

    Attributes:
        restore: Brings back what was lost.
        is_possible: Tells whether it can be brought back after an error.
    """

    restore: Callable[[], None]
    is_possible: Callable[[BaseException], bool] = is_passing
