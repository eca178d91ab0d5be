"""Chooses how many steps run in one call."""

from __future__ import annotations

import math

from keras_legacy_train.programs.base import WINDOW_SECONDS


class WindowSize:
    """Chooses how many steps to run in one call, so that the host has control after about `seconds`.

    A window may be at most `GROWTH` times as long as the one before, because the first steps tell little: the
    runtime is still warming up.

    Args:
        limit: Largest number of steps in a window.
        seconds: How long a window should take.
    """

    GROWTH = 8

    def __init__(self, limit: int, seconds: float = WINDOW_SECONDS):
        self._limit = limit
        self._seconds = seconds
        self._size = 1

    def __call__(self) -> int:
        """Returns the number of steps for the next window, 1 or more."""
        return min(self._size, self._limit)

    def took(self, steps: int, seconds: float) -> None:
        """Learns from a window of so many steps that took so many seconds."""
        if steps == 0:
            return
        fitting = self._seconds * steps / seconds if seconds > 0 else math.inf
        self._size = max(1, int(min(fitting, self.GROWTH * max(steps, self._size))))
