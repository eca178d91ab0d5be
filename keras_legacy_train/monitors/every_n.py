"""A monitor that acts every so many steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from keras_legacy_train import arguments
from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.monitors.base import BaseMonitor


class EveryN(BaseMonitor):
    """Acts at the first few steps, then every n-th step, and at the last one.

    Stands for `tf.contrib.learn.monitors.EveryN`. A step is *active* if it is one of the first
    `first_n_steps`, if it lies `every_n_steps` or more behind the last active one, or if it is the step at
    which training will end. The hooks `every_n_step_begin`, `every_n_step_end` and `every_n_post_step` are
    called at active steps only. With the defaults these are 1, 101, 201, … and the last, also if training was
    interrupted in between and went on from a checkpoint.

    Subclasses override these three hooks. The steps in between then run at full speed. One that overrides
    `step_begin`, `step_end` or `post_step` must call the original of it, and is called at every step.

    Args:
        every_n_steps: Steps from one active step to the next; 0 and 1 make every step active.
        first_n_steps: Every step up to this one is active. It is a global step, so a resumed training may
            have passed it already.

    Raises:
        ValueError: An argument is no number.
    """

    _every_n_steps = 100
    _first_n_steps = 1
    _last_active_step = 0
    _last_successful_step: int | None = None
    _every_n_step_begin_called = False

    def __init__(self, every_n_steps: float = 100, first_n_steps: float = 1):
        super().__init__()
        # A step is a whole number, so half a step more is a whole one.
        self._every_n_steps = math.ceil(arguments.as_number("every_n_steps", every_n_steps))
        self._first_n_steps = math.floor(arguments.as_number("first_n_steps", first_n_steps))

    def every_n_step_begin(self, step: int) -> Iterable[Any] | None:
        """Called before an active step.

        Args:
            step: Number of the step.

        Returns:
            What to compute along with the step, as from `step_begin`.
        """
        return []

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool | None:
        """Called after an active step.

        Args:
            step: Number of the step.
            outputs: The values asked for, as in `step_end`.

        Returns:
            Something true to stop the training after this step.
        """
        return False

    def every_n_post_step(self, step: int, session: Any) -> None:
        """Called after every monitor's `step_end` of an active step.

        It is called from `end` too, for the last step, if that was not active.

        Args:
            step: Number of the step.
            session: Runs operations of the graph, by `session.run(fetches, feed_dict)`.
        """

    def sampling_of(self, requests: Iterable[Any], step: int) -> Sampling | None:
        """For a `sampling` of subclasses: the active steps from `step` on, each with the same requests.

        Args:
            requests: What to compute along with each: tensors, operations, variables, or names.
            step: See `sampling`.

        Returns:
            `None` if the active steps are not equally far apart from there on.
        """
        if step < self._first_n_steps or not self._is_active(step):
            return None
        last = math.inf if self._max_steps is None else self._max_steps - 1  # the last one is active anyway
        return Sampling(max(self._every_n_steps, 1), list(requests), last)

    def next_step(self, step: int) -> float:
        if step < self._first_n_steps:
            return step + 1
        due = max(step + 1, self._last_active_step + self._every_n_steps)
        if self._max_steps is not None and step < self._max_steps:
            return min(due, self._max_steps)
        return due

    def steps_passed(self, step: int) -> None:
        super().steps_passed(step)
        self._last_successful_step = step

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        self._last_successful_step = None

    def resumed(self, step: int) -> None:
        """Takes up the schedule where an uninterrupted training would be."""
        super().resumed(step)
        first = min(max(self._first_n_steps, 0), step)
        every = max(self._every_n_steps, 1)
        self._last_active_step = first + (step - first) // every * every

    def step_begin(self, step: int) -> Iterable[Any] | None:
        super().step_begin(step)
        self._every_n_step_begin_called = self._is_active(step)
        return self.every_n_step_begin(step) if self._every_n_step_begin_called else []

    def step_end(self, step: int, output: dict[Any, Any]) -> bool | None:
        super().step_end(step, output)
        return self.every_n_step_end(step, output) if self._every_n_step_begin_called else False

    def post_step(self, step: int, session: Any) -> None:
        super().post_step(step, session)
        if self._every_n_step_begin_called:
            self.every_n_post_step(step, session)
            self._last_active_step = step
        self._last_successful_step = step

    def end(self, session: Any = None) -> None:
        super().end(session)
        last = self._last_successful_step
        if last is not None and last != self._last_active_step:
            self.every_n_post_step(last, session)

    def _is_active(self, step: int) -> bool:
        return (
            step <= self._first_n_steps
            or step >= self._last_active_step + self._every_n_steps
            or step == self._max_steps
        )
