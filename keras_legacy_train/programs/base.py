"""Defines what the loop needs to know of what it runs."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

# A call should give the host control again after this many seconds.
WINDOW_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Feeds:
    """Values that a step is to be given; stands among the requests of `LoopCallback.on_step_begin`.

    Attributes:
        feed_dict: The values by tensor or name.
    """

    feed_dict: Mapping[Any, Any]


@dataclasses.dataclass(frozen=True)
class Steps:
    """Holds the result of one program call: a watched step, or a window of many.

    Attributes:
        start: The global step before them.
        numbers: The global step after each, `int64[n]`.
        losses: The loss of each, `[n]` in the loss's dtype.
        seconds: The time that they took together.
        outputs: The values that were requested, if the step was watched.
        logs: The logs of a watched step for Keras callbacks: tensors or numbers by name.
        error: The error that ended the window early. The steps before it are done and count.
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
        """Returns the global step after them."""
        return int(self.numbers[-1]) if len(self) else self.start

    @property
    def started(self) -> np.ndarray:
        """Returns the steps as monitors count: one more than the global step before each, `int64[n]`."""
        return np.concatenate([[self.start], self.numbers])[: len(self)] + 1

    def part(self, begin: int, end: int, outputs: Mapping[Any, Any] | None = None) -> Steps:
        """Returns some of these steps, by their places; `outputs` are of the last one."""
        start = int(self.numbers[begin - 1]) if begin else self.start
        numbers, losses = self.numbers[begin:end], self.losses[begin:end]
        return Steps(start, numbers, losses, self.seconds * len(losses) / len(self), outputs=outputs)


class Program(abc.ABC):
    """Runs a step, and many of them in one call.

    Attributes:
        global_step_name: Name of the variable that counts the steps.
    """

    global_step_name: str

    @abc.abstractmethod
    def global_step(self) -> int:
        """Reads the number of steps done so far, over all runs."""

    @abc.abstractmethod
    def run_step(self, step: int, batch: Any, requests: Iterable[Any]) -> Steps:
        """Runs one step that somebody watches.

        Args:
            step: The global step now.
            batch: The result of `next_batch`.
            requests: What to compute along with it; those that are `Feeds` are given to it.
        """

    @abc.abstractmethod
    def run_window(self, step: int, target_step: float, at_most: int) -> Steps:
        """Runs steps that nobody watches: at least one.

        It may end early: at a NaN loss, at the end of the input, after `stop_window`.

        Args:
            step: The global step now.
            target_step: Steps are run only while the global step is below this.
            at_most: The largest number of steps.
        """

    @abc.abstractmethod
    def stop_window(self) -> None:
        """Ends a running window after its current step. May be called from any thread."""

    def next_batch(self) -> Any:
        """Returns what the next watched step is given.

        Raises:
            StopIteration: The input has ended.
        """
        return None

    def begin_epoch(self) -> None:
        """Starts anew what is counted by the epoch, and an input that has ended."""

    def epoch_logs(self) -> dict[str, Any]:
        """Returns the logs of the epoch so far for Keras callbacks: numbers by name."""
        return {}

    def windows_follow(self) -> None:
        """Is told that many steps will run in one call after the next one, which may prepare for it."""

    def sampler(self, every: int, requests: Iterable[Any]) -> Callable[[int, int], Steps] | None:
        """Returns a function that runs windows with samples: of the first step and each `every`-th after it.

        Args:
            every: Steps from one sample to the next.
            requests: What to compute along with each sampled step.

        Returns:
            A function of the global step now and of the largest number of steps; `None` if the program cannot
            keep what is requested.
        """
        return None

    def waits_for(self) -> str | None:
        """Says for which input a step may be waiting; `None` if for none. May be called from any thread."""
        return None

    def close(self) -> None:
        """Releases what the program holds."""
