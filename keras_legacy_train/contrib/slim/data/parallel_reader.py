"""Reads records by several readers, whose records meet in one queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

_tf_train = tf.compat.v1.train


class ParallelReader(tf.compat.v1.ReaderBase):
    """Reads by several readers into one queue; stands for `tf.contrib.slim.parallel_reader.ParallelReader`.

    Args:
        reader_class: Makes a reader, such as `tf.compat.v1.TFRecordReader`.
        common_queue: The queue of keys and records, two strings.
        num_readers: How many readers there are.
        reader_kwargs: Keyword arguments of the readers.

    Raises:
        TypeError: The queue has other dtypes.
    """

    def __init__(
        self,
        reader_class: Callable[..., Any],
        common_queue: Any,
        num_readers: int = 4,
        reader_kwargs: Mapping[str, Any] | None = None,
    ):
        if list(common_queue.dtypes) != [tf.string, tf.string]:
            raise TypeError(
                f"common_queue.dtypes must be [tf.string, tf.string]; they are {common_queue.dtypes}."
            )
        self._readers = [reader_class(**(reader_kwargs or {})) for _ in range(num_readers)]
        self._common_queue = common_queue

    @property
    def num_readers(self) -> int:
        """Returns how many readers there are."""
        return len(self._readers)

    @property
    def common_queue(self) -> Any:
        """Returns the queue."""
        return self._common_queue

    def read(self, queue: Any, name: str | None = None) -> Any:
        """Returns the key and the content of the next record.

        Args:
            queue: The queue of the names of the files.
            name: The name of the op.
        """
        self._start_readers(queue)
        return self._common_queue.dequeue(name=name)

    def read_up_to(self, queue: Any, num_records: Any, name: str | None = None) -> Any:
        """Returns the keys and the contents of the next records; of fewer where the files end.

        Args:
            queue: The queue of the names of the files.
            num_records: How many.
            name: The name of the op.
        """
        self._start_readers(queue)
        return self._common_queue.dequeue_up_to(num_records, name)

    def _start_readers(self, queue: Any) -> None:
        enqueue_ops = [self._common_queue.enqueue(reader.read(queue)) for reader in self._readers]
        _tf_train.add_queue_runner(_tf_train.QueueRunner(self._common_queue, enqueue_ops))

    def num_records_produced(self, name: str | None = None) -> tf.Tensor:
        """Returns how many records have been read.

        Args:
            name: The name of the op.
        """
        return tf.add_n([reader.num_records_produced() for reader in self._readers], name=name)

    def num_work_units_completed(self, name: str | None = None) -> tf.Tensor:
        """Returns how many files have been read to the end.

        Args:
            name: The name of the op.
        """
        return tf.add_n([reader.num_work_units_completed() for reader in self._readers], name=name)


def parallel_read(
    data_sources: Any,
    reader_class: Callable[..., Any],
    num_epochs: int | None = None,
    num_readers: int = 4,
    reader_kwargs: Mapping[str, Any] | None = None,
    shuffle: bool = True,
    dtypes: Sequence[tf.DType] | None = None,
    capacity: int = 256,
    min_after_dequeue: int = 128,
    seed: int | None = None,
    scope: str | None = None,
) -> Any:
    """Reads records by several readers; stands for `tf.contrib.slim.parallel_reader.parallel_read`.

    Args:
        data_sources: The files: a path, a pattern, or a list of them.
        reader_class: Makes a reader, such as `tf.compat.v1.TFRecordReader`.
        num_epochs: How often each file is read; `None` for no limit.
        num_readers: How many readers there are.
        reader_kwargs: Keyword arguments of the readers.
        shuffle: Whether files and records are shuffled.
        dtypes: The dtypes of the key and the record, two strings.
        capacity: How many records wait, at most.
        min_after_dequeue: How many records wait, at least, if they are shuffled.
        seed: The seed of the shuffle.
        scope: The scope of the ops.

    Returns:
        The key and the content of the next record.

    Raises:
        ValueError: There are no files.
    """
    data_files = get_data_files(data_sources)
    with tf.compat.v1.name_scope(scope, "parallel_read"):
        filenames = _tf_train.string_input_producer(
            data_files, num_epochs=num_epochs, shuffle=shuffle, seed=seed, name="filenames"
        )
        dtypes = dtypes or [tf.string, tf.string]
        if shuffle:
            common_queue = tf.queue.RandomShuffleQueue(
                capacity, min_after_dequeue, dtypes, seed=seed, name="common_queue"
            )
        else:
            common_queue = tf.queue.FIFOQueue(capacity, dtypes, name="common_queue")
        fullness = tf.cast(common_queue.size(), tf.float32) * (1.0 / capacity)
        tf.compat.v1.summary.scalar(f"fraction_of_{capacity}_full", fullness)
        return ParallelReader(reader_class, common_queue, num_readers, reader_kwargs).read(filenames)


def single_pass_read(
    data_sources: Any,
    reader_class: Callable[..., Any],
    reader_kwargs: Mapping[str, Any] | None = None,
    scope: str | None = None,
) -> Any:
    """Reads each record once, in their order; stands for `tf.contrib.slim.parallel_reader.single_pass_read`.

    Args:
        data_sources: The files: a path, a pattern, or a list of them.
        reader_class: Makes a reader, such as `tf.compat.v1.TFRecordReader`.
        reader_kwargs: Keyword arguments of the reader.
        scope: The scope of the ops.

    Returns:
        The key and the content of the next record.

    Raises:
        ValueError: There are no files.
    """
    data_files = get_data_files(data_sources)
    with tf.compat.v1.name_scope(scope, "single_pass_read"):
        filenames = _tf_train.string_input_producer(
            data_files, num_epochs=1, shuffle=False, capacity=1, name="filenames"
        )
        return reader_class(**(reader_kwargs or {})).read(filenames)


def get_data_files(data_sources: Any) -> list[str]:
    """Returns the files of paths and patterns; stands for `tf.contrib.slim.parallel_reader.get_data_files`.

    Args:
        data_sources: A path, a pattern, or a list of them.

    Raises:
        ValueError: There are none.
    """
    if isinstance(data_sources, (list, tuple)):
        data_files = [file for source in data_sources for file in get_data_files(source)]
    elif any(each in data_sources for each in "*?["):
        data_files = tf.io.gfile.glob(data_sources)
    else:
        data_files = [data_sources]
    if not data_files:
        raise ValueError(f"No data files found in {data_sources}")
    return data_files
