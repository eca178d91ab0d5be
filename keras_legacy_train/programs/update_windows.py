"""Runs update ops of a graph again and again, many times in one call."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.prefetched_feeds import row_specs
from keras_legacy_train.programs.window import Window
from keras_legacy_train.programs.window_size import WindowSize


class UpdateWindows:
    """Runs operations of a lifted graph in windows.

    Args:
        session: The graph's session.
        operations: Names of the operations that each run performs.
        variable: Name of a variable of one number, which is read along with them.
    """

    def __init__(self, session: GraphSession, operations: Sequence[str], variable: str):
        self._lifted = session.lifted
        self._operations = list(operations)
        self._variable = variable
        self._windows: dict[tuple[tuple[str, tf.TensorSpec], ...], Window] = {}
        self._size = WindowSize(Window.MAX_STEPS)

    def run(
        self, at_most: float, feeds: Mapping[str, np.ndarray] | None = None
    ) -> tuple[int, tf.errors.OpError | None]:
        """Runs the operations as often as fits into one call.

        Args:
            at_most: The largest number of runs.
            feeds: For each tensor that is fed an array with a row for each run; all of them are used, unless
                there is an error.

        Returns:
            The number of runs that were completed, and the error that ended them, if one did.
        """
        began = time.perf_counter()
        at_most = at_most if feeds else min(at_most, self._size())
        with self._lifted.eager_mode():
            window = self._window(feeds or {})
            rows = map(tf.constant, (feeds or {}).values())
            (values,), error = window.run(int(at_most), *rows)
        self._size.took(len(values), time.perf_counter() - began)
        return len(values), None if error is None else self._lifted.explain(error)

    def _window(self, feeds: Mapping[str, np.ndarray]) -> Window:
        specs = row_specs(self._lifted, feeds)
        key = tuple(specs.items())
        if key not in self._windows:
            part = self._lifted.part(specs, (f"{self._variable}:0",), self._operations)

            def run_once(*rows: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
                fetched, _operations = part.build(rows)
                return fetched, tf.constant(False)

            self._windows[key] = Window(run_once, [tf.float64], rows=list(specs.values()), is_ordered=True)
        return self._windows[key]
