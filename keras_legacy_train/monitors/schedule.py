"""When a monitor must be called next.

Steps that nobody watches run on the device without coming back to Python, so the loop asks each monitor which
step it must see.
"""

from __future__ import annotations

from typing import Any

_STEP_HOOKS = ("step_begin", "step_end", "post_step")


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
    own = getattr(monitor, "__dict__", {})
    if "next_step" not in own:
        speaker = _class_with_next_step(monitor)
        if speaker is None or any(hook in own for hook in _STEP_HOOKS) or _overrides_hook(monitor, speaker):
            return step + 1
    return max(step + 1, monitor.next_step(step))


def _class_with_next_step(monitor: Any) -> type | None:
    return next((cls for cls in type(monitor).__mro__ if "next_step" in vars(cls)), None)


def _overrides_hook(monitor: Any, speaker: type) -> bool:
    """Whether a class of the monitor that `speaker` knows nothing of defines a hook."""
    unknown = (cls for cls in type(monitor).__mro__ if not issubclass(speaker, cls))
    return any(hook in vars(cls) for cls in unknown for hook in _STEP_HOOKS)
