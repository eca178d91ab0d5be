"""When does somebody want to see a step, and how many steps fit into one call? Pure arithmetic.

Steps are named by their number, one more than the global step before them. Time comes in as an argument.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

from keras_legacy_train.programs.base import WINDOW_SECONDS


def next_watched(step: int, wanted: Iterable[float]) -> float:
    """The first step after `step` that must be run under watch.

    Args:
        step: The global step now.
        wanted: What each observer answered; an answer that lies behind means the next step.

    Returns:
        A step number, or infinity where nobody wants control again.
    """
    return max(min(wanted, default=math.inf), step + 1)


@dataclasses.dataclass(frozen=True)
class Sampling:
    """Steps at equal distances, of which somebody wants to see something, and need not see it at once.

    Attributes:
        every: Steps from one to the next.
        requests: What to compute along with each.
        last: The last step up to which this holds; infinity for no limit.
    """

    every: int
    requests: Sequence[Any]
    last: float = math.inf


@dataclasses.dataclass
class EveryNSteps:
    """Fires at a step, then at the first step that lies `n` or more behind the last one it fired at.

    It fires on crossing, not on multiples of `n`, so that a step which raises the count by more than one does
    not jump over it.

    Attributes:
        n: Steps from one firing to the next; zero or less fires at each.
        last: The step it last fired at.
    """

    n: int
    last: int

    def next_step(self) -> int:
        """The first step at which it fires."""
        return self.last + max(self.n, 1)

    def fires(self, step: int) -> bool:
        """Whether it fires at the step; notes it if so."""
        return bool(self.firings([step]))

    def firings(self, steps: Sequence[int]) -> list[int]:
        """Where in a rising sequence of steps it fires, as indices; notes the last."""
        indices: list[int] = []
        while (index := bisect.bisect_left(steps, self.next_step())) < len(steps):
            self.last = int(steps[index])
            indices.append(index)
        return indices


@dataclasses.dataclass
class EverySeconds:
    """Fires when `seconds` have passed since it last did.

    Attributes:
        seconds: Time from one firing to the next; `None` or zero never fires.
        last: Clock reading, in seconds, when it last fired.
    """

    seconds: float | None
    last: float

    def fires(self, now: float) -> bool:
        """Whether it fires at the clock reading; notes it if so."""
        if not self.seconds or now < self.last + self.seconds:
            return False
        self.last = now
        return True


class WindowSize:
    """How many steps to run in one call, so that the host has control again after about `seconds`.

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
        """The number of steps for the next window, 1 or more."""
        return min(self._size, self._limit)

    def took(self, steps: int, seconds: float) -> None:
        """Learns from a window of so many steps that took so many seconds."""
        if steps == 0:
            return
        fitting = self._seconds * steps / seconds if seconds > 0 else math.inf
        self._size = max(1, int(min(fitting, self.GROWTH * max(steps, self._size))))
