"""From what Keras calls data to what a graph is fed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.elements import suggestion
from keras_legacy_train.graph_model.names import NamedTensors, fitting

# The key of a batch that stands for the graph's own input.
_OWN_INPUT = "(the graph's own input)"


class Batches:
    """Batches as `keras.Model.fit` hands them on.

    Args:
        inputs: What `x` is for.
        targets: What `y` is for; a dict `x` may hold them, too.
    """

    def __init__(self, inputs: NamedTensors, targets: NamedTensors):
        self._inputs = inputs
        self._targets = targets

    def feeds(self, x: Any, y: Any = None) -> dict[str, tf.Tensor]:
        """What a batch feeds, by the tensors' names in the graph.

        Raises:
            ValueError: A name is not among the inputs and targets, or a value does not fit its tensor.
        """
        feeds: dict[str, tf.Tensor] = {}
        for named, values in ((self._inputs, x), (self._targets, y)):
            if isinstance(values, Mapping):
                pairs = [(self._find(key), value) for key, value in values.items() if key != _OWN_INPUT]
            else:
                pairs = [] if values is None else named.in_order(values)
            feeds.update((tensor.name, fitting(tensor, value)) for tensor, value in pairs)
        return feeds

    def _find(self, key: str) -> tf.Tensor:
        for named in (self._inputs, self._targets):
            if key in named:
                return named[key]
        names = [*self._inputs.tensors, *self._targets.tensors]
        raise ValueError(
            f"{key!r} is no input of the model.{suggestion(key, names)} Its inputs and targets are"
            f" {', '.join(map(repr, names)) or 'none'}."
        )


def rows(feeds: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
    """How many rows a batch has: the size of the first tensor in it that has rows."""
    return next((tf.shape(value)[0] for value in feeds.values() if value.shape.rank), None)


def as_data(x: Any) -> Any:
    """What Keras takes for `x`.

    Args:
        x: Data, a function that makes it, or `None` where the graph reads its own input.

    Raises:
        ValueError: It is a dataset that was made with eager execution off.
    """
    if x is None:
        return tf.data.Dataset.from_tensors({_OWN_INPUT: 0}).repeat()
    if callable(x):
        return x()
    if isinstance(x, tf.data.Dataset) and not hasattr(tf.data.experimental.to_variant(x), "numpy"):
        raise ValueError(
            f"{x} is part of a graph: it was made with eager execution off. Pass a function that makes it."
        )
    return with_text_as_tensors(x)


def with_text_as_tensors(data: Any) -> Any:
    """Arrays, with those of strings as tensors: Keras takes only these."""
    return keras.tree.map_structure(
        lambda each: tf.constant(each) if isinstance(each, np.ndarray) and each.dtype.kind in "SUO" else each,
        data,
    )


class EndOfInput(keras.callbacks.Callback):
    """Ends the training when the graph's own input has ended within an epoch."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._steps = 0

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._steps = batch + 1

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._steps < (self.params["steps"] or 0):
            self.model.stop_training = True
