"""Acts every so many steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

from keras_legacy_train import arguments
from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.monitors.base import BaseMonitor
from keras_legacy_train.types import Fetch, OutputDict, SessionLike


class EveryN(BaseMonitor):
    """Acts at the first few steps, then at every n-th step, and at the last one.

    Stands for `tf.contrib.learn.monitors.EveryN`. A step is *active* if it is one of the first
    `first_n_steps`, if it comes `every_n_steps` or more after the last active step, or if it is the step at
    which training will end. The hooks `every_n_step_begin`, `every_n_step_end` and `every_n_post_step` are
    called at active steps only. With the defaults the active steps are 1, 101, 201, … and the last. They are
    the same if training is interrupted and resumes from a checkpoint.

    Subclasses override these three hooks. The steps in between then run at full speed. A subclass that
    overrides `step_begin`, `step_end` or `post_step` must call the inherited method, and is called at every
    step.

    Args:
        every_n_steps: Steps from one active step to the next; 0 and 1 make every step active.
        first_n_steps: Every step up to this one is active. It is a global step: a resumed training may be
            past it already.

    Raises:
        ValueError: An argument is not a number.
    """

    _every_n_steps = 100
    _first_n_steps = 1
    _last_active_step = 0
    _last_successful_step: int | None = None
    _every_n_step_begin_called = False

    def __init__(self, every_n_steps: float = 100, first_n_steps: float = 1):
        super().__init__()
        # Steps are whole numbers: "2.5 steps later" is 3 steps later, "up to step 2.5" is up to step 2.
        self._every_n_steps = math.ceil(arguments.as_number("every_n_steps", every_n_steps))
        self._first_n_steps = math.floor(arguments.as_number("first_n_steps", first_n_steps))

    def every_n_step_begin(self, step: int) -> Iterable[Fetch] | None:
        """Called before an active step.

        Args:
            step: Number of the step.

        Returns:
            What to compute along with the step, as in `step_begin`.
        """
        return []

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool | None:
        """Called after an active step.

        Args:
            step: Number of the step.
            outputs: The values that monitors asked for, as in `step_end`.

        Returns:
            A true value to stop the training after this step.
        """
        return False

    def every_n_post_step(self, step: int, session: SessionLike) -> None:
        """Called after an active step, when `step_end` of every monitor has been called.

        `end` calls it, too, for the last step, if that step was not active.

        Args:
            step: Number of the step.
            session: Runs operations of the graph, by `session.run(fetches, feed_dict)`.
        """

    def sampling_of(self, requests: Iterable[Fetch], step: int) -> Sampling | None:
        """Returns the active steps from `step` on, for the `sampling` of a subclass.

        Args:
            requests: What to compute along with each of them: tensors, operations, variables, or names.
            step: See `sampling`.

        Returns:
            The steps and the requests; `None` if the active steps are not equally far apart.
        """
        if step < self._first_n_steps or not self._is_active(step):
            return None
        # The last step is active in any case, so it is left to `next_step`.
        last = math.inf if self._max_steps is None else self._max_steps - 1
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
        """Continues the schedule as if training had not been interrupted."""
        super().resumed(step)
        first = min(max(self._first_n_steps, 0), step)
        every = max(self._every_n_steps, 1)
        self._last_active_step = first + (step - first) // every * every

    def step_begin(self, step: int) -> Iterable[Fetch] | None:
        super().step_begin(step)
        self._every_n_step_begin_called = self._is_active(step)
        return self.every_n_step_begin(step) if self._every_n_step_begin_called else []

    def step_end(self, step: int, output: OutputDict) -> bool | None:
        super().step_end(step, output)
        return self.every_n_step_end(step, output) if self._every_n_step_begin_called else False

    def post_step(self, step: int, session: SessionLike) -> None:
        super().post_step(step, session)
        if self._every_n_step_begin_called:
            self.every_n_post_step(step, session)
            self._last_active_step = step
        self._last_successful_step = step

    def end(self, session: SessionLike | None = None) -> None:
        super().end(session)
        last = self._last_successful_step
        if last is not None and last != self._last_active_step:
            self.every_n_post_step(last, cast(SessionLike, session))  # Training always gives one.

    def _is_active(self, step: int) -> bool:
        return (
            step <= self._first_n_steps
            or step >= self._last_active_step + self._every_n_steps
            or step == self._max_steps
        )
