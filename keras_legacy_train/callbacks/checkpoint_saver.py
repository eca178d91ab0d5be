"""Checkpoints at the start, every so many seconds, and at the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.checkpoints import CheckpointManager
from keras_legacy_train.checkpoints.recent import keeping_in_memory
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.schedule import EveryNSteps, EverySeconds
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.summaries import SummaryWriter


class CheckpointSaver(LoopCallback):
    """Saves the program's variables; stands for the Supervisor's saving thread.

    It must be the last callback, so that a checkpoint holds what the others did in its step. The first and
    the last checkpoint are waited for; those between are written beside the training, from copies.

    Args:
        manager: Writes and keeps the checkpoints.
        global_step: Returns the global step now.
        save_secs: Seconds between two checkpoints; `None` or 0 for none by the clock.
        writer: Gets an event for each checkpoint, if there is one.
        save_steps: Steps between two checkpoints; `None` for none by the count.
        save_first: Whether to save before the first step.
        listeners: `CheckpointSaverListener`s, called before and after each checkpoint with the session. With
            them every checkpoint is waited for.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        manager: CheckpointManager,
        global_step: Callable[[], int],
        save_secs: float | None,
        writer: SummaryWriter | None,
        save_steps: int | None = None,
        save_first: bool = True,
        listeners: Sequence[tf.compat.v1.train.CheckpointSaverListener] = (),
    ):
        super().__init__()
        if not isinstance(manager, CheckpointManager):
            raise ValueError(f"manager must be a CheckpointManager; it is {manager!r}.")
        if not callable(global_step):
            raise ValueError(f"global_step must be a function; it is {global_step!r}.")
        save_secs = arguments.as_seconds("save_secs", save_secs)
        save_steps = arguments.as_optional_positive("save_steps", save_steps)
        arguments.check_methods("writer", writer, "add_session_log")
        self._manager = manager
        self._global_step = global_step
        self._timer = EverySeconds(save_secs, self._now())
        self._trigger = None if save_steps is None else EveryNSteps(save_steps, global_step())
        self._writer = writer
        self._save_first = arguments.as_flag("save_first", save_first)
        self._listeners = _as_listeners(listeners)
        self._session: Any = None
        self._heard_step: int | None = None

    def set_run(self, run: RunContext) -> None:
        self._session = run.session

    def next_step(self, step: int) -> float:
        # The step at which a checkpoint is due may be the last of a window.
        return math.inf if self._trigger is None else self._trigger.next_step() + 1

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._save_first or self._listeners:
            self._save()

    @property
    def first(self) -> LoopCallback:
        """Returns a callback that saves by the count, for monitors behind it that look for the checkpoint."""
        return _SavesFirst(self._save_if_due)

    def _save_if_due(self, step: int) -> bool:
        return self._trigger is not None and self._trigger.fires(step) and self._save()

    def on_steps_end(self, steps: Steps) -> bool:
        self._manager.check()
        due = self._timer.fires(self._now())
        if self._trigger is not None:
            due |= self._trigger.fires(steps.last)
        if due and self._listeners:
            return self._save()
        if due:
            step = self._global_step()
            self._manager.save_in_background(step, lambda path: self._announce(path, step))
        return False

    def on_loop_end(self, reason: StopReason) -> None:
        try:
            self._manager.wait()
        finally:
            step = self._global_step()  # once: other processes may raise it
            if self._saves_at(reason):
                self._save(step)
        if not reason.failed:
            for listener in self._listeners:
                with self._session.as_default():
                    listener.end(self._session, step)

    def _now(self) -> float:
        """Returns the time by which checkpoints are due, in seconds."""
        return time.monotonic()

    def _saves_at(self, reason: StopReason) -> bool:
        """Returns whether there is a last checkpoint of a run that has ended in this way."""
        return reason is not StopReason.NAN

    def _save(self, step: int | None = None) -> bool:
        """Saves, between the listeners; returns whether one of them asks to stop."""
        step = self._global_step() if step is None else step
        if self._listeners and self._heard_step == step:
            return False
        self._heard_step = step
        for listener in self._listeners:
            with self._session.as_default():
                listener.before_save(self._session, step)
        with keeping_in_memory():  # a listener may evaluate the checkpoint
            path = self._manager.save(step)
            if path is None:
                return False
            self._announce(path, step)
            stops = False
            for listener in self._listeners:
                with self._session.as_default():
                    stops |= bool(listener.after_save(self._session, step))
            return stops

    def _announce(self, path: str, step: int) -> None:
        if self._writer is not None:
            log = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.CHECKPOINT, checkpoint_path=path)
            self._writer.add_session_log(log, step)


def _as_listeners(listeners: Any) -> list[tf.compat.v1.train.CheckpointSaverListener]:
    kind = tf.compat.v1.train.CheckpointSaverListener
    is_list = isinstance(listeners, (list, tuple))
    if not is_list or not all(isinstance(listener, kind) for listener in listeners):
        raise ValueError(f"listeners must be a list of CheckpointSaverListeners; it is {listeners!r}.")
    return list(listeners)


class _SavesFirst(LoopCallback):
    """Saves when a step ends at which a checkpoint is due; if it is watched, before others see its end."""

    def __init__(self, save_if_due: Callable[[int], bool]):
        super().__init__()
        self._save_if_due = save_if_due

    def on_step_end(self, step: int, outputs: Mapping[Any, Any]) -> bool:
        return self._save_if_due(step)

    def on_steps_end(self, steps: Steps) -> bool:
        return self._save_if_due(steps.last)
