"""The clock that all peers are measured by. Also runs under Python 3.7."""

from __future__ import annotations

import resource
import time
from typing import Any


class Clock:
    """Takes the time of a training from within, without changing how it runs.

    A peer tells it how many steps are done whenever its loop is back in Python: after each step, or after
    as many as it runs in one call. The pace is taken between two such moments: the first after the warm-up,
    the second `seconds` later. So all peers train for the same time, and functions that are built at their
    first use are built before.

    Args:
        seconds: How long the pace is taken.
        warm_up_seconds: Time from the first step to the start of that, at least.
        warm_up_steps: Steps before the start of that, at least.
    """

    def __init__(self, seconds: float, warm_up_seconds: float, warm_up_steps: int):
        self._seconds = seconds
        self._warm_up_seconds = warm_up_seconds
        self._warm_up_steps = warm_up_steps
        self._called: float | None = None
        self._first: tuple[int, float] | None = None
        self._from: tuple[int, float] | None = None
        self._to: tuple[int, float] | None = None

    def start(self) -> None:
        """The call that trains comes next."""
        self._called = time.perf_counter()

    def tell(self, steps: int) -> bool:
        """So many steps are done. Returns whether training may stop."""
        now = time.perf_counter()
        if self._first is None:
            self._first = steps, now
        elif self._from is None:
            if steps >= self._warm_up_steps and now >= self._first[1] + self._warm_up_seconds:
                self._from = steps, now
        elif now >= self._from[1] + self._seconds:
            self._to = steps, now
        return self._to is not None

    def results(self) -> dict[str, Any]:
        """What was measured: when (in seconds as `time.time` counts), steps, microseconds a step, seconds to
        the first step, and peak memory in MB.
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
    """The most memory that this process has had in RAM so far (on Linux, where it comes in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
