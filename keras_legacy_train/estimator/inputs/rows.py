"""Reads the rows of arrays in batches, by an iterator whose position can be saved.

The dataset yields numbers of rows, and the arrays as they are. The step takes the rows from them. So no row
is copied before it is needed, and what a checkpoint holds of a shuffled input is numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.estimator import log

# Numbers of rows to shuffle at once, even if `queue_capacity` is smaller.
_SHUFFLE_BUFFER = 100_000


@dataclasses.dataclass(frozen=True)
class Reading:
    """Says how rows are read.

    Attributes:
        batch_size: Rows in a batch. The last one has fewer if the rows end there; a batch may hold the end of
            one epoch and the start of the next.
        num_epochs: How often each row is read; `None` for endlessly.
        shuffle_buffer: How many rows are shuffled at once; `None` for reading them in order.
    """

    batch_size: int
    num_epochs: int | None
    shuffle_buffer: int | None

    @classmethod
    def checked(
        cls, batch_size: Any, num_epochs: Any, shuffle: Any, queue_capacity: Any, num_threads: Any
    ) -> Reading:
        """Returns what the arguments of an input function say; see `numpy_input_fn`.

        Raises:
            ValueError: An argument is invalid.
        """
        if not isinstance(shuffle, bool):
            raise ValueError(
                "shuffle must be provided and explicitly set as boolean (it is recommended to set it as True"
                f" for training); got {shuffle}"
            )
        epochs = None if num_epochs is None else arguments.as_count("num_epochs", num_epochs)
        threads = arguments.as_positive("num_threads", num_threads)
        capacity = arguments.as_optional_positive("queue_capacity", queue_capacity)
        if epochs is not None and threads > 1:
            log.warning(
                "num_epochs is applied per thread: num_epochs=%s and num_threads=%s are %s epochs.",
                epochs,
                threads,
                epochs * threads,
            )
            epochs *= threads
        return cls(
            arguments.as_positive("batch_size", batch_size),
            epochs,
            max(capacity or 0, _SHUFFLE_BUFFER) if shuffle else None,
        )


def read(
    columns: Mapping[Any, np.ndarray], reading: Reading, structure: Callable[[dict[Any, tf.Tensor]], Any]
) -> Any:
    """Returns the next batch of rows; under eager execution a dataset of all batches.

    Args:
        columns: Arrays by name, at least one, all with the same number of rows.
        reading: How they are read.
        structure: Takes the tensors of a batch by the names of the columns. Returns features and labels.

    Raises:
        ValueError: There are no rows, or a column holds something other than numbers and strings.
    """
    num_rows = len(next(iter(columns.values())))
    if num_rows == 0:
        raise ValueError("x must have rows to read; it has none.")
    rows = tf.data.Dataset.range(num_rows)
    if reading.shuffle_buffer is not None:
        rows = rows.shuffle(min(num_rows, reading.shuffle_buffer))
    # The batches of an endless input are all of one size, which is in their static shape.
    rows = rows.repeat(reading.num_epochs).batch(
        reading.batch_size, drop_remainder=reading.num_epochs is None
    )
    dataset = tf.data.Dataset.zip((rows, tf.data.Dataset.from_tensors(_hold(columns)).repeat()))
    options = tf.data.Options()
    # There is nothing to prefetch: waking another thread takes longer than the next numbers do.
    options.experimental_optimization.inject_prefetch = False
    options.autotune.enabled = False
    dataset = dataset.with_options(options)

    def batch(rows: tf.Tensor, arrays: tuple[tf.Tensor, ...]) -> Any:
        with tf.device("/device:CPU:0"):
            taken = [tf.gather(array, rows) for array in arrays]
        return structure(dict(zip(columns, taken, strict=True)))

    if tf.executing_eagerly():
        return dataset.map(batch)
    return batch(*tf.compat.v1.data.make_one_shot_iterator(dataset).get_next())


def _hold(columns: Mapping[Any, np.ndarray]) -> tuple[tf.Tensor, ...]:
    """Returns tensors of the columns, which are fetched when the iterator is made.

    As constants they would be in the graph, and so in all files that it is written to.
    """
    dtypes = [_dtype(name, array) for name, array in columns.items()]
    arrays = list(columns.values())
    tensors = tf.numpy_function(lambda: arrays, [], dtypes, stateful=False)
    for tensor, array in zip(tensors, arrays, strict=True):
        tensor.set_shape(array.shape)
    return tuple(tensors)


def _dtype(name: Any, array: np.ndarray) -> tf.DType:
    if array.dtype == object:
        for value in array.flat:
            if not isinstance(value, (str, bytes)):
                raise ValueError(f"{name!r} must hold numbers or strings, all of one kind; it has {value!r}.")
    try:
        return tf.as_dtype(array.dtype)
    except TypeError as error:
        raise ValueError(f"{name!r} must hold numbers or strings; it has {array.dtype}.") from error
