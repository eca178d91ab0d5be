"""Feeds arrays, data frames and iterators to a graph, batch by batch."""

from __future__ import annotations

import functools
import itertools
import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.rewriting.inputs import INDEPENDENT

_LOGGER = logging.getLogger("keras_legacy_train")

# How much of arrays is handed to TensorFlow at once, because each time takes Python's while.
_CHUNK_BATCHES = 64
_CHUNK_BYTES = 1 << 20

# An array, or a dict of arrays.
Arrays = Any
# Features, or features and labels.
Batch = tuple[Arrays, ...]


def is_iterator(data: Any) -> bool:
    """Returns whether the data comes one example at a time."""
    return hasattr(data, "__next__")


def make_input_fn(
    x: Any, y: Any = None, batch_size: int | None = None, shuffle: bool = False, epochs: int | None = 1
) -> Callable[[], tuple[Any, Any]]:
    """Returns an `input_fn` over data in memory, or over iterators.

    The batches are those of the original, in its order: each epoch is shuffled by a `RandomState` of NumPy
    that was seeded with 42, and its last batch may be smaller. A vector of features becomes a column, and a
    column of labels a vector.

    Args:
        x: The features: an array, a data frame or a list, a dict of them, or an iterator of single examples.
        y: The labels, in the same form; `None` for none.
        batch_size: Number of examples in a batch; `None` for all, and for iterators one.
        shuffle: Whether each epoch is shuffled; iterators are not.
        epochs: How often the data is gone through; `None` for ever.

    Raises:
        ValueError: Only one of `x` and `y` is an iterator, they differ in length, or a batch is not possible.
    """
    if batch_size is not None and batch_size <= 0:
        raise ValueError(f"Invalid batch_size {batch_size}.")
    if is_iterator(x):
        if y is not None and not is_iterator(y):
            raise ValueError("Both x and y should be iterators for streaming learning to work.")
        feeder: _Feeder = _IteratorFeeder(x, y, batch_size)
    else:
        feeder = _ArrayFeeder(x, y, batch_size, shuffle, epochs)
    return feeder.input_fn


class _Feeder:
    """Makes a graph's inputs of batches.

    Attributes:
        signature: The specs of a batch: of the features, and of the labels if there are any.
    """

    signature: Batch

    def batches(self) -> tf.data.Dataset:
        """Returns the batches, each as a tuple of its arrays."""
        raise NotImplementedError

    def input_fn(self) -> tuple[Any, Any]:
        """Adds the batches to the default graph, and returns features and labels; `None` for no labels."""
        iterator = tf.compat.v1.data.make_initializable_iterator(self.batches())
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
        features, *labels = tf.nest.pack_sequence_as(self.signature, list(iterator.get_next()))
        return features, labels[0] if labels else None


class _ArrayFeeder(_Feeder):
    def __init__(self, x: Any, y: Any, batch_size: int | None, shuffle: bool, epochs: int | None):
        self._data: Batch = (_map(_features, x),) if y is None else (_map(_features, x), _map(_labels, y))
        lengths = {len(array) for array in tf.nest.flatten(self._data)}
        if len(lengths) != 1:
            raise ValueError(f"x and y must have one row per example; they have {sorted(lengths)} rows.")
        (self._length,) = lengths
        if not self._length:
            raise ValueError("x is empty.")
        self._batch_size = min(batch_size or self._length, self._length)
        self._shuffle = shuffle
        self._epochs = epochs
        self.signature = _map(_batch_spec, self._data)

    def batches(self) -> tf.data.Dataset:
        flat, specs = tf.nest.flatten(self._data), tf.nest.flatten(self.signature)
        size = self._batch_size * sum(array[:1].nbytes for array in flat)
        number = min(max(_CHUNK_BYTES // max(size, 1), 1), _CHUNK_BATCHES)
        chunks = _Chunks(self._length, self._batch_size, self._shuffle, self._epochs, number)

        def chunk(number: tf.Tensor) -> tuple[tf.Tensor, ...]:
            arrays: Sequence[tf.Tensor] = tf.numpy_function(
                functools.partial(_rows_of, flat, chunks),
                [number],
                [spec.dtype for spec in specs],
                name=INDEPENDENT,
            )
            for array, spec in zip(arrays, specs, strict=True):
                array.set_shape([None, *spec.shape])
            return tuple(arrays)

        return tf.data.Dataset.range(chunks.count).map(chunk).unbatch()


class _Chunks:
    """Says which rows make the batches. Some batches of one size are a chunk.

    A lap is an epoch. Without end, and where batches fill epochs, it is as many epochs as fill a chunk.

    Args:
        length: The number of rows.
        batch_size: The number of rows in a batch; the last one of an epoch may have fewer.
        shuffle: Whether each epoch is shuffled.
        epochs: How often the rows are gone through; `None` for ever.
        size: The largest number of batches in a chunk.

    Attributes:
        count: The number of chunks.
    """

    def __init__(self, length: int, batch_size: int, shuffle: bool, epochs: int | None, size: int):
        self._length = length
        self._batch_size = batch_size
        self._shuffle = shuffle
        batches, rest = divmod(length, batch_size)
        self._epochs_in_lap = 1 if rest or epochs is not None else max(size // batches, 1)
        batches *= self._epochs_in_lap
        self._rows_in_chunk = size * batch_size
        self._rows_in_chunks = batches * batch_size
        self._chunks_in_lap = math.ceil(batches / size) + bool(rest)
        self.count = np.iinfo(np.int64).max if epochs is None else epochs * self._chunks_in_lap
        self._lock = threading.Lock()
        self._begin()

    def rows(self, number: int) -> np.ndarray:
        """Returns the numbers of the rows of a chunk, `[batches, rows]`. May be called from any thread."""
        lap, chunk = divmod(int(number), self._chunks_in_lap)
        order = self._order_of(lap)
        start = chunk * self._rows_in_chunk
        if start >= self._rows_in_chunks:
            return order[np.newaxis, self._rows_in_chunks :]
        end = min(start + self._rows_in_chunk, self._rows_in_chunks)
        return order[start:end].reshape(-1, self._batch_size)

    def _begin(self) -> None:
        self._random = np.random.RandomState(42)
        self._lap = -1
        self._order = np.arange(0)

    def _order_of(self, lap: int) -> np.ndarray:
        """Returns the rows of a lap in their order. Laps are asked for in turn, or from the first on."""
        with self._lock:
            if lap < self._lap:
                self._begin()
            while self._lap < lap:
                self._order = np.concatenate([self._epoch() for _ in range(self._epochs_in_lap)])
                self._lap += 1
            return self._order

    def _epoch(self) -> np.ndarray:
        return self._random.permutation(self._length) if self._shuffle else np.arange(self._length)


def _rows_of(arrays: Sequence[np.ndarray], chunks: _Chunks, number: int) -> list[np.ndarray]:
    rows = chunks.rows(number)
    return [array[rows] for array in arrays]


class _IteratorFeeder(_Feeder):
    def __init__(self, x: Iterator[Any], y: Iterator[Any] | None, batch_size: int | None):
        examples: Iterable[Batch] = ((row,) for row in x) if y is None else zip(x, y, strict=False)
        self._examples: Iterator[Batch] = map(_example, examples)
        self._batch_size = 1 if batch_size is None else batch_size
        first = next(self._examples, None)
        if first is None:
            raise ValueError("x or y is an iterator without examples.")
        self._examples = itertools.chain([first], self._examples)
        self.signature = _map(_batch_spec, _stack([first]))

    def batches(self) -> tf.data.Dataset:
        flat = tf.nest.flatten(self.signature)
        return tf.data.Dataset.from_generator(
            lambda: (tuple(tf.nest.flatten(chunk)) for chunk in self._chunks()),
            output_signature=tuple(tf.TensorSpec([None, *spec.shape], spec.dtype) for spec in flat),
        ).unbatch()

    def _chunks(self) -> Iterator[Batch]:
        while examples := list(itertools.islice(self._examples, self._batch_size)):
            yield _stack([_stack(examples)])  # no batch is taken from the iterator before it is needed


def _example(example: Batch) -> Batch:
    features, *labels = example
    shaped = _map(lambda value: np.atleast_1d(np.asarray(value)), features)
    return (shaped, *(_map(lambda value: _squeezed(np.asarray(value)[None])[0], label) for label in labels))


def _stack(examples: list[Batch]) -> Batch:
    flat = zip(*map(tf.nest.flatten, examples), strict=True)
    stacked: Batch = tf.nest.pack_sequence_as(examples[0], [np.stack(arrays) for arrays in flat])
    return stacked


def _map(function: Callable[..., Any], data: Any) -> Any:
    """Maps arrays of a batch, of features or of labels; a list is an array here."""
    if isinstance(data, Mapping):
        return {key: _map(function, value) for key, value in data.items()}
    if isinstance(data, tuple):
        return tuple(_map(function, part) for part in data)
    return function(data)


def _features(data: Any) -> np.ndarray:
    array = _as_array("x", data)
    return array[:, np.newaxis] if array.ndim == 1 else array


def _labels(data: Any) -> np.ndarray:
    return _squeezed(_as_array("y", data))


def _squeezed(array: np.ndarray) -> np.ndarray:
    return array[:, 0] if array.ndim > 1 and array.shape[1] == 1 else array


def _as_array(name: str, data: Any) -> np.ndarray:
    """Returns an array, of a data frame or of a list, too.

    Raises:
        ValueError: It has no rows, several columns of labels, or values that are no numbers or strings.
    """
    if hasattr(data, "compute"):  # dask
        data = data.compute()
    is_frame = hasattr(data, "columns")
    array = data.to_numpy() if hasattr(data, "to_numpy") else np.asarray(data)
    if array.ndim == 0:
        raise ValueError(f"{name} must have one row per example; it is {data!r}.")
    if is_frame and name == "y" and array.shape[1] > 1:
        raise ValueError("y: Only one column for labels is allowed.")
    if array.dtype.kind not in ("biuf" if is_frame else "biufcSU") and not _are_strings(array):
        raise ValueError(
            f"{name}: Data types must be int, float, bool or string; the array is of {array.dtype}."
        )
    return array.astype(np.float64) if is_frame and name == "x" and array.dtype != object else array


def _are_strings(array: np.ndarray) -> bool:
    return array.dtype == object and all(isinstance(value, (str, bytes)) for value in array.flat)


def _batch_spec(array: np.ndarray) -> tf.TensorSpec:
    dtype = tf.string if array.dtype.kind in "OSU" else tf.as_dtype(array.dtype)
    if dtype == tf.float64:
        _LOGGER.warning("float64 is not supported by many models, consider casting to float32.")
    return tf.TensorSpec([None, *array.shape[1:]], dtype)
