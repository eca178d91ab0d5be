"""Tells when a session hook must be called next.

A `SessionRunHook` has no way to say so, and is called at every step, unless it is a `ScheduledHook`, or one
of TensorFlow's own: of these the timer, or the step at which they stop, is known.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow

_HOOKS = tf.compat.v1.train
_STEP_HOOKS = ("before_run", "after_run")


class ScheduledHook(tf.compat.v1.train.SessionRunHook):
    """Says itself when it must be called: the base class of this package's own hooks."""

    def next_step(self, step: int) -> float:
        """Returns the first step after `step` that the hook must be called at; infinity for none.

        Args:
            step: The global step now.
        """
        return step + 1

    def steps_passed(self, unseen: int, step: int) -> None:
        """Tells the hook of steps that have been run.

        Args:
            unseen: How many steps it was not called at.
            step: The global step now.
        """


def next_step(hook: Any, step: int, *, is_shared: bool = False) -> float:
    """Returns the first step after `step` that the hook must be called at; infinity for none.

    Args:
        hook: A `tf.compat.v1.train.SessionRunHook` that has begun.
        step: The global step now.
        is_shared: Whether other processes raise the global step, too.

    Raises:
        ValueError: The hook waits for a step that nobody else will bring about.
    """
    if isinstance(hook, ScheduledHook):
        return hook.next_step(step)
    schedule = _schedule(hook)
    if schedule is None or (
        schedule is _WAITING and is_shared and _tensorflow.awaited_step(hook) is not None
    ):
        return step + 1
    return schedule.next_step(hook, step)


def steps_passed(hook: Any, unseen: int, step: int) -> None:
    """Tells a hook that counts for itself of steps that have been run.

    Args:
        hook: The hook.
        unseen: How many steps it was not called at.
        step: The global step now.
    """
    if isinstance(hook, ScheduledHook):
        hook.steps_passed(unseen, step)
        return
    schedule = _schedule(hook)
    if schedule is not None:
        schedule.steps_passed(hook, unseen, step)


@dataclasses.dataclass(frozen=True)
class _Schedule:
    next_step: Callable[[Any, int], float]
    steps_passed: Callable[[Any, int, int], None] = lambda hook, unseen, step: None


def _schedule(hook: Any) -> _Schedule | None:
    """Returns the schedule of the class that defines the hook's `before_run` and `after_run`, if known."""
    if any(name in vars(hook) for name in _STEP_HOOKS):
        return None
    for cls in type(hook).__mro__:
        if cls in _SCHEDULES or any(name in vars(cls) for name in _STEP_HOOKS):
            return _SCHEDULES.get(cls)
    return None


def next_trigger(timer: Any, count: int) -> float:
    """Returns the first count after `count` at which a timer triggers, as far as is known now.

    Args:
        timer: A `tf.compat.v1.train.SecondOrStepTimer`.
        count: The steps, or runs, that the timer counts.
    """
    if type(timer) is _tensorflow.NeverTriggerTimer:
        return math.inf
    if type(timer) is not _HOOKS.SecondOrStepTimer or timer.last_triggered_step() is None:
        return count + 1
    steps = _tensorflow.timer_steps(timer)
    if steps is not None:
        return float(max(timer.last_triggered_step() + steps, count + 1))
    # By the clock: the loop asks again after each window.
    return count + 1 if timer.should_trigger_for_step(count + 1) else math.inf


def _never(hook: Any, step: int) -> float:
    return math.inf


def _by_global_step(hook: Any, step: int) -> float:
    return next_trigger(_tensorflow.hook_timer(hook), step)


def _by_runs(hook: Any, step: int) -> float:
    # The hook numbers the runs from 0, so the last one was one less than the number of those it has seen.
    last_run = _tensorflow.runs_seen(hook) - 1
    return step + next_trigger(_tensorflow.hook_timer(hook), last_run) - last_run


def _count_runs(hook: Any, unseen: int, step: int) -> None:
    _tensorflow.add_runs_seen(hook, unseen)


def _forget_step(hook: Any, unseen: int, step: int) -> None:
    _tensorflow.forget_counted_step(hook)  # the loop itself reports a step that does not rise


def _summary(hook: Any, step: int) -> float:
    return step + 1 if _tensorflow.summary_step(hook) is None else _by_global_step(hook, step)


def _set_summary_step(hook: Any, unseen: int, step: int) -> None:
    if _tensorflow.summary_step(hook) is not None:
        _tensorflow.set_summary_step(hook, step + 1)


def _stop(hook: Any, step: int) -> float:
    last = _tensorflow.stop_step(hook)
    return step + 1 if last is None else max(last, step + 1)


def _wait(hook: Any, step: int) -> float:
    awaited = _tensorflow.awaited_step(hook)
    if awaited is None:
        return math.inf
    if awaited > step:
        raise ValueError(
            f"GlobalStepWaiterHook waits for global step {awaited}, but it is {step}, and no other process"
            " trains these variables."
        )
    return step + 1


_WAITING = _Schedule(_wait)
_SCHEDULES = {
    _HOOKS.SessionRunHook: _Schedule(_never),
    _HOOKS.LoggingTensorHook: _Schedule(_by_runs, _count_runs),
    _HOOKS.CheckpointSaverHook: _Schedule(_by_global_step),
    _HOOKS.StepCounterHook: _Schedule(_by_global_step, _forget_step),
    _HOOKS.SummarySaverHook: _Schedule(_summary, _set_summary_step),
    _HOOKS.StopAtStepHook: _Schedule(_stop),
    _HOOKS.GlobalStepWaiterHook: _WAITING,
}
