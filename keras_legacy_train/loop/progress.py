"""Epochs, and where a training stands. Pure arithmetic."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass
class Progress:
    """Says where a training stands: at a step, in an epoch.

    The loop moves it on. Whoever restores a checkpoint sets it.

    Attributes:
        step: The global step.
        epoch: Number of the current epoch, from 0.
        epoch_start: The global step before the first step of the current epoch.
    """

    step: int = 0
    epoch: int = 0
    epoch_start: int = 0

    @property
    def continues_epoch(self) -> bool:
        """Returns whether steps of the current epoch have been run, maybe by an earlier run."""
        return self.step != self.epoch_start

    def begin_next_epoch(self) -> None:
        """Begins the next epoch after the current step."""
        self.epoch += 1
        self.epoch_start = self.step


@dataclasses.dataclass(frozen=True)
class Epochs:
    """Says which steps make an epoch, and how many epochs there are.

    Attributes:
        length: Steps in an epoch; `None` if only the end of the input ends it.
        count: The largest number of epochs.
        repeats_input: Whether an epoch follows where the input has ended. If not, the training ends there.
    """

    length: int | None = None
    count: float = math.inf
    repeats_input: bool = False

    def end(self, progress: Progress) -> float:
        """Returns the global step after the current epoch; infinity if that is not known."""
        return math.inf if self.length is None else progress.epoch_start + self.length

    def last_step(self, progress: Progress) -> int | None:
        """Returns the global step after the last epoch; `None` if that is not known."""
        if self.length is None or math.isinf(self.count):
            return None
        return max(progress.step, progress.epoch_start + int(self.count - progress.epoch) * self.length)

    def count_until(self, progress: Progress, target_step: int | None) -> int:
        """Returns how many epochs there will be, as far as can be told, until a global step."""
        if not math.isinf(self.count):
            return int(self.count)
        if self.length is None or target_step is None:
            return 1
        return progress.epoch + max(0, math.ceil((target_step - progress.epoch_start) / self.length))

    def locate(self, progress: Progress) -> None:
        """Sets the epoch in which the step after the current one lies, if epochs have a length."""
        if self.length is not None:
            progress.epoch, done = divmod(progress.step, self.length)
            progress.epoch_start = progress.step - done
