"""Saves where a training stands, apart from its variables: the epoch, the last step, callbacks' memory."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train.callbacks.callback_state import (
    as_json,
    callback_state,
    from_json,
    left_out,
    set_callback_state,
)
from keras_legacy_train.callbacks.keras_adapter import KerasAdapter
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.progress import Progress
from keras_legacy_train.programs.batch import BatchProgram


class RunState(tf.train.experimental.PythonState):
    """Is saved in a checkpoint as JSON.

    Args:
        progress: Gets the epoch on a restore.
        program: Gets the results of its last step on a restore.
        callbacks: The callbacks, in the same order in every run; those that have been added, left out or
            exchanged since start afresh.
    """

    def __init__(self, progress: Progress, program: BatchProgram, callbacks: Sequence[LoopCallback]):
        self._progress = progress
        self._program = program
        self._callbacks = callbacks
        self._restored: list[tuple[keras.callbacks.Callback, Mapping[str, Any]]] = []

    def serialize(self) -> bytes:
        callbacks = [
            {"class": type(each).__name__, "state": callback_state(each)}
            for each in map(_of_the_user, self._callbacks)
        ]
        epoch = {"number": self._progress.epoch, "start": self._progress.epoch_start}
        step = as_json(self._program.get_state(), functools.partial(left_out, "train_step"))
        return json.dumps({"epoch": epoch, "step": step, "callbacks": callbacks}).encode()

    def deserialize(self, string_value: bytes) -> None:
        state: dict[str, Any] = json.loads(string_value)
        self._progress.epoch, self._progress.epoch_start = state["epoch"]["number"], state["epoch"]["start"]
        self._program.set_state(from_json(state["step"]))
        remembered = state["callbacks"]
        self._restored.clear()
        for callback in self._callbacks:
            name = type(_of_the_user(callback)).__name__
            own = next((each for each in remembered if each["class"] == name), None)
            if own is None:
                continue
            remembered.remove(own)
            if isinstance(callback, KerasAdapter):
                callback.was_there = True
            if own["state"] is not None:
                self._restored.append((_of_the_user(callback), own["state"]))

    def remind(self) -> None:
        """Gives the callbacks what was restored; call it after their `on_train_begin`, which forgets.

        Raises:
            TypeError: The run could not be saved again. Of a fresh run, the first checkpoint tells.
        """
        for callback, state in self._restored:
            set_callback_state(callback, state)
        if self._restored:
            self.serialize()


def _of_the_user(callback: LoopCallback) -> keras.callbacks.Callback:
    return callback.callback if isinstance(callback, KerasAdapter) else callback
