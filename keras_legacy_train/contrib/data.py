"""Has the datasets of `tf.contrib.data`, most of which are in `tf.data.experimental` today."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

v1 = tf.compat.v1

Dataset = v1.data.Dataset
FixedLengthRecordDataset = v1.data.FixedLengthRecordDataset
Iterator = v1.data.Iterator
TFRecordDataset = v1.data.TFRecordDataset
TextLineDataset = v1.data.TextLineDataset

AUTOTUNE = v1.data.experimental.AUTOTUNE
Counter = v1.data.experimental.Counter
CsvDataset = v1.data.experimental.CsvDataset
Optional = v1.data.experimental.Optional
RandomDataset = v1.data.experimental.RandomDataset
Reducer = v1.data.experimental.Reducer
SqlDataset = v1.data.experimental.SqlDataset
TFRecordWriter = v1.data.experimental.TFRecordWriter
bucket_by_sequence_length = v1.data.experimental.bucket_by_sequence_length
choose_from_datasets = v1.data.experimental.choose_from_datasets
copy_to_device = v1.data.experimental.copy_to_device
dense_to_sparse_batch = v1.data.experimental.dense_to_sparse_batch
enumerate_dataset = v1.data.experimental.enumerate_dataset
get_next_as_optional = v1.data.experimental.get_next_as_optional
get_single_element = v1.data.experimental.get_single_element
group_by_reducer = v1.data.experimental.group_by_reducer
group_by_window = v1.data.experimental.group_by_window
ignore_errors = v1.data.experimental.ignore_errors
make_batched_features_dataset = v1.data.experimental.make_batched_features_dataset
make_csv_dataset = v1.data.experimental.make_csv_dataset
make_saveable_from_iterator = v1.data.experimental.make_saveable_from_iterator
map_and_batch = v1.data.experimental.map_and_batch
parallel_interleave = v1.data.experimental.parallel_interleave
parse_example_dataset = v1.data.experimental.parse_example_dataset
prefetch_to_device = v1.data.experimental.prefetch_to_device
rejection_resample = v1.data.experimental.rejection_resample
sample_from_datasets = v1.data.experimental.sample_from_datasets
scan = v1.data.experimental.scan
shuffle_and_repeat = v1.data.experimental.shuffle_and_repeat
unbatch = v1.data.experimental.unbatch
unique = v1.data.experimental.unique

__all__ = [
    "AUTOTUNE",
    "Counter",
    "CsvDataset",
    "Dataset",
    "FixedLengthRecordDataset",
    "Iterator",
    "Optional",
    "RandomDataset",
    "Reducer",
    "SqlDataset",
    "TFRecordDataset",
    "TFRecordWriter",
    "TextLineDataset",
    "batch_and_drop_remainder",
    "bucket_by_sequence_length",
    "choose_from_datasets",
    "copy_to_device",
    "dense_to_sparse_batch",
    "enumerate_dataset",
    "get_next_as_optional",
    "get_single_element",
    "group_by_reducer",
    "group_by_window",
    "ignore_errors",
    "make_batched_features_dataset",
    "make_csv_dataset",
    "make_saveable_from_iterator",
    "map_and_batch",
    "padded_batch_and_drop_remainder",
    "parallel_interleave",
    "parse_example_dataset",
    "prefetch_to_device",
    "read_batch_features",
    "reduce_dataset",
    "rejection_resample",
    "sample_from_datasets",
    "scan",
    "shuffle_and_repeat",
    "sliding_window_batch",
    "sloppy_interleave",
    "unbatch",
    "unique",
]

__getattr__ = module_getattr(__name__, __all__)

Transformation = Callable[[Any], Any]
"""A function from a dataset to a dataset, for `Dataset.apply`."""


def batch_and_drop_remainder(batch_size: Any) -> Transformation:
    """Makes batches of one size; stands for `tf.contrib.data.batch_and_drop_remainder`.

    Args:
        batch_size: The size. The last elements that do not fill a batch are dropped.

    Returns:
        A function for `Dataset.apply`.
    """
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def padded_batch_and_drop_remainder(
    batch_size: Any, padded_shapes: Any, padding_values: Any = None
) -> Transformation:
    """Makes padded batches of one size; stands for `tf.contrib.data.padded_batch_and_drop_remainder`.

    Args:
        batch_size: The size. The last elements that do not fill a batch are dropped.
        padded_shapes: The shapes of elements after padding.
        padding_values: What is added; by default 0 or empty strings.

    Returns:
        A function for `Dataset.apply`.
    """
    return lambda dataset: dataset.padded_batch(
        batch_size, padded_shapes, padding_values, drop_remainder=True
    )


def sloppy_interleave(
    map_func: Callable[..., Any], cycle_length: Any, block_length: Any = 1
) -> Transformation:
    """Takes elements of several datasets as they come; stands for `tf.contrib.data.sloppy_interleave`.

    Args:
        map_func: A function from an element to a dataset.
        cycle_length: The number of datasets that are read at the same time.
        block_length: The number of elements taken from one dataset before the next.

    Returns:
        A function for `Dataset.apply`.
    """
    transformation: Transformation = parallel_interleave(map_func, cycle_length, block_length, sloppy=True)
    return transformation


def sliding_window_batch(
    window_size: int, stride: int | None = None, window_shift: int | None = None, window_stride: int = 1
) -> Transformation:
    """Makes batches that overlap; stands for `tf.contrib.data.sliding_window_batch`.

    Args:
        window_size: The size of a batch. Smaller ones at the end are dropped.
        stride: `window_shift` by its older name.
        window_shift: How many elements the next batch begins after this; by default 1.
        window_stride: How many elements lie between two of a batch.

    Returns:
        A function for `Dataset.apply`.

    Raises:
        ValueError: Both `stride` and `window_shift` are given.
    """
    if stride is not None and window_shift is not None:
        raise ValueError("Cannot specify both `stride` and `window_shift`")
    shift = stride or window_shift or 1

    def batch(*windows: Any) -> Any:
        batches = tf.nest.map_structure(
            lambda window: window.batch(window_size, drop_remainder=True),
            windows[0] if len(windows) == 1 else windows,
        )
        return batches if isinstance(batches, tf.data.Dataset) else Dataset.zip(batches)

    return lambda dataset: dataset.window(
        window_size, shift=shift, stride=window_stride, drop_remainder=True
    ).flat_map(batch)


def reduce_dataset(dataset: Any, reducer: Any) -> Any:
    """Returns what a `Reducer` makes of all elements; stands for `tf.contrib.data.reduce_dataset`.

    Args:
        dataset: The dataset.
        reducer: The `Reducer`. Its last function is not called, as in the original.

    Raises:
        TypeError: `dataset` is not a dataset.
    """
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError("`dataset` must be a `tf.data.Dataset` object.")
    return dataset.reduce(reducer.init_func(np.int64(0)), reducer.reduce_func)


def read_batch_features(
    file_pattern: Any,
    batch_size: int,
    features: Any,
    reader: Any = TFRecordDataset,
    reader_args: Any = None,
    randomize_input: bool = True,
    num_epochs: int | None = None,
    capacity: int = 10000,
) -> Any:
    """Returns a batch of the parsed examples of files; stands for `tf.contrib.data.read_batch_features`.

    Args:
        file_pattern: The names of files, or a pattern of them.
        batch_size: The size of the batch.
        features: The features to parse, by name.
        reader: A function or class from names of files to a dataset of serialized examples.
        reader_args: Further arguments for it.
        randomize_input: Whether examples are shuffled.
        num_epochs: How often files are read; by default without end.
        capacity: The size of the buffer from which examples are drawn.
    """
    dataset = make_batched_features_dataset(
        file_pattern,
        batch_size,
        features,
        reader=reader,
        reader_args=reader_args,
        shuffle=randomize_input,
        num_epochs=num_epochs,
        shuffle_buffer_size=capacity,
    )
    return v1.data.make_one_shot_iterator(dataset).get_next()
