"""Draws plans of how far to train, in how many calls."""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st


@dataclasses.dataclass(frozen=True)
class StepPlan:
    """Lists calls of `train` in one directory. Each call resumes where the previous one stopped.

    Attributes:
        calls: For each call `"steps"` or `"max_steps"`, and the number.
        max_window: The `max_window` of every call; `None` for the default.
    """

    calls: tuple[tuple[str, int], ...]
    max_window: int | None = None

    def ends(self) -> list[int]:
        """Returns the global step after each call, if nothing stops it earlier."""
        step, ends = 0, []
        for kind, number in self.calls:
            step = step + number if kind == "steps" else max(step, number)
            ends.append(step)
        return ends


def step_plans(max_calls: int = 3, max_steps: int = 12) -> st.SearchStrategy[StepPlan]:
    """Draws plans.

    Args:
        max_calls: Largest number of calls in a plan.
        max_steps: Largest number in a call.
    """
    call = st.tuples(st.sampled_from(["steps", "max_steps"]), st.integers(0, max_steps))
    calls = st.lists(call, min_size=1, max_size=max_calls).map(tuple)
    return st.builds(StepPlan, calls, st.sampled_from([None, 1, 2, 5]))
