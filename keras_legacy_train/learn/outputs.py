"""Reads the outputs of a model's graph: chooses, splits and joins its predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def reading(features: Any, tensors: Any) -> Any:
    """Returns tensors that are computed after the features are: so input ends that a model does not use."""
    with tf.control_dependencies(tf.nest.flatten(features, expand_composites=True)):
        return tf.nest.map_structure(tf.identity, tensors, expand_composites=True)


def is_constant(graph: tf.Graph) -> bool:
    """Returns whether each run of a graph gives the same: it has neither a queue nor an iterator."""
    return not graph.get_collection(tf.compat.v1.GraphKeys.QUEUE_RUNNERS) and not any(
        op.type.startswith("IteratorGetNext") for op in graph.get_operations()
    )


def chosen(predictions: Any, outputs: Sequence[str] | None) -> Any:
    """Returns the predictions that are asked for.

    Raises:
        ValueError: The predictions have no names, or not one of these.
    """
    if not outputs:
        return predictions
    if not isinstance(predictions, Mapping):
        raise ValueError("outputs argument is not valid in case of non-dict predictions.")
    found = {name: value for name, value in predictions.items() if name in outputs}
    if not found:
        raise ValueError(f"Expected to run at least one output from {list(predictions)}, provided {outputs}.")
    return found


def rows(batch: Any) -> Iterator[Any]:
    """Yields the examples of a batch of predictions."""
    if not isinstance(batch, Mapping):
        yield from batch
        return
    first = next(iter(batch.values()))
    is_sparse = isinstance(first, tf.compat.v1.SparseTensorValue)
    for index in range(first.dense_shape[0] if is_sparse else len(first)):
        yield {name: value[index] for name, value in batch.items()}


def joined(batches: Sequence[Any]) -> Any:
    """Returns batches of predictions as one."""
    if not isinstance(batches[0], Mapping):
        return np.concatenate(batches)
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
