"""Has elements wait until all of their components are there, and tells how many can be taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf


class Taken(NamedTuple):
    """Holds elements that were taken from a barrier.

    Attributes:
        indices: When each was inserted, `[batch]`, int64.
        keys: The key of each, `[batch]`.
        components: Each component, `[batch, …]`.
    """

    indices: tf.Tensor
    keys: tf.Tensor
    components: list[tf.Tensor]


class Barrier:
    """Joins components that come one by one; stands for the `Barrier` of TensorFlow 1.

    An element has a key. It can be taken when all of its components are inserted. Those that came first are
    taken first.

    Args:
        types: The dtype of each component.
        shapes: The shape of each component.
        name: The name of the op.
    """

    def __init__(self, types: Sequence[tf.DType], shapes: Sequence[Any], name: str = "barrier"):
        self._types = list(types)
        self._shapes = [*map(tf.TensorShape, shapes)]
        self.barrier_ref = tf.raw_ops.Barrier(
            component_types=self._types,
            shapes=self._shapes,
            capacity=-1,
            container="",
            shared_name="",
            name=name,
        )

    @property
    def name(self) -> str:
        """Returns the name of the op that holds it."""
        return str(self.barrier_ref.op.name)

    def insert_many(
        self, component_index: int, keys: tf.Tensor, values: tf.Tensor, name: str | None = None
    ) -> tf.Operation:
        """Returns an op that inserts one component of some elements.

        Args:
            component_index: Which component.
            keys: The keys of the elements, `[n]`.
            values: The component of each, `[n, …]`.
            name: The name of the op.
        """
        return tf.raw_ops.BarrierInsertMany(
            handle=self.barrier_ref, keys=keys, values=values, component_index=component_index, name=name
        )

    def take_many(self, num_elements: Any, name: str | None = None) -> Taken:
        """Returns tensors that take complete elements, and wait for them.

        Args:
            num_elements: How many, an int32 scalar.
            name: The name of the op.
        """
        taken = tf.raw_ops.BarrierTakeMany(
            handle=self.barrier_ref,
            num_elements=num_elements,
            component_types=self._types,
            allow_small_batch=False,
            wait_for_incomplete=False,
            timeout_ms=-1,
            name=name,
        )
        batch = tf.TensorShape([tf.get_static_value(tf.convert_to_tensor(num_elements))])
        for tensor in (taken.indices, taken.keys):
            tensor.set_shape(batch)
        for tensor, shape in zip(taken.values, self._shapes, strict=True):
            tensor.set_shape(batch.concatenate(shape))
        return Taken(taken.indices, taken.keys, list(taken.values))

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> tf.Operation:
        """Returns an op after which no new keys are inserted.

        Args:
            cancel_pending_enqueues: Whether elements that are not complete are given up.
            name: The name of the op.
        """
        return tf.raw_ops.BarrierClose(
            handle=self.barrier_ref, cancel_pending_enqueues=cancel_pending_enqueues, name=name
        )

    def ready_size(self, name: str | None = None) -> tf.Tensor:
        """Returns how many elements are complete, an int32 scalar.

        Args:
            name: The name of the op.
        """
        return tf.raw_ops.BarrierReadySize(handle=self.barrier_ref, name=name)

    def incomplete_size(self, name: str | None = None) -> tf.Tensor:
        """Returns how many elements are not complete, an int32 scalar.

        Args:
            name: The name of the op.
        """
        return tf.raw_ops.BarrierIncompleteSize(handle=self.barrier_ref, name=name)


class Permits:
    """Tells how many elements can be taken from a barrier, and when its input has ended.

    TensorFlow loses elements where a barrier is closed while somebody waits for them. So a barrier stays
    open, and who takes from it waits for permits. At the end of the input come blanks, as many as make a
    batch. A blank counts for no element, and is there again at once; so nobody waits any more.

    Args:
        batch_size: How many elements make a batch, an int or an int32 scalar.
        allow_small_batch: Whether batches become smaller at the end.
    """

    def __init__(self, batch_size: Any, allow_small_batch: bool):
        self._batch_size = batch_size
        self._least = 1 if allow_small_batch else batch_size
        # Permits come before blanks.
        self._queue = tf.queue.PriorityQueue(-1, [tf.int32], [[]], name="permits")
        # Is always empty. To take from it when it is closed is the error that says that an input has ended.
        self._end = tf.queue.FIFOQueue(1, [tf.int32], [[]], name="end")

    def add(self, count: Any) -> tf.Operation:
        """Returns an op that permits to take more elements.

        Args:
            count: How many, an int32 scalar.
        """
        return self._queue.enqueue_many([tf.zeros([count], tf.int64), tf.ones([count], tf.int32)])

    def take(self) -> tf.Tensor:
        """Returns how many elements the next batch has, an int32 scalar. It waits for them.

        When it is computed after the last batch, there is an `OutOfRangeError`.
        """
        _, permits = self._queue.dequeue_many(self._batch_size)
        count = tf.reduce_sum(permits)
        with tf.control_dependencies([self._add_blanks(self._batch_size - count)]):
            is_over = tf.cast(count < self._least, tf.int32)
        with tf.control_dependencies([self._end.dequeue_many(is_over)]):
            return tf.identity(count)

    def close(self, cancel_pending_enqueues: bool = False) -> tf.Operation:
        """Returns an op after which no batch waits for elements that nobody has added.

        Args:
            cancel_pending_enqueues: Whether there is no batch at all any more.
        """
        end = self._end.close(cancel_pending_enqueues)
        with tf.control_dependencies([end]):
            if cancel_pending_enqueues:
                return self._queue.close(cancel_pending_enqueues=True)
            return self._add_blanks(self._batch_size)

    def _add_blanks(self, count: Any) -> tf.Operation:
        return self._queue.enqueue_many([tf.ones([count], tf.int64), tf.zeros([count], tf.int32)])
