"""Runs update ops of a graph again and again, many times in one call."""

from __future__ import annotations

import time
from collections.abc import Sequence

import tensorflow as tf

from keras_legacy_train.graph.session import GraphSession
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
        part = self._lifted.part((), (f"{variable}:0",), operations)

        def run_once() -> tuple[list[tf.Tensor], tf.Tensor]:
            fetched, _operations = part.build([])
            return fetched, tf.constant(False)

        with self._lifted.eager_mode():
            self._window = Window(run_once, [tf.float64], is_ordered=True)
        self._size = WindowSize(Window.MAX_STEPS)

    def run(self, at_most: float) -> tuple[int, tf.errors.OpError | None]:
        """Runs the operations as often as fits into one call.

        Args:
            at_most: The largest number of runs.

        Returns:
            The number of runs that were completed, and the error that ended them, if one did.
        """
        began = time.perf_counter()
        with self._lifted.eager_mode():
            (values,), error = self._window.run(int(min(at_most, self._size())))
        self._size.took(len(values), time.perf_counter() - began)
        return len(values), None if error is None else self._lifted.explain(error)
