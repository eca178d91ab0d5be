"""Finds the step at which a monitor must be called next.

Steps that no monitor watches run in one call into TensorFlow. So the loop asks each monitor which step it
must see next.
"""

from __future__ import annotations

from typing import Any

_STEP_HOOKS = frozenset({"step_begin", "step_end", "post_step"})
_EVERY_N_HOOKS = frozenset({"every_n_step_begin", "every_n_step_end", "every_n_post_step"})
_SAMPLE_HOOKS = _STEP_HOOKS | _EVERY_N_HOOKS | {"next_step", "steps_passed"}


def next_step(monitor: Any, step: int) -> float:
    """Returns the first step after `step` at which a monitor must be called.

    The `next_step` of a class knows the hooks `step_begin`, `step_end` and `post_step` of that class and of
    its base classes. If a subclass or the instance overrides a hook and not `next_step`, it is unknown when
    the new hook must run. Such a monitor is called at every step. So is one without `next_step`.

    Args:
        monitor: A `BaseMonitor`, or any object with its methods.
        step: The global step now.

    Returns:
        A step number of at least `step + 1`, also if the monitor names an earlier step; infinity for never.
    """
    if not _method_covers_hooks(monitor, "next_step", _STEP_HOOKS):
        return step + 1
    due: float = monitor.next_step(step)
    return max(step + 1, due)


def can_be_sampled(monitor: Any) -> bool:
    """Returns whether a monitor has a `sampling` that knows all its hooks.

    If so, the loop may keep values for the monitor and call its hooks later. As with `next_step`, the method
    of a class knows the hooks of that class and of its base classes.
    """
    return _method_covers_hooks(monitor, "sampling", _SAMPLE_HOOKS)


def _method_covers_hooks(monitor: Any, method: str, hooks: frozenset[str]) -> bool:
    """Returns whether no hook is overridden in a class derived from the one that defines the method."""
    own = getattr(monitor, "__dict__", {})
    if method in own:
        return True
    definer = next((cls for cls in type(monitor).__mro__ if method in vars(cls)), None)
    if definer is None or not hooks.isdisjoint(own):
        return False
    derived = (cls for cls in type(monitor).__mro__ if not issubclass(definer, cls))
    return all(hooks.isdisjoint(vars(cls)) for cls in derived)
