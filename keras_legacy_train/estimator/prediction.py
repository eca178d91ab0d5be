"""Predicts with a model that a function builds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.estimator.built_graph import BuiltGraph
from keras_legacy_train.estimator.graph_run import GraphRun
from keras_legacy_train.estimator.model_fn import Input
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.graph.part import Part
from keras_legacy_train.graph.rewriting.inputs import may_wait_for_step
from keras_legacy_train.programs.output_window import OutputWindow
from keras_legacy_train.programs.window_size import WindowSize

# A window should give the caller his next batches after this many seconds, and hold no more bytes of them.
_WINDOW_SECONDS = 0.1
_MOST_BYTES = 8 * 2**20
_MOST_BATCHES = 4096

# As long as it takes to make a window.
_MAKING_SECONDS = 0.1
# Where the outputs have more shapes than this, they go on to change.
_MOST_WINDOWS = 2


class Prediction(BuiltGraph):
    """Predicts with a model, as often as wanted.

    Args:
        graph: The graph.
        spec: What the model function has returned.
        given: What the input function has given it.
        hooks: Session hooks.
    """

    def __init__(self, graph: tf.Graph, spec: EstimatorSpec, given: Input, hooks: Sequence[Any]):
        super().__init__(graph, spec, given, hooks, spec.scaffold)
        self._windows: dict[Any, OutputWindow] = {}

    def batches(self, run: GraphRun, fetches: Any) -> Iterator[Any]:
        """Yields the predictions of a batch after the other, until the input ends.

        Args:
            run: A run of the graph, within its context.
            fetches: A tensor, or tensors by name.

        Raises:
            tf.errors.OutOfRangeError: The input has ended.
        """
        keys = list(fetches) if isinstance(fetches, Mapping) else None
        tensors = [fetches] if keys is None else list(fetches.values())
        if run.is_watched or not tensors or not all(isinstance(each, tf.Tensor) for each in tensors):
            while not run.should_stop:
                yield run.run(fetches)
            return
        for values in self._batches(run, tensors):
            yield values[0] if keys is None else dict(zip(keys, values, strict=True))

    def _batches(self, run: GraphRun, tensors: Sequence[tf.Tensor]) -> Iterator[Sequence[Any]]:
        """Yields the predictions of each batch: those of the first ones singly, then of many in one call."""
        names, part = [tensor.name for tensor in tensors], self._part(run, tensors)
        size, alone = WindowSize(_MOST_BATCHES, _WINDOW_SECONDS), 0.0
        last: list[tf.TensorSpec] = []
        while not run.should_stop:
            began = time.perf_counter()
            with run.watched_calls() if not last else contextlib.nullcontext():  # it takes longer than a run
                values = run.session.compute(names)
            seconds = time.perf_counter() - began
            size.took(1, seconds)
            alone += seconds
            yield values
            specs = [tf.TensorSpec(np.shape(v), t.dtype) for v, t in zip(values, tensors, strict=True)]
            if part is not None and alone > _MAKING_SECONDS and specs == last:
                window = self._window(run, part, specs, sum(map(_bytes, values)))
                if window is not None:
                    yield from self._in_windows(run, window, size)
            last = specs

    def _in_windows(self, run: GraphRun, window: OutputWindow, size: WindowSize) -> Iterator[Sequence[Any]]:
        """Yields the predictions of batches that are run many in one call, until one has another shape."""
        while not run.should_stop:
            began = time.perf_counter()
            with run.session.lifted.eager_mode(), run.watched_calls():
                many, odd, error = window.run(min(size(), window.size))
            size.took(len(many[0]), time.perf_counter() - began)
            yield from zip(*many, strict=True)
            if error is not None:
                raise run.session.lifted.explain(error)
            if odd is not None:
                yield odd
                return

    def _window(
        self, run: GraphRun, part: Part, specs: Sequence[tf.TensorSpec], size_of_one: int
    ) -> OutputWindow | None:
        """Returns the window for outputs of some shapes; `None` if it is not worth while."""
        key = tuple(part.fetches), tuple(specs)
        most = min(_MOST_BATCHES, _MOST_BYTES // max(size_of_one, 1))
        if key not in self._windows and most > 1 and len(self._windows) < _MOST_WINDOWS:
            with run.session.lifted.eager_mode():
                self._windows[key] = OutputWindow(lambda: part.build([])[0], specs, most)
        return self._windows.get(key)

    def _part(self, run: GraphRun, tensors: Sequence[tf.Tensor]) -> Part | None:
        """Returns the part of the graph that predicts; `None` if its input may not be read ahead.

        It may not where the next element may wait for what the caller does with the last prediction.
        """
        lifted = run.session.lifted
        if lifted.input_may_wait:
            return None
        part = lifted.part((), [tensor.name for tensor in tensors])
        return None if may_wait_for_step(part.op_types()) else part


def _bytes(value: Any) -> int:
    """Returns about how much memory a value takes."""
    array = np.asarray(value)
    return sum(len(text) + 24 for text in array.flat) if array.dtype == object else array.nbytes


def chosen(predictions: Any, keys: Any) -> Any:
    """Returns the predictions of the given keys.

    Raises:
        ValueError: The predictions have no keys, or not one of these.
    """
    if not keys:
        return predictions
    if not isinstance(predictions, dict):
        raise ValueError("predict_keys argument is not valid in case of non-dict predictions.")
    chosen = {key: value for key, value in predictions.items() if key in keys}
    if not chosen:
        raise ValueError(f"Expected to run at least one output from {predictions.keys()}, provided {keys}.")
    return chosen


def examples(outputs: Any) -> Iterator[Any]:
    """Yields the examples of a batch of predictions.

    Raises:
        ValueError: They have several lengths.
    """
    if not isinstance(outputs, dict):
        yield from outputs
        return
    lengths = {key: len(value) if np.ndim(value) else None for key, value in outputs.items()}
    first = next(iter(lengths.values()), None)
    for key, length in lengths.items():
        if length is None or length != first:
            raise ValueError(
                f"Batch length of predictions should be same. {key} has different batch length than others."
            )
    for values in zip(*outputs.values(), strict=True):
        yield dict(zip(outputs, values, strict=True))
