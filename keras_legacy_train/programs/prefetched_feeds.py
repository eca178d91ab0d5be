"""Prefetches feeds, so that several steps can be run in one call."""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping

import numpy as np

from keras_legacy_train.types import FeedDict, FeedFn

# The dict that `feed_fn` returned, and its values as arrays by tensor name.
_Feeds = tuple[FeedDict, dict[str, np.ndarray]]


class PrefetchedFeeds:
    """Calls a `feed_fn` ahead of the steps, and keeps the feeds until a step needs them.

    Args:
        feed_fn: Returns the `feed_dict` of a step.
        as_arrays: Checks a `feed_dict`, and returns its values as arrays by tensor names.
    """

    # Size of one block of feeds, in bytes.
    MAX_BLOCK = 64 * 2**20

    def __init__(
        self,
        feed_fn: FeedFn,
        as_arrays: Callable[[FeedDict], dict[str, np.ndarray]],
    ):
        self._feed_fn = feed_fn
        self._as_arrays = as_arrays
        self._waiting: collections.deque[_Feeds] = collections.deque()
        self._error: BaseException | None = None

    def take(self) -> _Feeds:
        """Removes and returns the next feeds, as `feed_fn` returned them and as arrays.

        Raises:
            Exception: The error that `feed_fn` or `as_arrays` raised, once all feeds before it are taken.
        """
        if not self._waiting and self._error is None:
            self._call()
        if not self._waiting and self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._waiting.popleft()

    def block(self, at_most: int) -> dict[str, np.ndarray]:
        """Stacks the next feeds that have the same shapes, without removing them.

        Args:
            at_most: The largest number of feeds to stack.

        Returns:
            Arrays by tensor name, with a first dimension for the feeds; empty if there are no more feeds.
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
        """Removes feeds that have been used."""
        for _ in range(number):
            self._waiting.popleft()

    def _has(self, number: int) -> bool:
        """Returns whether there are this many feeds; calls `feed_fn` as often as needed."""
        while len(self._waiting) < number and self._error is None:
            self._call()
        return len(self._waiting) >= number

    def _call(self) -> None:
        """Calls `feed_fn`, and keeps the feeds or the error."""
        try:
            feed_dict = self._feed_fn()
            self._waiting.append((feed_dict, self._as_arrays(feed_dict)))
        except BaseException as error:  # raised by `take`, after the steps before it
            self._error = error


def _shapes(feeds: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of arrays by their names."""
    return {name: array.shape for name, array in feeds.items()}
