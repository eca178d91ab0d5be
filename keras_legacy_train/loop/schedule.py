"""Decides which steps are watched. Pure arithmetic.

Steps are named by their number, one more than the global step before them. Time comes in as an argument.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any


def next_watched(step: int, wanted: Iterable[float]) -> float:
    """Returns the first step after `step` that must be run under watch.

    Args:
        step: The global step now.
        wanted: The answer of each callback; one that lies behind means the next step.

    Returns:
        A step number, or infinity where nobody wants control again.
    """
    return max(min(wanted, default=math.inf), step + 1)


@dataclasses.dataclass(frozen=True)
class Sampling:
    """Names steps at equal distances of which somebody wants values, and not at once.

    Attributes:
        every: Steps from one to the next.
        requests: What to compute along with each.
        last: The last step up to which this holds; infinity for no limit.
    """

    every: int
    requests: Sequence[Any]
    last: float = math.inf


class SamplingPolicy:
    """Decides whether steps of which somebody wants samples run many in one call.

    That takes another function, which pays only where many steps fit into a call and many calls follow.
    """

    MIN_SAMPLES = 8
    MIN_WINDOWS = 4

    def __init__(self) -> None:
        self._in_use = False

    def may_sample(self, window: int) -> bool:
        """Returns whether it is worth asking for a `Sampling`, given how many steps fit into a window."""
        return window > self.MIN_SAMPLES

    def steps(self, sampling: Sampling, left: float, window: int) -> int:
        """Returns how many steps to run in one call; 0 for single steps.

        Args:
            sampling: What is wanted of them.
            left: Steps until training ends or the sampling no longer holds.
            window: How many steps fit into a window.
        """
        steps = int(min(window, left))
        if steps < self.MIN_SAMPLES * sampling.every:
            return 0
        return steps if self._in_use or left >= self.MIN_WINDOWS * window else 0

    def note(self, sampled: bool) -> None:
        """Learns whether the program could sample; where it has, the function is there already."""
        self._in_use = sampled


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
        """Returns the first step at which it fires."""
        return self.last + max(self.n, 1)

    def fires(self, step: int) -> bool:
        """Returns whether it fires at the step; notes it if so."""
        return bool(self.firings([step]))

    def firings(self, steps: Sequence[int]) -> list[int]:
        """Returns the indices at which it fires in a rising sequence of steps; notes the last."""
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
        """Returns whether it fires at the clock reading; notes it if so."""
        if not self.seconds or now < self.last + self.seconds:
            return False
        self.last = now
        return True
