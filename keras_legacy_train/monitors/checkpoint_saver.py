"""Saves checkpoints at chosen steps or times."""

from __future__ import annotations

import logging
import math
import os
import time
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.monitors.base import BaseMonitor
from keras_legacy_train.summaries import get_summary_writer
from keras_legacy_train.types import PathLike, SessionLike

_LOGGER = logging.getLogger("keras_legacy_train")


class CheckpointSaver(BaseMonitor):
    """Saves checkpoints after the first step, every so many steps or seconds, and at the end.

    Stands for `tf.contrib.learn.monitors.CheckpointSaver`. `train` always saves checkpoints of its own. Use
    this monitor for a second set, in another directory or at other times. Each save also writes a
    `SessionLog` event to the event file of `checkpoint_dir`.

    Args:
        checkpoint_dir: Directory of the checkpoints.
        save_secs: Seconds from one checkpoint to the next.
        save_steps: Steps from one checkpoint to the next.
        saver: Writes the checkpoints. `None` takes the saver of `scaffold` or, without a scaffold, a new one
            for all variables of the graph.
        checkpoint_basename: First part of the files' names; a hyphen and the step follow.
        scaffold: Gives the saver.

    Raises:
        ValueError: Neither `save_secs` nor `save_steps` is given, or both are, or an argument is invalid.
    """

    def __init__(
        self,
        checkpoint_dir: PathLike,
        save_secs: float | None = None,
        save_steps: int | None = None,
        saver: tf.compat.v1.train.Saver | None = None,
        checkpoint_basename: str = "model.ckpt",
        scaffold: tf.compat.v1.train.Scaffold | None = None,
    ):
        super().__init__()
        if save_steps is None and save_secs is None:
            raise ValueError("Either save_steps or save_secs should be provided")
        if save_steps is not None and save_secs is not None:
            raise ValueError("Can not provide both save_steps and save_secs.")
        directory = arguments.as_path("checkpoint_dir", checkpoint_dir)
        basename = arguments.as_text("checkpoint_basename", checkpoint_basename)
        if not basename or os.path.basename(basename) != basename:
            raise ValueError(f"checkpoint_basename must be the name of a file; it is {basename!r}.")
        arguments.check_methods("saver", saver, "save")
        if scaffold is not None and not hasattr(scaffold, "saver"):
            raise ValueError(f"scaffold must be a tf.compat.v1.train.Scaffold; it is {scaffold!r}.")
        _LOGGER.info("Create CheckpointSaver.")
        self._saver = saver
        self._used_saver: Any = None
        self._scaffold = scaffold
        self._summary_writer = get_summary_writer(directory)
        self._save_path = os.path.join(directory, basename)
        self._save_secs = arguments.as_seconds("save_secs", save_secs)
        self._save_steps = (
            None if save_steps is None else math.ceil(arguments.as_number("save_steps", save_steps))
        )
        self._last_step: int | None = None
        self._last_saved_step: int | None = None
        self._last_saved_time = 0.0

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        raise ValueError(
            "monitors.CheckpointSaver saves the variables of a graph. For a Keras model, use save_secs or"
            " save_steps of fit(), or keras.callbacks.ModelCheckpoint."
        )

    def next_step(self, step: int) -> float:
        if self._last_saved_step is None:
            return step + 1
        if self._save_steps is not None:
            return max(step + 1, self._last_saved_step + self._save_steps)
        return step + 1 if self._is_due(step) else math.inf

    def steps_passed(self, step: int) -> None:
        super().steps_passed(step)
        self._last_step = step

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        self._last_step = None
        self._last_saved_step = None
        self._used_saver = self._saver
        if self._used_saver is None and self._scaffold is not None:
            self._used_saver = self._scaffold.saver
        if self._used_saver is None:
            self._used_saver = tf.compat.v1.train.Saver()

    def post_step(self, step: int, session: SessionLike) -> None:
        super().post_step(step, session)
        self._last_step = step
        if self._is_due(step):
            self._save(step, session)

    def end(self, session: SessionLike | None = None) -> None:
        super().end(session)
        if self._last_step is not None and self._last_step != self._last_saved_step:
            self._save(self._last_step, session)
        self._summary_writer.flush()

    def _is_due(self, step: int) -> bool:
        if self._last_saved_step is None:
            return True
        if self._save_steps is not None:
            return step >= self._last_saved_step + self._save_steps
        return self._save_secs is not None and time.time() >= self._last_saved_time + self._save_secs

    def _save(self, step: int, session: SessionLike | None) -> None:
        _LOGGER.info("Saving checkpoints for %d into %s.", step, self._save_path)
        self._last_saved_time = time.time()
        self._last_saved_step = step
        os.makedirs(os.path.dirname(self._save_path), exist_ok=True)
        self._used_saver.save(session, self._save_path, global_step=step)
        log = tf.compat.v1.SessionLog(
            status=tf.compat.v1.SessionLog.CHECKPOINT, checkpoint_path=self._save_path
        )
        self._summary_writer.add_session_log(log, step)
