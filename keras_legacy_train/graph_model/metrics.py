"""Computes the loss and the metrics that `fit` and `evaluate` of a graph report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train.graph.elements import check_names, find_tensor, graph_element
from keras_legacy_train.graph.session import GraphSession

_KEYS = tf.compat.v1.GraphKeys


class StreamingMetric(keras.metrics.Metric):
    """Reads a metric of `tf.compat.v1.metrics`, which counts in local variables of the graph.

    Args:
        session: The graph's session.
        name: The metric's name.
        value: The tensor that reads the result.
        update_op: The operation that a step runs to update the metric.

    Raises:
        ValueError: `value` depends on the batch.
    """

    def __init__(self, session: GraphSession, name: str, value: tf.Tensor, update_op: tf.Operation):
        super().__init__(name=name)
        self._session = session
        try:
            self._value = session.lifted.function((), [value.name])
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(
                f"metrics[{name!r}]: {value.name!r} can be read only when a batch is fed. Give the tensor"
                f" alone to have its mean. {error.message}"
            ) from error
        self._initializers = [variable.initializer for variable in _counters(session.graph, update_op)]

    def result(self) -> tf.Tensor:
        """Returns the metric over all steps since the last reset."""
        return self._value([])[0]

    def reset_state(self) -> None:
        """Sets the local variables back."""
        self._session.run(self._initializers)


class GraphMetrics:
    """Holds the loss and the metrics of a model.

    Args:
        session: The graph's session.
        loss: The loss, if there is one.
        metrics: By name, a tensor of the step, or a pair of value and update op as `tf.compat.v1.metrics`
            returns them.

    Attributes:
        trackers: The Keras metrics, the loss's first.
        tensors: Names of the tensors that a step computes for `update`.
        operations: Names of the operations that a step runs.

    Raises:
        ValueError: A tensor is not in the graph, or a pair cannot be read.
    """

    def __init__(self, session: GraphSession, loss: tf.Tensor | None, metrics: Mapping[str, Any] | None):
        graph = session.graph
        if metrics is not None and not isinstance(metrics, Mapping):
            raise ValueError(f"metrics must be a dict from names to tensors or pairs; it is {metrics!r}.")
        self._means: list[keras.metrics.Mean] = []
        self.trackers: list[keras.metrics.Metric] = []
        self.tensors: list[str] = []
        self.operations: list[str] = []
        if loss is not None:
            self._add_mean("loss", loss)
        for name, metric in (metrics or {}).items():
            argument = f"metrics[{name!r}]"
            if name in [tracker.name for tracker in self.trackers]:
                raise ValueError(f"{argument}: the loss goes by this name; choose another.")
            if not isinstance(metric, (list, tuple)):
                self._add_mean(name, find_tensor(argument, graph, metric))
                continue
            if len(metric) != 2:
                raise ValueError(f"{argument} must be a tensor or (value, update_op); it is {metric!r}.")
            check_names(argument, graph, metric[1])
            update_op = graph_element(graph, metric[1])
            update_op = getattr(update_op, "op", update_op)
            self.operations.append(update_op.name)
            value = find_tensor(argument, graph, metric[0])
            self.trackers.append(StreamingMetric(session, name, value, update_op))

    def _add_mean(self, name: str, tensor: tf.Tensor) -> None:
        dtype = tensor.dtype.base_dtype
        exact = dtype.is_floating and dtype.size >= 4
        self._means.append(keras.metrics.Mean(name, dtype=dtype.name if exact else None))
        self.trackers.append(self._means[-1])
        self.tensors.append(tensor.name)

    def update(self, values: list[tf.Tensor], rows: tf.Tensor | None) -> None:
        """Updates the means by the values of `tensors` in one step.

        Args:
            values: The values; one with several entries counts as their mean.
            rows: The number of rows in the batch, by which the means over batches are weighted. `None` if it
                is not known.
        """
        pairs = list(zip(self._means, values, strict=True))
        numbers = [tf.reduce_mean(tf.cast(value, mean.dtype)) for mean, value in pairs]
        with tf.control_dependencies(numbers):  # a step that fails is not counted
            for mean, number in zip(self._means, numbers, strict=True):
                mean.update_state(number, rows)


def _counters(graph: tf.Graph, update_op: tf.Operation) -> list[tf.Variable]:
    """Returns the local variables that an update op counts in."""
    waiting, found = [update_op], set()
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
    # TensorFlow before 1.4 knew no collection of metrics' variables.
    variables = graph.get_collection(_KEYS.METRIC_VARIABLES) or graph.get_collection(_KEYS.LOCAL_VARIABLES)
    return [variable for variable in variables if variable.op in found]
