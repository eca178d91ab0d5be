"""Runs a step on several replicas, each of which gets its rows of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train.distributed.workers import ALONE, Workers


class Replicas:
    """The replicas of a strategy: they hold the same variables, and train on parts of the same batch.

    Every process reads whole batches. Of each, a replica takes its rows: as many as the others do, or one
    more. So the replicas together train on what one would be given, and the place in the input is the same
    everywhere.

    Args:
        strategy: The strategy; by default none, which is one replica.

    Attributes:
        strategy: As given, or the default one.
        count: How many replicas there are, over all processes.
        workers: The processes.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None):
        self.strategy = tf.distribute.get_strategy() if strategy is None else strategy
        self.count: int = self.strategy.num_replicas_in_sync
        self.workers: Workers = ALONE if strategy is None else Workers(strategy)
        self._is_default = strategy is None

    def run(self, function: Callable[[Any, Any], Any], batch: Any, may_be_empty: bool = False) -> Any:
        """Calls a function on each replica.

        Args:
            function: Called with the rows of the batch that are the replica's, and with their weight: how
                many they are, divided by the mean over the replicas.
            batch: Any structure of tensors with rows, or of nothing.
            may_be_empty: Whether a replica may get no row. Layers that count in training would then compute
                NaNs.

        Returns:
            What the function returns on each.
        """
        if self._is_default:
            return function(batch, 1.0)
        if self.count == 1:
            return self.strategy.run(lambda batch: function(batch, 1.0), args=(batch,))
        return self.strategy.run(lambda batch: function(*self._part(batch, may_be_empty)), args=(batch,))

    def sum(self, value: Any) -> Any:
        """Returns the sum of a tensor over the replicas."""
        if self.count == 1:
            return value
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)

    def mean(self, value: Any) -> Any:
        """Returns the mean of a tensor over the replicas; of one that has none, the first replica's."""
        if self.count == 1:
            return value
        first = self.first(value)
        if not first.dtype.is_floating or not first.shape.is_fully_defined():
            return first
        return self.sum(value) / self.count

    def first(self, value: Any) -> Any:
        """Returns a tensor as it is on the first replica of this process."""
        return self.strategy.experimental_local_results(value)[0]

    def _part(self, batch: Any, may_be_empty: bool) -> tuple[Any, Any]:
        """Returns the rows of the replica that this is called on, and their weight."""
        leaves = [leaf for leaf in tf.nest.flatten(batch) if leaf is not None]
        if not leaves:
            return batch, 1.0
        number = tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group)
        with tf.device("/device:CPU:0"):  # only these rows go on to the replica's device
            rows = _rows(leaves[0]) if may_be_empty else self._checked(_rows(leaves[0]))
            begin, end = rows * number // self.count, rows * (number + 1) // self.count

            def part_of(leaf: Any) -> Any:
                return None if leaf is None else _slice(leaf, begin, end)

            part = tf.nest.map_structure(part_of, batch)
            if isinstance(rows, int):
                return part, (end - begin) * self.count / rows
            return part, tf.cast(end - begin, tf.float32) * self.count / tf.cast(rows, tf.float32)

    def _checked(self, rows: Any) -> Any:
        """Returns the number of rows; raises an error if there is not one for each replica."""
        problem = (
            f"has fewer rows than there are replicas ({self.count}). Make the batches larger, or leave out a"
            " last batch that is short: dataset.batch(n, drop_remainder=True)."
        )
        if isinstance(rows, int):
            if rows < self.count:
                raise ValueError(f"A batch of {rows} rows {problem}")
            return rows
        check = tf.debugging.assert_greater_equal(rows, tf.cast(self.count, rows.dtype), f"A batch {problem}")
        with tf.control_dependencies([check]):
            return tf.identity(rows)


def weighted(value: tf.Tensor, weight: Any) -> tf.Tensor:
    """Returns a tensor multiplied by the weight that `Replicas.run` gives."""
    if isinstance(weight, float) and weight == 1.0:
        return value
    return value * tf.cast(weight, value.dtype)


def _rows(leaf: Any) -> Any:
    """Returns the number of rows of a tensor of any kind: an `int` if it is known, else a scalar tensor."""
    if leaf.shape.rank == 0:
        raise ValueError(
            "A batch that is split over replicas must consist of tensors with rows; it has a scalar. Call"
            " batch() on the dataset."
        )
    known = None if leaf.shape.rank is None else leaf.shape[0]
    if known is not None:
        return int(known)
    if isinstance(leaf, tf.SparseTensor):
        return leaf.dense_shape[0]
    return leaf.nrows() if isinstance(leaf, tf.RaggedTensor) else tf.shape(leaf, tf.int64)[0]


def _slice(leaf: Any, begin: Any, end: Any) -> Any:
    if not isinstance(leaf, tf.SparseTensor):
        return leaf[begin:end]
    others = leaf.dense_shape[1:]
    start = tf.concat([[tf.cast(begin, tf.int64)], tf.zeros_like(others)], axis=0)
    size = tf.concat([[tf.cast(end - begin, tf.int64)], others], axis=0)
    return tf.sparse.slice(leaf, start, size)
