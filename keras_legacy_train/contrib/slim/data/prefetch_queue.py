"""Computes batches ahead, in a queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

_tf_train = tf.compat.v1.train


def prefetch_queue(
    tensors: Any,
    capacity: int = 8,
    num_threads: int = 1,
    dynamic_pad: bool = False,
    shared_name: str | None = None,
    name: str | None = None,
) -> Any:
    """Returns a queue of batches; stands for `tf.contrib.slim.prefetch_queue.prefetch_queue`.

    ```text
    batches = prefetch_queue([images, labels])
    images, labels = batches.dequeue()
    ```

    Args:
        tensors: What makes a batch: a list or dict of tensors.
        capacity: How many batches wait, at most.
        num_threads: How many threads compute them. With more than one, the order is not determined.
        dynamic_pad: Whether shapes may have dimensions that are not known.
        shared_name: The name by which several sessions share the queue.
        name: The scope of the ops.

    Returns:
        The queue. Its `dequeue` returns what `tensors` was: a tensor, a list or a dict.
    """
    names = sorted(tensors) if isinstance(tensors, Mapping) else None
    flat = list(tensors) if names is None else [tensors[key] for key in names]
    with tf.compat.v1.name_scope(name, "prefetch_queue", flat):
        kind = tf.queue.PaddingFIFOQueue if dynamic_pad else tf.queue.FIFOQueue
        queue = kind(
            capacity,
            [tensor.dtype for tensor in flat],
            [tensor.shape for tensor in flat],
            names=names,
            shared_name=shared_name,
        )
        _tf_train.add_queue_runner(_tf_train.QueueRunner(queue, [queue.enqueue(tensors)] * num_threads))
        fullness = tf.cast(queue.size(), tf.float32) * (1.0 / capacity)
        tf.compat.v1.summary.scalar(f"fraction_of_{capacity}_full", fullness)
        return queue
