"""Stands for `tf.contrib.learn.io`: examples from files by queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

__all__ = ["read_batch_features"]


def read_batch_features(
    file_pattern: str | Sequence[str],
    batch_size: int,
    features: Mapping[str, Any],
    reader: Callable[[], Any],
    randomize_input: bool = True,
    num_epochs: int | None = None,
    queue_capacity: int = 10000,
    feature_queue_capacity: int = 100,
    reader_num_threads: int = 1,
    num_enqueue_threads: int = 2,
    parse_fn: Callable[[Any], Any] | None = None,
    name: str | None = None,
    read_batch_size: int | None = None,
) -> dict[str, Any]:
    """Adds operations to the graph that read batches of `tf.train.Example`s.

    Stands for `tf.contrib.learn.io.read_batch_features`.

    Args:
        file_pattern: Pattern of the names of the files, or several.
        batch_size: How many examples a batch has; the last one may have fewer if `num_epochs` is set.
        features: What an example has: names with `tf.FixedLenFeature` and the like.
        reader: Makes the reader of a file, `tf.TFRecordReader` for example.
        randomize_input: Whether files and examples come in random order.
        num_epochs: How often the files are read, without end by default. It is counted in a local variable.
        queue_capacity: How many examples wait at most.
        feature_queue_capacity: Ignored: parsed batches do not wait.
        reader_num_threads: How many readers there are.
        num_enqueue_threads: Ignored, as `feature_queue_capacity` is.
        parse_fn: Changes an example before it is put into a batch.
        name: Name of the scope.
        read_batch_size: Ignored: a reader reads one example at a time.

    Returns:
        The tensors of the features, by name.

    Raises:
        ValueError: No file has such a name.
    """
    v1 = tf.compat.v1
    patterns = [file_pattern] if isinstance(file_pattern, str) else list(file_pattern)
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    if not files:
        raise ValueError(f"No files match {file_pattern}.")
    with v1.name_scope(name, "read_batch_features"):
        queue = v1.train.string_input_producer(
            files, num_epochs=num_epochs, shuffle=randomize_input, name="file_name_queue"
        )
        examples = [reader().read(queue)[1] for _ in range(reader_num_threads)]
        rows = [[parse_fn(example) if parse_fn else example] for example in examples]
        options = {"capacity": queue_capacity, "allow_smaller_final_batch": num_epochs is not None}
        if randomize_input:
            # What is left is room for a few batches, so that the queue is filled while one is taken.
            kept = max(queue_capacity - 3 * batch_size, queue_capacity // 2)
            batch = v1.train.shuffle_batch_join(rows, batch_size, min_after_dequeue=kept, **options)
        else:
            batch = v1.train.batch_join(rows, batch_size, **options)
        parsed: dict[str, Any] = v1.parse_example(batch, features)
        return parsed
