"""Decides whether windows are compiled by XLA."""

from __future__ import annotations

import logging

_LOGGER = logging.getLogger("keras_legacy_train")


class Trial:
    """Has windows run compiled and not compiled by turns, until it is known which is faster.

    The first window of each kind is not counted: to make it, and to compile it, takes time of its own.

    Attributes:
        compiles: Whether the next window is to be compiled.
        is_over: Whether it is known which is faster; `compiles` then tells it.
    """

    # Of each kind at least so many windows are timed, and more until they have taken so many seconds.
    LEAST, SECONDS = 3, 0.05
    # But no more than so many.
    MOST = 8

    def __init__(self) -> None:
        self.compiles = False
        self.is_over = False
        # The steps and the seconds of each window, by whether it was compiled.
        self._windows: dict[bool, list[tuple[int, float]]] = {False: [], True: []}

    def ran(self, steps: int, seconds: float) -> None:
        """Learns from a window of the kind that `compiles` has told."""
        if self.is_over or not steps:
            return
        self._windows[self.compiles].append((steps, seconds))
        self.compiles = not self.compiles
        if all(map(self._is_enough, self._windows)):
            self._decide()

    def _is_enough(self, kind: bool) -> bool:
        timed = [seconds for _, seconds in self._windows[kind][1:]]
        return len(timed) >= self.MOST or (len(timed) >= self.LEAST and sum(timed) >= self.SECONDS)

    def _decide(self) -> None:
        plain, compiled = (
            min(seconds / steps for steps, seconds in self._windows[kind][1:]) for kind in (False, True)
        )
        self.is_over, self.compiles = True, compiled < plain
        _LOGGER.info(
            "A step takes %.0f µs compiled by XLA and %.0f µs otherwise; it goes on %s.",
            1e6 * compiled,
            1e6 * plain,
            "compiled" if self.compiles else "as it is",
        )
