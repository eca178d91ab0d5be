"""Where a training stands, apart from its variables: the epoch, and what callbacks remember."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.callbacks.callback_state import callback_state
from keras_legacy_train.callbacks.keras_adapter import KerasAdapter
from keras_legacy_train.loop.epochs import Epochs


class RunState(tf.train.experimental.PythonState):
    """Is saved in a checkpoint as JSON.

    Args:
        epochs: The current epoch is told to it on a restore.
        adapters: The callbacks, in the same order in every run; those that have been added, left out or
            exchanged since start afresh.
    """

    def __init__(self, epochs: Epochs, adapters: Sequence[KerasAdapter]):
        self._epochs = epochs
        self._adapters = adapters

    def serialize(self) -> bytes:
        callbacks = [
            {"class": type(each.callback).__name__, "state": callback_state(each.callback)}
            for each in self._adapters
        ]
        epoch = {"number": self._epochs.number, "start": self._epochs.start}
        return json.dumps({"epoch": epoch, "callbacks": callbacks}).encode()

    def deserialize(self, string_value: bytes) -> None:
        state: dict[str, Any] = json.loads(string_value)
        self._epochs.number, self._epochs.start = state["epoch"]["number"], state["epoch"]["start"]
        remembered = state["callbacks"]
        for adapter in self._adapters:
            name = type(adapter.callback).__name__
            own = next((each for each in remembered if each["class"] == name), None)
            if own is not None:
                remembered.remove(own)
                adapter.resume_with(own["state"])
