"""Evaluates a model that a function builds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.built_graph import BuiltGraph
from keras_legacy_train.estimator.graph_run import GraphRun
from keras_legacy_train.estimator.model_fn import Input
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.output_runs import names_of_tensors
from keras_legacy_train.programs.update_windows import UpdateWindows
from keras_legacy_train.summaries import get_summary_writer

_KEYS = tf.compat.v1.GraphKeys


class Metrics(NamedTuple):
    """Holds what an evaluation computes.

    Attributes:
        updates: What is run for each batch.
        values: The results by name.
    """

    updates: Sequence[Any]
    values: Mapping[str, Any]


def add_metrics(graph: tf.Graph, spec: EstimatorSpec) -> Metrics:
    """Returns the metrics of a spec; adds the mean loss and a count of the batches to the graph.

    Raises:
        ValueError: The model function has given a metric with a name that is not its to give.
    """
    metrics = dict(spec.eval_metric_ops)
    for name, quoted in (("loss", '"loss"'), (_KEYS.GLOBAL_STEP, f"`{_KEYS.GLOBAL_STEP}`")):
        if name in metrics:
            raise ValueError(
                f"Metric with name {quoted} is not allowed, because Estimator already defines a default"
                " metric with the same name."
            )
    metrics["loss"] = tf.compat.v1.metrics.mean(spec.loss)
    names = sorted(metrics)  # the graph is the same each time
    eval_step = tf.compat.v1.get_variable(
        "eval_step",
        shape=[],
        dtype=tf.int64,
        initializer=tf.compat.v1.zeros_initializer(),
        trainable=False,
        collections=[_KEYS.LOCAL_VARIABLES, _KEYS.EVAL_STEP],
    )
    updates = [*(metrics[name][1] for name in names), tf.compat.v1.assign_add(eval_step, 1)]
    values = {name: metrics[name][0] for name in names}
    values[_KEYS.GLOBAL_STEP] = tf.compat.v1.train.get_global_step(graph)
    return Metrics(updates, values)


class Evaluation:
    """Runs the metrics of a graph over its input.

    Args:
        metrics: What is computed.
    """

    def __init__(self, metrics: Metrics):
        self._metrics = metrics
        self._windows: UpdateWindows | None = None
        self._result_names: dict[str, str] | None = None

    def run(self, run: GraphRun, steps: int | None, log_progress: bool = True) -> dict[str, Any]:
        """Evaluates `steps` batches, or all.

        Args:
            run: The graph, restored; within its context. If this is called again, then with a run of the same
                session.
            steps: How many batches; `None` for all.
            log_progress: Whether the number of batches is logged meanwhile.

        Returns:
            The results by name, NumPy values.

        Raises:
            ValueError: There is not one batch.
        """
        log.info("Starting evaluation at %s", time.strftime("%Y-%m-%dT%H:%M:%S"))
        began = time.perf_counter()
        done = 0
        try:
            for count in self._batches(run, steps):
                if log_progress:
                    _log_progress(done, done + count, steps)
                done += count
        except (tf.errors.OutOfRangeError, StopIteration):
            run.raise_failure()
        if not done:
            raise ValueError("input_fn has yielded no batch, so there is nothing to evaluate.")
        results = self._results(run)
        log.info("Inference Time : %0.5fs", time.perf_counter() - began)
        log.info("Finished evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S"))
        return results

    def _results(self, run: GraphRun) -> dict[str, Any]:
        if self._windows is not None and self._result_names is not None:
            return dict(zip(self._result_names, self._windows.results(), strict=True))
        results: dict[str, Any] = run.session.run(dict(self._metrics.values))
        return results

    def _batches(self, run: GraphRun, steps: int | None) -> Iterator[int]:
        """Evaluates batches; yields how many it has evaluated in each call."""
        left = math.inf if steps is None else steps
        while left > 0 and not run.should_stop:
            if run.is_watched:
                run.run(self._metrics.updates)
                left -= 1
                yield 1
                continue
            if self._windows is None:
                operations = [getattr(each, "op", each).name for each in self._metrics.updates]
                self._result_names = names_of_tensors(run.session.graph, self._metrics.values)
                names = list((self._result_names or {}).values())
                self._windows = UpdateWindows(run.session, operations, names)
            with run.watched_calls():
                count, error = self._windows.run(left)
            left -= count
            yield count
            if error is not None:
                raise error


class BuiltEvaluation(BuiltGraph):
    """Evaluates a model, as often as wanted.

    Args:
        graph: The graph.
        spec: What the model function has returned.
        given: What the input function has given it.
        hooks: Session hooks.

    Attributes:
        input_text: The fingerprint of the input alone, while the training goes on that has made this.
    """

    def __init__(self, graph: tf.Graph, spec: EstimatorSpec, given: Input, hooks: Sequence[Any]):
        self.input_text: str | None = None
        with graph.as_default():
            self._evaluation = Evaluation(add_metrics(graph, spec))
            scaffold = spec.scaffold
            if scaffold.local_init_op is not None:  # it does not know the variables of the metrics
                default = tf.compat.v1.train.Scaffold.default_local_init_op()
                both = tf.group(scaffold.local_init_op, default)
                scaffold = tf.compat.v1.train.Scaffold(local_init_op=both, copy_from_scaffold=scaffold)
        super().__init__(graph, spec, given, hooks, scaffold)

    def run(
        self,
        restore: Callable[[GraphSession], None] | None,
        steps: int | None,
        log_progress: bool = True,
    ) -> tuple[dict[str, Any], bool]:
        """Evaluates `steps` batches, or all.

        Args:
            restore: Gives the session's variables their values; `None` to initialise them.
            steps: How many batches; `None` for all.
            log_progress: Whether the number of batches is logged meanwhile.

        Returns:
            The results by name, NumPy values; and whether this may be called again.

        Raises:
            ValueError: There is not one batch.
        """
        with self.restored(restore) as run:
            results = self._evaluation.run(run, steps, log_progress)
        return results, self.keep(run)


def _log_progress(before: int, done: int, steps: int | None) -> None:
    """Logs each tenth of the batches that a call has reached; every batch, if there are few."""
    if steps is None:
        return
    every = 1 if steps < 20 else steps // 10
    for number in range(before + 1, done + 1):
        if number % every == 0 or number == steps:
            log.info("Evaluation [%d/%d]", number, steps)


def write_results(directory: str, results: Mapping[str, Any], checkpoint: str | None) -> None:
    """Writes the results of an evaluation to an event file, and logs them.

    Args:
        directory: Where the event file lies.
        results: The results by name, with `global_step` among them.
        checkpoint: The checkpoint that was evaluated, if it was one.
    """
    step = int(results[_KEYS.GLOBAL_STEP])
    shown = [f"{name} = {value!s}" for name, value in sorted(results.items()) if not isinstance(value, bytes)]
    log.info("Saving dict for global step %d: %s", step, ", ".join(shown))
    summary = tf.compat.v1.Summary()
    for name, value in results.items():
        if name != _KEYS.GLOBAL_STEP and value is not None:
            _add_value(summary, name, value)
    writer = get_summary_writer(directory)
    writer.add_summary(summary, step)
    if checkpoint is not None:
        log.info("Saving 'checkpoint_path' summary for global step %d: %s", step, checkpoint)
        path = tf.compat.v1.Summary()
        path.value.add(tag="checkpoint_path", tensor=tf.make_tensor_proto(checkpoint, tf.string))
        writer.add_summary(path, step)
    writer.flush()


def _add_value(summary: tf.compat.v1.Summary, name: str, value: Any) -> None:
    """Adds one result to a summary, in the form that its type has there."""
    if isinstance(value, (float, int, np.floating, np.integer)):
        summary.value.add(tag=name, simple_value=float(value))
    elif isinstance(value, bytes):
        try:
            parts = tf.compat.v1.Summary.FromString(value).value
        except DecodeError:
            log.warning("Skipping summary for %s, cannot parse string to Summary.", name)
            return
        for index, part in enumerate(parts):
            part.tag = f"{name}/{index}"
            summary.value.append(part)
    elif isinstance(value, np.ndarray):
        summary.value.add(tag=name, node_name=name, tensor=tf.make_tensor_proto(value))
        log.info(
            "Summary for np.ndarray is not visible in Tensorboard by default. Consider using a Tensorboard"
            " plugin for visualization (see"
            " https://github.com/tensorflow/tensorboard-plugin-example/blob/master/README.md for more"
            " information)."
        )
    else:
        log.warning(
            "Skipping summary for %s, must be a float, np.float32, np.int64, np.int32 or int or np.ndarray or"
            " a serialized string of Summary.",
            name,
        )
