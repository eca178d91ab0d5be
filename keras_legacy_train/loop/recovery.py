"""Says how a training goes on when what it runs on was lost for a moment."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

_LOGGER = logging.getLogger("keras_legacy_train")

_Result = TypeVar("_Result")

# As often what is lost again and again is brought back.
MAX_RECOVERIES_WITHOUT_PROGRESS = 5


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

    def run(self, function: Callable[[], _Result]) -> _Result:
        """Calls a function; again, after what it has missed was brought back.

        Returns:
            The result of the function.
        """
        attempts = 0
        while True:
            try:
                if attempts:
                    self.restore()
                return function()
            except Exception as error:
                attempts += 1
                if attempts > MAX_RECOVERIES_WITHOUT_PROGRESS or not self.is_possible(error):
                    raise
                _LOGGER.warning("A server was lost while the training began; beginning again. %s", error)
