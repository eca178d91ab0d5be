"""Gives monitors a session where there is no graph."""

from __future__ import annotations

import contextlib
from typing import Any

import tensorflow as tf

from keras_legacy_train.programs.named_values import NamedValues
from keras_legacy_train.types import FeedDict, Fetches


class ValuesSession:
    """Reads variables, by name or directly.

    Args:
        values: The variables.
    """

    def __init__(self, values: NamedValues):
        self._values = values

    def run(self, fetches: Fetches, feed_dict: FeedDict | None = None) -> Any:
        """Returns the values of variables now, in the structure of `fetches`.

        Args:
            fetches: A name or a variable, or lists, tuples and dicts of them.
            feed_dict: Must be empty: there is nothing to feed.

        Raises:
            ValueError: There is no such variable, or something is fed.
        """
        if feed_dict:
            raise ValueError("feed_dict: this training has no graph, and so no tensors that could be fed.")
        return tf.nest.map_structure(self._read, fetches)

    def as_default(self) -> contextlib.AbstractContextManager[ValuesSession]:
        """Returns a context that changes nothing: variables can be read anywhere."""
        return contextlib.nullcontext(self)

    def _read(self, fetch: Any) -> Any:
        return self._values.value(fetch, {})
