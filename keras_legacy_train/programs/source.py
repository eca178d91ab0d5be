"""Gives steps their batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import tensorflow as tf


class Source(Protocol):
    """Gives each step its batch."""

    def batch_spec(self) -> Any:
        """Returns the specification of a batch."""

    def inputs(self) -> tuple[Any, ...] | None:
        """Returns what a window reads its batches from: an iterator, or nothing where a step needs no batch.

        `None` if batches come from Python, where no window can get them.
        """

    def begin_epoch(self) -> None:
        """Begins an epoch."""

    def next_batch(self) -> Any:
        """Returns the next batch.

        Raises:
            StopIteration: There is none.
        """

    def gave(self, batches: int) -> None:
        """Is told how many batches a window has read."""

    def ended(self) -> None:
        """Is told that a window has found the iterator at its end."""

    def close(self) -> None:
        """Is told that no more batches are wanted."""


def _nothing() -> None:
    pass


class DatasetSource:
    """Gives the batches of a dataset, once for each epoch or on and on.

    Args:
        dataset: A `tf.data.Dataset`, or a distributed one.
        continues: Whether a new epoch goes on where the last one stopped, until the dataset has ended.
        length: The number of batches in a pass, if that is known.
        unread_iterators: How many iterators are made, and not read, after each whole pass.
        on_begin: Called before the dataset is read from its beginning.
        on_end: Called when that reading is over.
    """

    def __init__(
        self,
        dataset: Any,
        continues: bool = False,
        length: int | None = None,
        unread_iterators: int = 0,
        on_begin: Callable[[], None] = _nothing,
        on_end: Callable[[], None] = _nothing,
    ):
        self._dataset = dataset
        self._continues = continues
        self._length = length
        self._unread_iterators = unread_iterators
        self._on_begin = on_begin
        self._on_end = on_end
        self._iterator: Any = None
        self._ending: list[threading.Thread] = []
        self._passes = 0
        self._batches_read = 0
        self._was_read = False
        self._at_end = False

    def batch_spec(self) -> Any:
        return self._dataset.element_spec

    @property
    def reading(self) -> tuple[int, bool, int]:
        """Returns how often reading was begun, whether it has ended, and how many batches it has given."""
        return self._passes, self._at_end, self._batches_read

    def iterator_in(self, passes: int, at_end: bool, batches_read: int) -> Any:
        """Returns the iterator, which is to be set to where an earlier run stopped reading.

        A dataset that shuffles draws another order for each iterator. TensorFlow saves how many it has drawn,
        but not where all rows have left the shuffle buffer. So as many are drawn here as by the earlier run,
        the last of them when the position is restored.

        Args:
            passes: How often that run has begun to read, 1 or more.
            at_end: Whether it has come to an end.
            batches_read: How many batches its last reading has given.
        """
        (iterator,) = self.inputs()
        drawn = 1 + (passes - 1) * (1 + self._unread_iterators)
        for _ in range(drawn - 2):
            iter(self._dataset)
        self._passes, self._at_end, self._batches_read = passes, at_end, batches_read
        return iterator

    @property
    def iterator(self) -> Any:
        """Returns the current iterator; makes it when it is first asked for."""
        if self._iterator is None:
            self._on_begin()
            self._iterator = iter(self._dataset)
            self._was_read = self._at_end = False
            self._batches_read = 0
        return self._iterator

    @property
    def is_finite(self) -> bool:
        """Returns whether a pass is known to end."""
        return not self._continues or self._length is not None

    def make_iterator(self) -> Any:
        """Returns another iterator, from the beginning of the dataset."""
        return iter(self._dataset)

    def inputs(self) -> tuple[Any]:
        iterator = self.iterator
        if not self._was_read:
            self._was_read = True
            self._passes += 1
        return (iterator,)

    def begin_epoch(self) -> None:
        if self._at_end or (self._was_read and not self._continues):
            self._end_pass()

    def next_batch(self) -> Any:
        try:
            batch = next(*self.inputs())
        except StopIteration:
            self.ended()
            raise
        self.gave(1)
        return batch

    def gave(self, batches: int) -> None:
        self._batches_read += batches
        if self._batches_read == self._length:
            self.ended()

    def ended(self) -> None:
        self._at_end = True

    def close(self) -> None:
        self._end_pass()
        while self._ending:
            self._ending.pop().join()

    def _end_pass(self) -> None:
        if self._iterator is None:
            return
        held, self._iterator = [self._iterator], None
        if self._at_end:
            for _ in range(self._unread_iterators):
                iter(self._dataset)
            # Whoever destroys an iterator waits for the thread that tunes it. That one often does not hear
            # that it is to end, and sleeps for as long as it has lived.
            thread = threading.Thread(target=held.clear)
            thread.start()
            self._ending = [thread, *(each for each in self._ending if each.is_alive())]
        else:
            held.clear()
        self._on_end()


class FunctionSource:
    """Gives what a function returns before each step: arrays, or tuples or dicts of them.

    Args:
        feed_fn: The function.
    """

    def __init__(self, feed_fn: Callable[[], Any]):
        self._feed_fn = feed_fn
        self._first: list[Any] = []

    def batch_spec(self) -> Any:
        """Calls the function; what it returns is the batch of the first step."""
        self._first = [_as_tensors(self._feed_fn())]
        return tf.nest.map_structure(tf.type_spec_from_value, self._first[0])

    def inputs(self) -> None:
        return None

    def begin_epoch(self) -> None:
        pass

    def next_batch(self) -> Any:
        return self._first.pop() if self._first else _as_tensors(self._feed_fn())

    def gave(self, batches: int) -> None:
        pass

    def ended(self) -> None:
        raise AssertionError("no window reads it")

    def close(self) -> None:
        pass


class NoSource:
    """For a step that needs no batch; its batch is `()`."""

    def batch_spec(self) -> tuple[()]:
        return ()

    def inputs(self) -> tuple[()]:
        return ()

    def begin_epoch(self) -> None:
        pass

    def next_batch(self) -> tuple[()]:
        return ()

    def gave(self, batches: int) -> None:
        pass

    def ended(self) -> None:
        raise AssertionError("there is nothing that could end")

    def close(self) -> None:
        pass


def _as_tensors(batch: Any) -> Any:
    # As Python numbers and NumPy arrays they would be traced anew.
    if isinstance(batch, tuple):
        parts = map(_as_tensors, batch)
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    if isinstance(batch, Mapping):
        return {key: _as_tensors(each) for key, each in batch.items()}
    if batch is None:
        raise ValueError(
            "feed_fn must return a batch: an array, or a tuple or dict of arrays. It returned None, or one"
            " with a None in it."
        )
    is_composite = isinstance(batch, (tf.SparseTensor, tf.RaggedTensor))
    return batch if is_composite else tf.convert_to_tensor(batch)
