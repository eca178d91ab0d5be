"""Measures all peers by the same clock. Also runs under Python 3.7."""

from __future__ import annotations

import resource
import time
from typing import Any


class Clock:
    """Measures the pace of a training from within, without changing how it runs.

    A peer tells the clock how many steps are done whenever its loop is back in Python: after each step, or
    after as many as it runs in one call. The pace is measured between two such moments: the first after the
    warm-up, the second `seconds` later. So all peers train for the same time, and functions that are built at
    their first use are built before.

    Args:
        seconds: How long the pace is measured.
        warm_up_seconds: Least time from the first step to the start of the measurement.
        warm_up_steps: Least number of steps before the start of the measurement.
        target: The step at which the training ends, measured or not.

    Attributes:
        target: As given.
    """

    def __init__(self, seconds: float, warm_up_seconds: float, warm_up_steps: int, target: int = 10**9):
        self.target = target
        self._seconds = seconds
        self._warm_up_seconds = warm_up_seconds
        self._warm_up_steps = warm_up_steps
        self._called: float | None = None
        self._first: tuple[int, float] | None = None
        self._from: tuple[int, float] | None = None
        self._to: tuple[int, float] | None = None

    def start(self) -> None:
        """Starts the clock; call it just before the call that trains."""
        self._called = time.perf_counter()

    def tell(self, steps: int) -> bool:
        """Tells the clock how many steps are done; returns whether training may stop."""
        now = time.perf_counter()
        if self._first is None:
            self._first = steps, now
        elif self._from is None:
            if steps >= self._warm_up_steps and now >= self._first[1] + self._warm_up_seconds:
                self._from = steps, now
        elif now >= self._from[1] + self._seconds:
            self._to = steps, now
        return self._to is not None or steps >= self.target

    def results(self) -> dict[str, Any]:
        """Returns the measurements.

        They are the interval that was measured (two times as of `time.time`), the steps in it, microseconds a
        step, seconds from the start to the end of the first step, and peak memory in MB.

        Raises:
            RuntimeError: The training ended too early.
        """
        if self._called is None or self._first is None or self._from is None or self._to is None:
            raise RuntimeError("The training ended before its time was taken.")
        steps, seconds = self._to[0] - self._from[0], self._to[1] - self._from[1]
        ended = time.time() - (time.perf_counter() - self._to[1])
        return {
            "interval": [ended - seconds, ended],
            "steps": int(steps),
            "microseconds": float(1e6 * seconds / steps),
            "first_step_seconds": self._first[1] - self._called,
            "peak_megabytes": peak_megabytes(),
        }


def peak_megabytes() -> float:
    """Returns the peak memory of this process in RAM so far (on Linux, which counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
