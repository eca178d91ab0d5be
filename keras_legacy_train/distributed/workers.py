"""Lets the processes that train one model agree on what they do next."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf


class Workers:
    """The processes of a strategy. Without a cluster there is one, which agrees with itself.

    All of them run the same program. What differs between them, such as the time or a signal, must not decide
    on its own what a process does next: the others would wait for it forever. So they exchange numbers. Every
    process must make the same calls in the same order.

    Args:
        strategy: The strategy.

    Attributes:
        count: How many there are.
        index: Which one this process is, from 0, the chief.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None):
        self.count, self.index = _place(strategy)
        self._strategy = strategy

    @property
    def is_chief(self) -> bool:
        """Returns whether this process writes checkpoints and event files."""
        return self.index == 0

    def any_in_step(self, flag: tf.Tensor) -> tf.Tensor:
        """Returns whether a boolean tensor is true in one of them; for use in a function."""
        return flag if self.count == 1 else self._sum(tf.cast(flag, tf.int32)) > 0

    def gather(self, *values: float) -> np.ndarray:
        """Returns the numbers that each process gives, `float64[count, len(values)]`."""
        if self.count == 1:
            return np.array([values], np.float64)
        result: np.ndarray = self._gathered(tf.constant(values, tf.float64)).numpy()
        return result

    def any(self, flag: bool) -> bool:
        """Returns whether the flag is set in one of them."""
        return bool(self.gather(flag).any())

    def least(self, value: float) -> float:
        """Returns the smallest of the numbers that they give."""
        return float(self.gather(value).min())

    def chiefs(self, value: float | Callable[[], float]) -> float:
        """Returns the number that the chief gives. A function is called in the chief only."""
        if callable(value):
            value = value() if self.is_chief else 0.0
        return float(self.gather(value)[0, 0])

    def clock(self) -> float:
        """Returns the chief's monotonic clock in seconds, by which all act at the same step."""
        return self.chiefs(time.monotonic)

    @functools.cached_property
    def _gathered(self) -> Callable[[tf.Tensor], tf.Tensor]:
        def gathered(values: tf.Tensor) -> tf.Tensor:
            others = [[self.index, self.count - 1 - self.index], [0, 0]]
            return self._sum(tf.pad(values[tf.newaxis], others))

        function: Callable[[tf.Tensor], tf.Tensor] = tf.function(gathered, autograph=False)
        return function

    def _sum(self, value: tf.Tensor) -> tf.Tensor:
        """Returns the sum of a tensor over the processes."""
        assert self._strategy is not None
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)


def _place(strategy: tf.distribute.Strategy | None) -> tuple[int, int]:
    """Returns how many processes a strategy has, and the index of this one."""
    resolver = None if strategy is None else strategy.cluster_resolver
    if resolver is None:
        return 1, 0
    jobs = resolver.cluster_spec().as_dict()
    tasks = [(job, number) for job in ("chief", "worker") for number in range(len(jobs.get(job, ())))]
    task = resolver.task_type, resolver.task_id
    return (len(tasks), tasks.index(task)) if task in tasks else (1, 0)


# A process that trains by itself.
ALONE = Workers()
