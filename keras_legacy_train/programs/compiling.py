"""Decides whether windows are compiled by XLA."""

from __future__ import annotations

import logging
import math

_LOGGER = logging.getLogger("keras_legacy_train")


class Trial:
    """Has windows run compiled and not compiled by turns, until it is known which is faster.

    The first window of each kind is not counted: to make it, and to compile it, takes time of its own.
    """

    # Of each kind so many windows are timed, and so many seconds or windows of the largest number.
    LEAST, SECONDS, MOST = 3, 0.05, 8

    def __init__(self) -> None:
        self._timed: dict[bool, list[float]] = {False: [], True: []}
        self._seconds = {False: 0.0, True: 0.0}
        self._has_run: set[bool] = set()
        self._compiles = False
        self.is_over = False

    @property
    def compiles(self) -> bool:
        """Returns whether the next window is to be compiled."""
        return self._compiles

    def ran(self, steps: int, seconds: float) -> None:
        """Learns from a window of the kind that `compiles` has told."""
        kind = self._compiles
        if self.is_over or not steps:
            return
        if kind in self._has_run:
            self._timed[kind].append(seconds / steps)
            self._seconds[kind] += seconds
        self._has_run.add(kind)
        self._compiles = not kind
        if all(map(self._is_enough, self._timed)):
            self._decide()

    def _is_enough(self, kind: bool) -> bool:
        number = len(self._timed[kind])
        return number >= self.MOST or (number >= self.LEAST and self._seconds[kind] >= self.SECONDS)

    def _decide(self) -> None:
        plain, compiled = (min(self._timed[kind], default=math.inf) for kind in (False, True))
        self.is_over, self._compiles = True, compiled < plain
        _LOGGER.info(
            "A step takes %.0f µs compiled by XLA and %.0f µs otherwise; it goes on %s.",
            1e6 * compiled,
            1e6 * plain,
            "compiled" if self._compiles else "as it is",
        )
