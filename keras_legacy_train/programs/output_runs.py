"""Computes tensors of a graph again and again, many times in one call where that pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.output_window import OutputWindow
from keras_legacy_train.programs.prefetched_feeds import row_specs

# The outputs of one call take no more bytes, and are those of no more runs.
_MOST_BYTES = 8 * 2**20
_MOST_RUNS = 4096
# Where outputs and feeds have more shapes than this, they go on to change.
_MOST_WINDOWS = 4


class Outputs(NamedTuple):
    """Holds what several runs have computed.

    Attributes:
        runs: For each run the values of the tensors, by their keys.
        error: The error that the run after these has raised, if one has.
    """

    runs: list[dict[Any, Any]]
    error: tf.errors.OpError | None


class OutputRuns:
    """Computes tensors of a lifted graph as often as wanted.

    Args:
        session: The graph's session.
        tensors: Names of the tensors, by any keys.
    """

    def __init__(self, session: GraphSession, tensors: Mapping[Any, str]):
        self._session = session
        self._tensors = dict(tensors)
        self._windows: dict[Any, OutputWindow] = {}
        self._like: dict[str, Any] | None = None  # the outputs of an earlier run

    def run(self, at_most: int, feeds: Mapping[str, np.ndarray]) -> Outputs:
        """Computes the tensors in one call, but for the first time and for outputs of ever new shapes.

        Args:
            at_most: The largest number of runs.
            feeds: For each tensor that is fed an array with a row for each run.
        """
        names = [name for name in dict.fromkeys(self._tensors.values()) if name not in feeds]
        window = None
        if at_most > 1 and self._like is not None and list(self._like) == names:
            window = self._window(self._like, feeds)
        if window is None:
            first = {name: rows[0] for name, rows in feeds.items()}
            values = self._session.compute(names, feeds=first)
            self._like = dict(zip(names, values, strict=True))
            return Outputs([self._by_key({**first, **self._like})], None)
        at_most = min(at_most, window.size)
        with self._session.lifted.eager_mode():
            many, odd, error = window.run(at_most, *(rows[:at_most] for rows in feeds.values()))
        computed: list[Sequence[Any]] = list(zip(*many, strict=True))
        if odd is not None:
            computed.append(odd)
            self._like = dict(zip(names, odd, strict=True))
        runs = []
        for place, row in enumerate(computed):
            fed = {name: rows[place] for name, rows in feeds.items()}
            runs.append(self._by_key({**fed, **dict(zip(names, row, strict=True))}))
        return Outputs(runs, None if error is None else self._session.lifted.explain(error))

    def _by_key(self, values: Mapping[str, Any]) -> dict[Any, Any]:
        return {key: values[name] for key, name in self._tensors.items()}

    def _window(self, like: Mapping[str, Any], feeds: Mapping[str, np.ndarray]) -> OutputWindow | None:
        """Returns the window for outputs and feeds of these shapes, if it is worth while."""
        graph, size = self._session.graph, sum(map(_bytes, like.values()))
        most = min(_MOST_RUNS, _MOST_BYTES // max(size, 1))
        specs = [
            tf.TensorSpec(np.shape(value), graph.get_tensor_by_name(name).dtype.base_dtype)
            for name, value in like.items()
        ]
        rows = row_specs(self._session.lifted, feeds)
        key = tuple(specs), tuple(rows.items())
        is_wanted = bool(specs) and most > 1 and len(self._windows) < _MOST_WINDOWS
        if key not in self._windows and is_wanted:
            with self._session.lifted.eager_mode():
                part = self._session.lifted.part(rows, list(like))
                self._windows[key] = OutputWindow(
                    lambda *arrays: part.build(arrays)[0], specs, most, list(rows.values())
                )
        return self._windows.get(key)


def _bytes(value: Any) -> int:
    """Returns about how much memory a value takes."""
    array = np.asarray(value)
    return sum(len(text) + 24 for text in array.flat) if array.dtype == object else array.nbytes


def names_of_tensors(graph: tf.Graph, fetches: Mapping[Any, Any]) -> dict[Any, str] | None:
    """Returns the names of tensors that a session may be asked for; `None` if there is anything else."""
    names = {}
    for key, fetch in fetches.items():
        is_one = isinstance(fetch, (str, tf.Tensor, tf.Variable))
        element = graph.as_graph_element(fetch) if is_one else None
        if not isinstance(element, tf.Tensor) or element.dtype in (tf.resource, tf.variant):
            return None
        names[key] = element.name
    return names
