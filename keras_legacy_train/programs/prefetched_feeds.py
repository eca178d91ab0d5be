"""Prefetches feeds, so that several steps can be run in one call."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.inspection import PYTHON_OPS
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.base import WINDOW_SECONDS
from keras_legacy_train.types import FeedDict, FeedFn

_Result = TypeVar("_Result")

# The dict that `feed_fn` returned, and its values as arrays by tensor name.
_Feeds = tuple[FeedDict, dict[str, np.ndarray]]


class PrefetchedFeeds:
    """Calls a `feed_fn` ahead of the steps, and keeps the feeds until a step needs them.

    Args:
        feed_fn: Returns the `feed_dict` of a step; called with the session as the default one.
        session: The graph's session. It checks what `feed_fn` returns, and converts it to arrays.
    """

    # Feeds wait for their steps up to this many bytes, and for no longer than this many seconds.
    MAX_BYTES = 64 * 2**20
    MAX_SECONDS = WINDOW_SECONDS

    def __init__(self, feed_fn: FeedFn, session: GraphSession):
        self._feed_fn = feed_fn
        self._session = session
        self._waiting: collections.deque[_Feeds] = collections.deque()
        self._error: BaseException | None = None

    def __len__(self) -> int:
        """Returns how many feeds wait for their steps."""
        return len(self._waiting)

    def take(self) -> _Feeds:
        """Removes and returns the next feeds, as `feed_fn` returned them and as arrays.

        Raises:
            Exception: The error of `feed_fn`, or of what it returned, once all feeds before it are taken.
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
            if self._error is not None:
                break
            feed_dict, feeds = self._waiting[-1]
            # An array may be the caller's, who may write the next values into it.
            self._waiting[-1] = feed_dict, {name: array.copy() for name, array in feeds.items()}
            size += sum(array.nbytes for array in feeds.values())
            is_alike = feeds and _shapes(feeds) == _shapes(self._waiting[0][1])
            if not is_alike or size >= self.MAX_BYTES or time.perf_counter() >= deadline:
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
            with self._session.as_default():
                feed_dict = self._feed_fn()
            self._waiting.append((feed_dict, self._session.feeds(feed_dict)))
        except BaseException as error:  # raised by `take`, after the steps before it
            self._error = error


def _shapes(feeds: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of arrays by their names."""
    return {name: array.shape for name, array in feeds.items()}


def row_specs(lifted: LiftedGraph, feeds: Mapping[str, np.ndarray]) -> dict[str, tf.TensorSpec]:
    """Returns the specifications of arrays with a row for each step, by the names of the fed tensors.

    A row is known to have the shape that the tensor has, as in a step alone: TensorFlow optimizes by it.
    """
    specs = {}
    for name, array in feeds.items():
        spec = lifted.spec(name)
        shape = [None] * (array.ndim - 1) if spec.shape.rank is None else spec.shape
        specs[name] = tf.TensorSpec([None, *shape], spec.dtype)
    return specs


class Prefetching:
    """Calls `feed_fn` ahead of the steps, and runs these in blocks.

    It does, unless the user has decided, where it makes no difference but time: where nothing of the graph is
    used by `feed_fn` or beside it, and no operation is a Python function, which might tell `feed_fn`
    something.

    Args:
        session: The graph's session.
        feeds: What calls `feed_fn`.
        asked_for: `True` and `False` if the user has decided.
    """

    # From so many steps in a call on it gains something.
    LEAST_STEPS = 4
    # As often may it have led to fewer.
    MOST_SHORT = 8
    # To make a window takes about as long for each operation of the graph.
    SECONDS_PER_OPERATION = 3e-4

    def __init__(self, session: GraphSession, feeds: PrefetchedFeeds, asked_for: bool | None = None):
        self._session = session
        self._feeds = feeds
        self._asked_for = asked_for
        self._session_is_used = False
        self._short = 0
        self._seconds_singly = 0.0

    def is_worth_while(self, at_most: float) -> bool:
        """Tells whether to call `feed_fn` ahead for at most so many steps."""
        if self._asked_for is False or self._session_is_used or self._short >= self.MOST_SHORT:
            return False
        if self._asked_for:
            return True
        return at_most >= self.LEAST_STEPS and self._seconds_singly >= self._seconds_to_make_a_window

    def ran_singly(self, seconds: float) -> None:
        """Learns how long steps have taken that were run one by one."""
        self._seconds_singly += seconds

    def run(
        self,
        at_most: int,
        run_block: Callable[[dict[str, np.ndarray], int], tuple[_Result, int]],
        may_continue: Callable[[], bool] = lambda: True,
    ) -> _Result | None:
        """Calls `feed_fn` ahead, and runs the steps of its feeds.

        A `feed_fn` that looks at the session finds it after all the steps before.

        Args:
            at_most: The largest number of steps.
            run_block: Runs steps, given an array with a row for each of them by the names of the fed tensors,
                and their number. Returns a result, and how many have run: the feeds of the others wait.
            may_continue: Tells before each call of `feed_fn` whether there may be another.

        Returns:
            The result of the steps; `None` if none have run, since there were not two alike.
        """
        thread = threading.get_ident()
        results: list[_Result] = []
        errors: list[BaseException] = []
        is_running = False

        def run_waiting() -> None:
            nonlocal is_running
            block = self._feeds.block()
            if not block or results or is_running:
                return
            is_running = True
            try:
                result, used = run_block(block, len(next(iter(block.values()))))
            except BaseException as error:  # raised below, if feed_fn does not let it through
                errors.append(error)
                raise
            results.append(result)
            self._feeds.drop(used)

        def before_use() -> None:
            self._session_is_used = True
            if threading.get_ident() == thread:
                run_waiting()

        with self._session.noticing_use(before_use):
            self._feeds.prefetch(at_most, lambda: not self._session_is_used and may_continue())
        if errors:
            raise errors[0]
        if not results:
            self._short += len(self._feeds) < self.LEAST_STEPS <= at_most
            if len(self._feeds) > 1:
                run_waiting()
        return results[0] if results else None

    @functools.cached_property
    def _seconds_to_make_a_window(self) -> float:
        operations = self._session.graph.get_operations()
        if not PYTHON_OPS.isdisjoint(operation.type for operation in operations):
            return math.inf
        return len(operations) * self.SECONDS_PER_OPERATION
