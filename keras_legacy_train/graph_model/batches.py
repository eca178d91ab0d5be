"""Converts the data that Keras takes to the feeds of a graph."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.elements import suggestion
from keras_legacy_train.graph_model.names import NamedTensors, as_fed

# The key of a batch that stands for the input that the graph reads itself.
_OWN_INPUT = "(the graph's own input)"


class Batches:
    """Converts batches, as `keras.Model.fit` hands them on, to feeds.

    Args:
        inputs: The tensors that `x` is fed to.
        targets: The tensors that `y` is fed to; a dict `x` may hold their values, too.
    """

    def __init__(self, inputs: NamedTensors, targets: NamedTensors):
        self._inputs = inputs
        self._targets = targets

    def feeds(self, x: Any, y: Any = None) -> dict[str, tf.Tensor]:
        """Returns the values that a batch feeds, by the tensors' names in the graph.

        Raises:
            ValueError: A name is not among the inputs and targets, or a value does not fit its tensor.
        """
        feeds: dict[str, tf.Tensor] = {}
        for named, values in ((self._inputs, x), (self._targets, y)):
            if isinstance(values, Mapping):
                pairs = [(self._find(key), value) for key, value in values.items() if key != _OWN_INPUT]
            else:
                pairs = [] if values is None else named.in_order(values)
            feeds.update((tensor.name, as_fed(tensor, value)) for tensor, value in pairs)
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


def count_rows(feeds: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
    """Returns the number of rows in a batch: the size of the first tensor in it that has rows."""
    return next((tf.shape(value)[0] for value in feeds.values() if value.shape.rank), None)


def as_data(x: Any) -> Any:
    """Converts `x` to what Keras takes.

    Args:
        x: Data, a function that makes it, or `None` if the graph reads its own input.

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
    return convert_strings(x)


def convert_strings(data: Any) -> Any:
    """Converts arrays of strings to tensors, since Keras takes no such arrays; keeps other data as it is."""
    return keras.tree.map_structure(
        lambda each: tf.constant(each) if isinstance(each, np.ndarray) and each.dtype.kind in "SUO" else each,
        data,
    )


@contextlib.contextmanager
def naming_missing_feeds() -> Iterator[None]:
    """Raises ValueError, with the ways to feed it, where a placeholder lacks its value."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        what, _, where = error.message.partition("\n")
        raise ValueError(
            f"{what} Name it among inputs= or targets=, or give it a value by train_feed_dict= and"
            f" eval_feed_dict=.\n{where}"
        ) from error


class EndOfInput(keras.callbacks.Callback):
    """Ends the training when the graph's own input has ended within an epoch."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Starts counting steps."""
        self._steps = 0

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Counts steps."""
        self._steps = batch + 1

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Stops the training if the epoch had fewer steps than asked for."""
        if self._steps < (self.params["steps"] or 0):
            self.model.stop_training = True
