"""When a monitor must be called next.

Steps that nobody watches run on the device without coming back to Python, so the loop asks each monitor which
step it must see.
"""

from __future__ import annotations

from typing import Any

_STEP_HOOKS = frozenset({"step_begin", "step_end", "post_step"})
_EVERY_N_HOOKS = frozenset({"every_n_step_begin", "every_n_step_end", "every_n_post_step"})
_SAMPLE_HOOKS = _STEP_HOOKS | _EVERY_N_HOOKS | {"next_step", "steps_passed"}


def next_step(monitor: Any, step: int) -> float:
    """Returns the first step after `step` that a monitor must be called at.

    A class's `next_step` speaks for the hooks `step_begin`, `step_end` and `post_step` of that class and its
    ancestors. Where one of these hooks is overridden without a `next_step` beside it, by a subclass or on the
    instance, nobody can tell when the new code wants to run: such a monitor is called at every step. So is
    one that has no `next_step`.

    Args:
        monitor: A `BaseMonitor`, or any object with its methods.
        step: The global step now.

    Returns:
        A step number of at least `step + 1`, or infinity for never. A monitor that names an earlier step
        means the next one.
    """
    if not _is_spoken_for(monitor, "next_step", _STEP_HOOKS):
        return step + 1
    return max(step + 1, monitor.next_step(step))


def samples(monitor: Any) -> bool:
    """Whether a monitor has a `sampling` that tells what it wants to see, and it need not be there.

    That of a class speaks for the hooks of the class and its ancestors, as `next_step` does.
    """
    return _is_spoken_for(monitor, "sampling", _SAMPLE_HOOKS)


def _is_spoken_for(monitor: Any, method: str, hooks: frozenset[str]) -> bool:
    """Whether a method knows what the hooks do: it stands beside them, or in a class further down."""
    own = getattr(monitor, "__dict__", {})
    if method in own:
        return True
    speaker = next((cls for cls in type(monitor).__mro__ if method in vars(cls)), None)
    if speaker is None or not hooks.isdisjoint(own):
        return False
    unknown = (cls for cls in type(monitor).__mro__ if not issubclass(speaker, cls))
    return all(hooks.isdisjoint(vars(cls)) for cls in unknown)
