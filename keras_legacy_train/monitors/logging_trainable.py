"""Logs the values of the trainable variables."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.monitors.requests import format_outputs
from keras_legacy_train.types import Fetch, OutputDict

_LOGGER = logging.getLogger("keras_legacy_train")


class LoggingTrainable(EveryN):
    """Logs the values of the trainable variables: `Logging Trainable: Step 1: w:0 = [0.5]`.

    Stands for `tf.contrib.learn.monitors.LoggingTrainable`.

    Args:
        scope: Logs only the variables whose names begin with a match of this regular expression; `None` for
            all.
        every_n: Steps from one line to the next. See `EveryN`.
        first_n: Up to this step, every step gets a line. See `EveryN`.

    Raises:
        ValueError: An argument is invalid.
    """

    def __init__(self, scope: str | None = None, every_n: int = 100, first_n: int = 1):
        super().__init__(every_n, first_n)
        self._scope = arguments.as_optional_text("scope", scope)
        try:
            re.compile(scope or "")
        except re.error as error:
            raise ValueError(f"scope must be a regular expression; {scope!r} is none: {error}.") from error
        self._reads: dict[str, Any] = {}
        self._model: Any = None

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._model = model

    def every_n_step_begin(self, step: int) -> Iterable[Fetch] | None:
        super().every_n_step_begin(step)
        if self._model is not None:
            paths = (variable.path for variable in self._model.trainable_variables)
            self._reads = {path: path for path in paths if re.match(self._scope or "", path)}
        else:
            graph = tf.compat.v1.get_default_graph()
            variables = graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES, self._scope)
            # The tensor that `Session.run` fetches. `value()` would add an operation each time.
            self._reads = {variable.name: graph.as_graph_element(variable) for variable in variables}
        return list(self._reads.values())

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool | None:
        super().every_n_step_end(step, outputs)
        _LOGGER.info("Logging Trainable: Step %d: %s", step, format_outputs(outputs, self._reads))
        return False
