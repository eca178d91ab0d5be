"""Which steps make an epoch. Pure arithmetic."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass
class Epochs:
    """The current epoch, and how many there are.

    Attributes:
        length: Steps in an epoch; `None` if only the end of the input ends it.
        count: How many epochs there are at most.
        repeats_input: Whether an epoch follows where the input has ended. If not, the training ends there.
        number: Number of the current epoch, from 0.
        start: The global step before the first step of the current epoch.
        goes_on: Whether an earlier run has begun the current epoch.
    """

    length: int | None = None
    count: float = math.inf
    repeats_input: bool = False
    number: int = 0
    start: int = 0
    goes_on: bool = False

    @property
    def end(self) -> float:
        """The global step after the last step of the current epoch; infinity if that is not known."""
        return math.inf if self.length is None else self.start + self.length

    def last_step(self, step: int) -> int | None:
        """The global step after the last epoch, given the one now; `None` if that is not known."""
        if self.length is None or math.isinf(self.count):
            return None
        return max(step, self.start + int(self.count - self.number) * self.length)

    def count_until(self, until: int | None) -> int:
        """How many epochs there will be, as far as can be told, when training ends at a global step."""
        if not math.isinf(self.count):
            return int(self.count)
        if self.length is None or until is None:
            return 1
        return self.number + max(0, math.ceil((until - self.start) / self.length))

    def go_to(self, step: int) -> None:
        """Makes that epoch the current one in which the step after the global step `step` lies."""
        if self.length is not None:
            self.number, done = divmod(step, self.length)
            self.start = step - done

    def advance(self, step: int) -> None:
        """Begins the next epoch after the global step `step`."""
        self.number += 1
        self.start = step
