"""Prefetches feeds, so that several steps can be run in one call."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import time
from collections.abc import Callable, Mapping

import numpy as np

from keras_legacy_train.graph.inspection import PYTHON_OPS
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.programs.base import WINDOW_SECONDS
from keras_legacy_train.types import FeedDict, FeedFn

# The dict that `feed_fn` returned, and its values as arrays by tensor name.
_Feeds = tuple[FeedDict, dict[str, np.ndarray]]


class PrefetchedFeeds:
    """Calls a `feed_fn` ahead of the steps, and keeps the feeds until a step needs them.

    Args:
        feed_fn: Returns the `feed_dict` of a step.
        as_arrays: Checks a `feed_dict`, and returns its values as arrays by tensor names.
    """

    # Feeds wait for their steps up to this many bytes, and for no longer than this many seconds.
    MAX_BYTES = 64 * 2**20
    MAX_SECONDS = WINDOW_SECONDS

    def __init__(self, feed_fn: FeedFn, as_arrays: Callable[[FeedDict], dict[str, np.ndarray]]):
        self._feed_fn = feed_fn
        self._as_arrays = as_arrays
        self._waiting: collections.deque[_Feeds] = collections.deque()
        self._error: BaseException | None = None

    def __len__(self) -> int:
        """Returns how many feeds wait for their steps."""
        return len(self._waiting)

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

    def prefetch(self, at_most: int, may_continue: Callable[[], bool]) -> None:
        """Calls `feed_fn` until so many feeds wait, or one of other shapes, or it raises an error.

        Args:
            at_most: The largest number of feeds to wait.
            may_continue: Tells before each call whether there may be another.
        """
        deadline, size = time.perf_counter() + self.MAX_SECONDS, 0
        while len(self._waiting) < at_most and self._error is None and may_continue():
            self._call()
            if self._error is not None or time.perf_counter() >= deadline:
                break
            feed_dict, feeds = self._waiting[-1]
            # An array may be the caller's, who may write the next values into it.
            self._waiting[-1] = feed_dict, {name: array.copy() for name, array in feeds.items()}
            size += sum(array.nbytes for array in feeds.values())
            if size >= self.MAX_BYTES or _shapes(feeds) != _shapes(self._waiting[0][1]):
                break

    def block(self) -> dict[str, np.ndarray]:
        """Stacks the waiting feeds that have the shapes of the first, without removing them.

        Returns:
            Arrays by tensor name, with a first dimension for the feeds; empty if there are none.
        """
        if not self._waiting:
            return {}
        shapes = _shapes(self._waiting[0][1])
        waiting = (feeds for _, feeds in self._waiting)
        alike = list(itertools.takewhile(lambda feeds: _shapes(feeds) == shapes, waiting))
        return {name: np.stack([feeds[name] for feeds in alike]) for name in shapes}

    def drop(self, number: int) -> None:
        """Removes feeds that have been used."""
        for _ in range(number):
            self._waiting.popleft()

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


class Prefetching:
    """Decides whether `feed_fn` is called ahead of the steps.

    It is, if it makes no difference but time: where nothing of the graph is used by `feed_fn` or beside it,
    and no operation is a Python function, which might tell `feed_fn` something.

    Args:
        lifted: The graph.
        asked_for: `True` and `False` if the user has decided.

    Attributes:
        session_is_used: Whether `feed_fn`, or another thread while it was called, has used the session.
    """

    # From so many steps in a call on it gains something.
    LEAST_STEPS = 4
    # As often may it have led to fewer.
    MOST_SHORT = 8
    # To make a window takes about as long for each operation of the graph.
    SECONDS_PER_OPERATION = 3e-4

    def __init__(self, lifted: LiftedGraph, asked_for: bool | None):
        self.session_is_used = False
        self._lifted = lifted
        self._asked_for = asked_for
        self._short = 0
        self._seconds_singly = 0.0

    def is_worth_while(self, at_most: int) -> bool:
        """Tells whether to call `feed_fn` ahead for a window of at most so many steps."""
        if self._asked_for is False or self.session_is_used or self._short >= self.MOST_SHORT:
            return False
        if self._asked_for:
            return True
        return at_most >= self.LEAST_STEPS and self._seconds_singly >= self._seconds_to_make_a_window

    def ran_singly(self, seconds: float) -> None:
        """Learns how long steps have taken that were run one by one."""
        self._seconds_singly += seconds

    def prefetched(self, number: int, at_most: int) -> None:
        """Learns for how many steps it was possible."""
        self._short += number < self.LEAST_STEPS <= at_most

    @functools.cached_property
    def _seconds_to_make_a_window(self) -> float:
        operations = self._lifted.graph.get_operations()
        if not PYTHON_OPS.isdisjoint(operation.type for operation in operations):
            return math.inf
        return len(operations) * self.SECONDS_PER_OPERATION
