"""Queues that batch examples of about the same length together."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

_tf_train = tf.compat.v1.train


def bucket(
    tensors: Any,
    which_bucket: Any,
    batch_size: Any,
    num_buckets: int,
    num_threads: int = 1,
    capacity: int = 32,
    bucket_capacities: Sequence[int] | None = None,
    shapes: Sequence[Any] | None = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    keep_input: Any = True,
    shared_name: str | None = None,
    name: str | None = None,
) -> tuple[tf.Tensor, Any]:
    """Batches examples by bucket; stands for `tf.contrib.training.bucket`.

    Each bucket is a queue. When it has enough examples for a batch, these go to a queue of batches. Both are
    run by queue runners.

    Args:
        tensors: An example: a list or dict of tensors.
        which_bucket: The number of its bucket, an integer scalar.
        batch_size: How many examples make a batch; a list for one number a bucket.
        num_buckets: How many buckets there are.
        num_threads: Threads that fill the buckets. With more than one, the order is not determined.
        capacity: How many batches wait in the queue, at most; and examples in a bucket.
        bucket_capacities: How many examples wait in each bucket, at most.
        shapes: The shapes of the tensors; by default their static shapes.
        dynamic_pad: Whether examples of a batch are padded with zeros to one shape.
        allow_smaller_final_batch: Whether the examples that are left at the end make smaller batches.
        keep_input: Whether an example is taken, a boolean scalar.
        shared_name: The name by which several sessions share the queues.
        name: The scope of the ops.

    Returns:
        The bucket of a batch, and the batch: a tensor for one tensor, or else a list or dict of tensors.

    Raises:
        ValueError: There are no tensors, or a list does not have one element for each bucket.
        TypeError: A tensor is sparse.
    """
    named = sorted(tensors) if isinstance(tensors, Mapping) else None
    flat = [tensors[key] for key in named] if named is not None else list(tensors)
    if not flat:
        raise ValueError("Give at least one tensor to bucket.")
    if any(isinstance(tensor, tf.SparseTensor) for tensor in flat):
        raise TypeError("bucket takes no sparse tensors. Use tf.sparse.to_dense.")
    sizes = list(batch_size) if isinstance(batch_size, (list, tuple)) else [batch_size] * num_buckets
    capacities = [capacity] * num_buckets if bucket_capacities is None else list(bucket_capacities)
    for argument, values in (("batch_size", sizes), ("bucket_capacities", capacities)):
        if len(values) != num_buckets:
            raise ValueError(
                f"{argument} must have one element for each of {num_buckets} buckets; it has {len(values)}."
            )
    with tf.compat.v1.name_scope(name, "bucket", flat):
        flat = [tf.convert_to_tensor(tensor) for tensor in flat]
        dtypes = [tensor.dtype for tensor in flat]
        shapes = [tensor.shape for tensor in flat] if shapes is None else [*map(tf.TensorShape, shapes)]
        which_bucket = tf.convert_to_tensor(which_bucket, tf.int32, name="which_bucket")
        kind = tf.queue.PaddingFIFOQueue if dynamic_pad else tf.queue.FIFOQueue
        buckets = [
            kind(
                capacities[index],
                dtypes,
                shapes,
                shared_name=None if shared_name is None else f"{shared_name}_{index}",
                name=f"bucket_queue_{index}",
            )
            for index in range(num_buckets)
        ]
        is_uniform = not isinstance(batch_size, (list, tuple)) and not allow_smaller_final_batch
        static_size = tf.get_static_value(tf.convert_to_tensor(sizes[0])) if is_uniform else None
        batch_shapes = [tf.TensorShape([static_size]).concatenate(shape) for shape in shapes]
        batches = tf.queue.PaddingFIFOQueue(
            capacity, [tf.int32, *dtypes], [[], *batch_shapes], shared_name=shared_name, name="top_queue"
        )

        def enqueue() -> tf.Operation:
            enqueues = [
                tf.cond(
                    tf.equal(which_bucket, index), functools.partial(_op_as_bool, queue.enqueue, flat), _false
                )
                for index, queue in enumerate(buckets)
            ]
            return tf.group(*enqueues, name="group_enqueues")

        if isinstance(keep_input, bool):
            fill = enqueue() if keep_input else tf.no_op()
        else:
            fill = tf.cond(keep_input, functools.partial(_op_as_bool, enqueue), _false).op
        moves = []
        for index, (queue, size) in enumerate(zip(buckets, sizes, strict=True)):
            dequeue = queue.dequeue_up_to if allow_smaller_final_batch else queue.dequeue_many
            batch = dequeue(size, name=f"read_bucket_{index}")
            batch = list(batch) if isinstance(batch, (list, tuple)) else [batch]
            moves.append(batches.enqueue([tf.constant(index), *batch], name=f"enqueue_from_bucket_{index}"))
        ends = (tf.errors.OutOfRangeError, tf.errors.CancelledError)
        _tf_train.add_queue_runner(
            _tf_train.QueueRunner(
                buckets[0],
                moves,
                close_op=batches.close(),
                cancel_op=batches.close(cancel_pending_enqueues=True),
                queue_closed_exception_types=ends,
            )
        )
        _tf_train.add_queue_runner(
            _tf_train.QueueRunner(
                batches,
                [fill] * num_threads,
                close_op=tf.group(*[queue.close() for queue in buckets]),
                cancel_op=tf.group(*[queue.close(cancel_pending_enqueues=True) for queue in buckets]),
                queue_closed_exception_types=ends,
            )
        )
        waiting = tf.cast(batches.size(), tf.float32)
        for queue in buckets:
            tf.compat.v1.summary.scalar(f"bucket/{queue.name}/size", tf.cast(queue.size(), tf.float32))
        tf.compat.v1.summary.scalar(f"bucket/{batches.name}/fraction_of_{capacity}_full", waiting / capacity)
        which, *batch = batches.dequeue(name="dequeue_top")
        if named is not None:
            return which, dict(zip(named, batch, strict=True))
        return which, batch[0] if len(batch) == 1 else batch


def _op_as_bool(make: Any, *args: Any) -> tf.Tensor:
    """Returns a tensor that is there once an op has run: branches must return tensors."""
    with tf.control_dependencies([make(*args)]):
        return tf.constant(True)


def _false() -> tf.Tensor:
    return tf.constant(False)


def bucket_by_sequence_length(
    input_length: Any,
    tensors: Any,
    batch_size: Any,
    bucket_boundaries: Sequence[int],
    num_threads: int = 1,
    capacity: int = 32,
    bucket_capacities: Sequence[int] | None = None,
    shapes: Sequence[Any] | None = None,
    dynamic_pad: bool = False,
    allow_smaller_final_batch: bool = False,
    keep_input: Any = True,
    shared_name: str | None = None,
    name: str | None = None,
) -> tuple[tf.Tensor, Any]:
    """Batches examples by length; stands for `tf.contrib.training.bucket_by_sequence_length`.

    Args:
        input_length: The length of an example, an integer scalar.
        tensors: See `bucket`, also for what is not documented here.
        batch_size: How many examples make a batch; a list for one number a bucket.
        bucket_boundaries: Increasing lengths. A bucket has the lengths from one, included, to the next; there
            is one bucket more than boundaries.
        num_threads: See `bucket`.
        capacity: See `bucket`.
        bucket_capacities: See `bucket`.
        shapes: See `bucket`; without that of the length.
        dynamic_pad: See `bucket`.
        allow_smaller_final_batch: See `bucket`.
        keep_input: See `bucket`.
        shared_name: See `bucket`.
        name: The scope of the ops.

    Returns:
        The lengths of a batch, `[batch_size]`, and the batch: a list or dict of tensors.

    Raises:
        TypeError: The boundaries are no list of integers.
        ValueError: There are none, or they do not increase. See also `bucket`.
    """
    is_list = isinstance(bucket_boundaries, (list, tuple))
    if not is_list or not all(isinstance(each, int) for each in bucket_boundaries):
        raise TypeError(f"bucket_boundaries must be a list of integers; it is {bucket_boundaries!r}.")
    if not bucket_boundaries:
        raise ValueError("bucket_boundaries must not be empty.")
    if list(bucket_boundaries) != sorted(set(bucket_boundaries)):
        raise ValueError(f"bucket_boundaries must increase; they are {list(bucket_boundaries)}.")
    named = sorted(tensors) if isinstance(tensors, Mapping) else None
    flat = [tensors[key] for key in named] if named is not None else list(tensors)
    with tf.compat.v1.name_scope(name, "bucket_by_sequence_length", [input_length, *flat]):
        input_length = tf.convert_to_tensor(input_length, tf.int32, name="input_length")
        reached = tf.cast(tf.constant(bucket_boundaries, tf.int32) <= input_length, tf.int32)
        _, (lengths, *batch) = bucket(
            [input_length, *flat],
            tf.reduce_sum(reached),
            batch_size,
            len(bucket_boundaries) + 1,
            num_threads,
            capacity,
            bucket_capacities,
            None if shapes is None else [[], *shapes],
            dynamic_pad,
            allow_smaller_final_batch,
            keep_input,
            shared_name,
        )
        return lengths, batch if named is None else dict(zip(named, batch, strict=True))
