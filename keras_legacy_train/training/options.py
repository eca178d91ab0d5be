"""Holds the arguments that every training has, checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.callbacks.arguments import as_watchers
from keras_legacy_train.callbacks.terminate_on_nan import fatal_loss


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """Holds the arguments that `train`, `fit` and what is built on them have in common.

    Attributes:
        monitors: Monitors and session hooks.
        callbacks: Keras callbacks.
        steps: How many steps to run.
        max_steps: The global step at which training ends.
        steps_per_epoch: Steps in an epoch.
        is_chief: Whether anything is written.
        log_every_steps: Steps from one log line to the next; `None` for none.
        save_secs: Seconds from one checkpoint to the next; `None` or 0 for none by the clock.
        save_steps: Steps from one checkpoint to the next; `None` for none by the count.
        save_summaries_steps: Steps from one summary to the next; `None` for none.
        saves: Whether checkpoints are written.
        saving_listeners: `CheckpointSaverListener`s, called before and after each checkpoint.
        saves_before_monitors: Whether a checkpoint that is due by the count is there when monitors see the
            step.
        keep_checkpoint_max: How many checkpoints are kept; `None` for all.
        keep_checkpoint_every_n_hours: Hours from one checkpoint that is kept for good to the next; `None` for
            none.
        save_input_state: Whether checkpoints hold the position in the input.
        required_input: What the input comes from, if it is an error that it has no batch; `None` if it need
            not have one.
        fail_on_nan_loss: Whether a NaN loss is an error.
        jit_compile: Whether XLA compiles windows, `"auto"` for where it can.
        max_window: Largest number of steps in one call; `None` for no limit of the user's.
        progress_bar: Whether a progress bar is drawn; `None` for where there is a terminal.
        verbose: What Keras callbacks are told: 0 for silence, 1 for a bar, 2 for lines.
    """

    monitors: Sequence[Any] = ()
    callbacks: Sequence[keras.callbacks.Callback] = ()
    steps: int | None = None
    max_steps: int | None = None
    steps_per_epoch: int | None = None
    is_chief: bool = True
    log_every_steps: int | None = 10
    save_secs: float | None = 600
    save_steps: int | None = None
    save_summaries_steps: int | None = 100
    saves: bool = True
    saving_listeners: Sequence[tf.compat.v1.train.CheckpointSaverListener] = ()
    saves_before_monitors: bool = False
    keep_checkpoint_max: int | None = 5
    keep_checkpoint_every_n_hours: float | None = None
    save_input_state: bool = False
    required_input: str | None = None
    fail_on_nan_loss: bool = True
    jit_compile: bool | Literal["auto"] = False
    max_window: int | None = None
    progress_bar: bool | None = None
    verbose: int = 1

    @classmethod
    def checked(cls, names: Mapping[str, str] | None = None, **given: Any) -> TrainingOptions:
        """Returns options made of what a user has given.

        Args:
            names: For a field the argument it was given by, where that has another name.
            given: The fields.

        Raises:
            ValueError: One of them cannot be right. The message names the argument.
        """
        if given.get("steps") is not None and given.get("max_steps") is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        given["monitors"], given["callbacks"] = as_watchers(given.get("monitors"), given.get("callbacks"))
        names = names or {}
        for field in given.keys() & _CHECKS.keys():
            given[field] = _CHECKS[field](names.get(field, field), given[field])
        return cls(**given)

    def replace(self, **changes: Any) -> TrainingOptions:
        """Returns the options with some of them changed."""
        return dataclasses.replace(self, **changes)

    def fatal_loss(self) -> Callable[[tf.Tensor], tf.Tensor]:
        """Returns what tells of a loss, a scalar tensor, whether a window must end at it."""
        return fatal_loss(self.fail_on_nan_loss, self.callbacks)

    def target_step(self, done: int) -> int | None:
        """Returns the global step at which training ends, when `done` steps are done; `None` for no limit."""
        return self.max_steps if self.steps is None else done + self.steps


def _as_number_kept(name: str, value: Any) -> int | None:
    return arguments.as_steps(name, value) or None


def _as_jit_compile(name: str, value: Any) -> bool | Literal["auto"]:
    return arguments.as_jit_compile(value)


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "steps": arguments.as_steps,
    "max_steps": arguments.as_steps,
    "steps_per_epoch": arguments.as_optional_positive,
    "is_chief": arguments.as_flag,
    "log_every_steps": arguments.as_optional_interval,
    "save_secs": arguments.as_seconds,
    "save_steps": arguments.as_optional_positive,
    "save_summaries_steps": arguments.as_optional_interval,
    "keep_checkpoint_max": _as_number_kept,
    "save_input_state": arguments.as_flag,
    "fail_on_nan_loss": arguments.as_flag,
    "jit_compile": _as_jit_compile,
    "max_window": arguments.as_optional_positive,
    "progress_bar": arguments.as_optional_flag,
}
