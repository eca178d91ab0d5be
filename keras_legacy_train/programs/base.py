"""What the loop needs to know of what it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

# After so many seconds the host should have control again.
WINDOW_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Feeds:
    """Among what is requested of a step: values that it is to be given.

    Attributes:
        feed_dict: The values by tensor or name.
    """

    feed_dict: Mapping[Any, Any]


@dataclasses.dataclass(frozen=True)
class Steps:
    """What came of one call into the program: one step that was watched, or a window of many.

    Attributes:
        start: The global step before them.
        numbers: The global step after each, `int64[n]`.
        losses: The loss of each, `[n]` in the loss's dtype.
        seconds: How long they took together.
        outputs: What was asked for, if the step was watched.
        logs: What Keras's callbacks are told of a watched step: tensors or numbers by name.
        error: What ended the window before its time. The steps before it are done and count.
        pieces: The same steps one after the other, where some of a window were sampled: each of these with
            its outputs, and those between two of them.
    """

    start: int
    numbers: np.ndarray
    losses: np.ndarray
    seconds: float
    outputs: Mapping[Any, Any] | None = None
    logs: Mapping[str, Any] | None = None
    error: BaseException | None = None
    pieces: Sequence[Steps] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def last(self) -> int:
        """The global step now."""
        return int(self.numbers[-1]) if len(self) else self.start

    @property
    def begun(self) -> np.ndarray:
        """The steps as monitors number them: one more than the global step before each, `int64[n]`."""
        return np.concatenate([[self.start], self.numbers])[: len(self)] + 1

    def part(self, begin: int, end: int, outputs: Mapping[Any, Any] | None = None) -> Steps:
        """Some of these steps, by their places; `outputs` are of the last one."""
        start = int(self.numbers[begin - 1]) if begin else self.start
        numbers, losses = self.numbers[begin:end], self.losses[begin:end]
        return Steps(start, numbers, losses, self.seconds * len(losses) / len(self), outputs=outputs)


class Program(Protocol):
    """One step, and how to run many of them."""

    global_step_name: str

    def global_step(self) -> int:
        """The number of steps done so far, over all runs."""

    def begin_epoch(self) -> None:
        """An epoch begins: what is counted by the epoch, and an input that has ended, starts again."""

    def epoch_logs(self) -> dict[str, Any]:
        """What Keras's callbacks are told of the epoch so far: numbers by name."""

    def next_batch(self) -> Any:
        """What the next watched step is given. `StopIteration` where there is no more."""

    def windows_follow(self) -> None:
        """After the next step, many will run in one call. What that takes may be made ready meanwhile."""

    def run_step(self, batch: Any, requests: Iterable[Any]) -> Steps:
        """One step, of which somebody wants to see `requests`; those that are `Feeds` are given to it."""

    def run_window(self, until: float, at_most: int) -> Steps:
        """Steps that nobody watches: as long as the global step is below `until`, but not more than
        `at_most`.

        At least one is run. It may stop early: at a NaN loss, at the end of the input, when told to.
        """

    def sampler(self, every: int, requests: Iterable[Any]) -> Callable[[int], Steps] | None:
        """What runs windows of which the first step and each `every`-th after it are sampled.

        Args:
            every: Steps from one sample to the next.
            requests: What somebody wants to see of each sampled step.

        Returns:
            A function of the largest number of steps, or `None` if the program cannot keep what is requested.
        """

    def stop_window(self) -> None:
        """Ends a running window after its current step. May be called from any thread."""

    def waits_for(self) -> str | None:
        """Says for which input a step may be waiting; `None` if for none. May be called from any thread."""
