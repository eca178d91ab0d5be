"""Feeds arrays, data frames and iterators to a graph, batch by batch."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

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

    def chunks(self) -> Iterator[Batch]:
        """Returns an iterator of batches of one size, stacked; it goes on where the one before was left."""
        raise NotImplementedError

    def input_fn(self) -> tuple[Any, Any]:
        """Adds the batches to the default graph, and returns features and labels; `None` for no labels."""
        flat = tf.nest.flatten(self.signature)
        dataset = tf.data.Dataset.from_generator(
            lambda: (tuple(tf.nest.flatten(chunk)) for chunk in self.chunks()),
            output_signature=tuple(tf.TensorSpec([None, *spec.shape], spec.dtype) for spec in flat),
        )
        iterator = tf.compat.v1.data.make_initializable_iterator(dataset.unbatch())
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
        self._batch_size = self._length if batch_size is None else batch_size
        self._shuffle = shuffle
        self._epochs = epochs
        self.signature = _map(_batch_spec, self._data)

    def chunks(self) -> Iterator[Batch]:
        size = self._batch_size * sum(array[:1].nbytes for array in tf.nest.flatten(self._data))
        number = min(max(_CHUNK_BYTES // max(size, 1), 1), _CHUNK_BATCHES)
        batches = self._rows()
        while chunk := list(itertools.islice(batches, number)):
            for _, equal in itertools.groupby(chunk, len):
                rows = np.stack(list(equal))
                yield _map(lambda array, rows=rows: array[rows], self._data)

    def _rows(self) -> Iterator[np.ndarray]:
        """Yields the numbers of the rows of each batch."""
        random = np.random.RandomState(42)
        for _ in itertools.count() if self._epochs is None else range(self._epochs):
            order = random.permutation(self._length) if self._shuffle else np.arange(self._length)
            for start in range(0, self._length, self._batch_size):
                yield order[start : start + self._batch_size]


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

    def chunks(self) -> Iterator[Batch]:
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
