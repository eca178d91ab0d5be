"""Runs update ops of a graph again and again, many times in one call."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.prefetched_feeds import row_specs
from keras_legacy_train.programs.record import any_left, require
from keras_legacy_train.programs.window import NotRunError, Window
from keras_legacy_train.programs.window_size import WindowSize


class UpdateWindows:
    """Runs operations of a lifted graph in windows, of which nothing is kept but how often they have run.

    Args:
        session: The graph's session.
        operations: Names of the operations that each run performs.
        results: Names of tensors that are wanted in the end.
    """

    def __init__(self, session: GraphSession, operations: Sequence[str], results: Sequence[str] = ()):
        self._session = session
        self._lifted = session.lifted
        self._operations = list(operations)
        self._results = list(results)
        # A function of their own would have to be made for them, which takes longer than a small evaluation.
        self._computes_results = bool(results) and self._are_plain(results)
        self._windows: dict[tuple[tuple[str, tf.TensorSpec], ...], Any] = {}
        self._size = WindowSize(Window.MAX_STEPS)
        with _tensorflow.eager_mode():
            # What a loop carries is lost when an error is raised in it.
            self._done = tf.Variable(0, dtype=tf.int64, trainable=False)

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

        Raises:
            NotRunError: They have not been run to their end.
        """
        began = time.perf_counter()
        count = int(at_most if feeds else min(at_most, self._size()))
        with self._lifted.eager_mode():
            window = self._window(feeds or {})
            rows = map(tf.constant, (feeds or {}).values())
            self._done.assign(0)
            try:
                left, *_ = _tensorflow.call(window, [tf.constant(count, tf.int64), *rows])
            except tf.errors.OpError as raised:
                # Frames of a traceback would keep the inputs until garbage is collected.
                raised.__context__ = None
                error = self._lifted.explain(raised.with_traceback(None))
                return int(self._done.numpy()), error
        if left.shape.rank != 0:
            raise NotRunError  # where nothing is computed, nothing has a shape
        self._size.took(count, time.perf_counter() - began)
        return count, None

    def results(self) -> list[Any]:
        """Computes the results. Feeds of the last run are not fed."""
        if not self._computes_results:
            return self._session.compute(self._results)
        with self._lifted.eager_mode():
            _, *values = _tensorflow.call(self._window({}), [tf.constant(0, tf.int64)])
            return [value.numpy() for value in values]

    def _are_plain(self, tensors: Sequence[str]) -> bool:
        """Returns whether tensors are computed of variables alone, so that it does not matter how often."""
        try:
            types = self._lifted.part((), tensors).op_types()
        except tf.errors.InvalidArgumentError:
            return False  # something must be fed
        definitions = map(_tensorflow.op_def, types - {"ReadVariableOp"})
        return all(definition is not None and not definition.is_stateful for definition in definitions)

    def _window(self, feeds: Mapping[str, np.ndarray]) -> Any:
        specs = row_specs(self._lifted, feeds)
        key = tuple(specs.items())
        if key not in self._windows:
            part = self._lifted.part(specs, (), self._operations)
            results = self._lifted.part((), self._results) if self._computes_results else None

            def loop(at_most: tf.Tensor, *arrays: tf.Tensor) -> list[tf.Tensor]:
                def run_once(left: tf.Tensor) -> list[tf.Tensor]:
                    _, operations = part.build([array[at_most - left] for array in arrays])
                    with tf.control_dependencies(operations):
                        require([self._done.assign_add(1, read_value=False)])
                    return [left - 1]

                left = _tensorflow.while_loop(any_left, run_once, at_most)
                require([left.op])
                return [left, *(results.build(())[0] if results is not None else ())]

            self._windows[key] = _tensorflow.wrap_function(
                loop, [tf.TensorSpec([], tf.int64), *specs.values()]
            )
        return self._windows[key]
