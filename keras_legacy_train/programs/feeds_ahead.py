"""Feeds gathered ahead, so that several steps can be run in one call."""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# What `feed_fn` returned, and the same as arrays.
_Feeds = tuple[Mapping[Any, Any], dict[str, np.ndarray]]


class FeedsAhead:
    """Keeps what a `feed_fn` has returned until a step needs it.

    Args:
        feed_fn: Returns the `feed_dict` of a step.
        as_arrays: Checks a `feed_dict`, and gives its values as arrays by tensor names.
    """

    # Of one block of feeds, in bytes.
    MAX_BLOCK = 64 * 2**20

    def __init__(
        self,
        feed_fn: Callable[[], Mapping[Any, Any]],
        as_arrays: Callable[[Mapping[Any, Any]], dict[str, np.ndarray]],
    ):
        self._feed_fn = feed_fn
        self._as_arrays = as_arrays
        self._waiting: collections.deque[_Feeds] = collections.deque()
        self._error: BaseException | None = None

    def take(self) -> _Feeds:
        """The next feeds, as they came and as arrays.

        Raises:
            Whatever `feed_fn` has raised, once all feeds before have been taken.
        """
        if not self._waiting and self._error is None:
            self._call()
        if not self._waiting and self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._waiting.popleft()

    def block(self, at_most: int) -> dict[str, np.ndarray]:
        """The next feeds that have the same shapes, `at_most` of them, stacked; empty if there are no more.

        They wait until `take` or `drop` is called.
        """
        stacked: list[dict[str, np.ndarray]] = []
        size = 0
        while len(stacked) < at_most and size < self.MAX_BLOCK and self._has(len(stacked) + 1):
            _, feeds = self._waiting[len(stacked)]
            if stacked and _shapes(feeds) != _shapes(stacked[0]):
                break
            stacked.append(feeds)
            size += sum(array.nbytes for array in feeds.values())
        return {name: np.stack([feeds[name] for feeds in stacked]) for name in stacked[0]} if stacked else {}

    def drop(self, number: int) -> None:
        """Lets go of feeds that have been used."""
        for _ in range(number):
            self._waiting.popleft()

    def _has(self, number: int) -> bool:
        while len(self._waiting) < number and self._error is None:
            self._call()
        return len(self._waiting) >= number

    def _call(self) -> None:
        try:
            feed_dict = self._feed_fn()
            self._waiting.append((feed_dict, self._as_arrays(feed_dict)))
        except BaseException as error:  # raised by `take`, after the steps before it
            self._error = error


def _shapes(feeds: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in feeds.items()}
