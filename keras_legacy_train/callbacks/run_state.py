"""Where a training stands, apart from its variables: the epoch, its last step, what callbacks remember."""

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
from keras_legacy_train.loop.epochs import Epochs
from keras_legacy_train.programs.batch import BatchProgram


class RunState(tf.train.experimental.PythonState):
    """Is saved in a checkpoint as JSON.

    Args:
        epochs: The current epoch is told to it on a restore.
        program: So is what its last step has returned.
        callbacks: The callbacks, in the same order in every run; those that have been added, left out or
            exchanged since start afresh.
    """

    def __init__(self, epochs: Epochs, program: BatchProgram, callbacks: Sequence[LoopCallback]):
        self._epochs = epochs
        self._program = program
        self._callbacks = callbacks
        self._restored: list[tuple[keras.callbacks.Callback, Mapping[str, Any]]] = []

    def serialize(self) -> bytes:
        callbacks = [
            {"class": type(each).__name__, "state": callback_state(each)}
            for each in map(_of_the_user, self._callbacks)
        ]
        epoch = {"number": self._epochs.number, "start": self._epochs.start}
        step = as_json(self._program.get_state(), functools.partial(left_out, "train_step"))
        return json.dumps({"epoch": epoch, "step": step, "callbacks": callbacks}).encode()

    def deserialize(self, string_value: bytes) -> None:
        state: dict[str, Any] = json.loads(string_value)
        self._epochs.number, self._epochs.start = state["epoch"]["number"], state["epoch"]["start"]
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
        """Has the callbacks remember what was restored."""
        for callback, state in self._restored:
            set_callback_state(callback, state)

    def check(self) -> None:
        """Raises TypeError if a resumed run could not be saved; for a fresh one, the first save does."""
        if self._restored:
            self.serialize()


class Reminder(LoopCallback):
    """Reminds the callbacks when training begins. It must come after them: `on_train_begin` of many forgets.

    Args:
        run: What they remember.
    """

    def __init__(self, run: RunState):
        super().__init__()
        self._run = run

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._run.remind()
        self._run.check()


def _of_the_user(callback: LoopCallback) -> keras.callbacks.Callback:
    return callback.callback if isinstance(callback, KerasAdapter) else callback
