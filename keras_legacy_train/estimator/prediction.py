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
from keras_legacy_train.graph.rewriting.inputs import may_wait_for_step
from keras_legacy_train.programs.output_runs import OutputRuns
from keras_legacy_train.programs.window_size import WindowSize

# A call should give the caller his next batches after this many seconds.
_WINDOW_SECONDS = 0.1
_MOST_BATCHES = 4096

# As long as it takes to make a function that computes many batches.
_MAKING_SECONDS = 0.1


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
        self._runs: dict[tuple[str, ...], OutputRuns] = {}

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
        names = tuple(tensor.name for tensor in tensors)
        if names not in self._runs:
            self._runs[names] = OutputRuns(run.session, dict(enumerate(names)))
        runs, reads_ahead = self._runs[names], self._may_read_ahead(run, names)
        size, seconds_alone = WindowSize(_MOST_BATCHES, _WINDOW_SECONDS), 0.0
        while not run.should_stop:
            began, is_alone = time.perf_counter(), not reads_ahead or seconds_alone < _MAKING_SECONDS
            # To watch takes longer than a run.
            is_first = not seconds_alone
            with run.watched_calls() if is_first or not is_alone else contextlib.nullcontext():
                outputs = runs.run(1 if is_alone else size(), {})
            seconds = time.perf_counter() - began
            size.took(len(outputs.runs), seconds)
            seconds_alone += seconds * is_alone
            for values in outputs.runs:
                yield list(values.values())
            if outputs.error is not None:
                raise outputs.error

    def _may_read_ahead(self, run: GraphRun, names: Sequence[str]) -> bool:
        """Returns whether no element of the input can wait for what the caller does with the one before."""
        lifted = run.session.lifted
        return not lifted.input_may_wait and not may_wait_for_step(lifted.part((), names).op_types())


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
