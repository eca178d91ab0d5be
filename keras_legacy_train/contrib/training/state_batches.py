"""Makes batches of segments from sequences that come one at a time."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.training.state_saver import (
    NextQueuedSequenceBatch,
    SequenceQueueingStateSaver,
)

_v1 = tf.compat.v1


def batch_sequences_with_states(
    input_key: Any,
    input_sequences: Mapping[str, Any],
    input_context: Mapping[str, Any],
    input_length: Any,
    initial_states: Mapping[str, Any],
    num_unroll: int,
    batch_size: Any,
    num_threads: int = 3,
    capacity: int = 1000,
    allow_small_batch: bool = True,
    pad: bool = True,
    make_keys_unique: bool = False,
    make_keys_unique_seed: int | None = None,
    name: str | None = None,
) -> NextQueuedSequenceBatch:
    """Batches segments of long sequences; stands for `tf.contrib.training.batch_sequences_with_states`.

    A network that saves its states sees each sequence segment by segment. Queue runners add the sequences.

    Args:
        input_key: A text that no other sequence has, a scalar.
        input_sequences: The tensors of a sequence by name, `[time, …]`, dense or sparse.
        input_context: Tensors that belong to the whole sequence by name, dense or sparse.
        input_length: The length of the sequence without padding, an int32 scalar; by default `time`.
        initial_states: The states before a sequence, by name, without the dimension of the batch.
        num_unroll: How many time steps make a segment, an int.
        batch_size: How many segments make a batch, an int or an int32 scalar.
        num_threads: Threads that add sequences. With more than one, the order is not determined.
        capacity: How many sequences are there at a time, at most.
        allow_small_batch: Whether batches become smaller at the end of the input.
        pad: Whether zeros make `time` a multiple of `num_unroll`. Without it, `input_length` must be given.
        make_keys_unique: Whether a random number is added to each key.
        make_keys_unique_seed: The seed of the random numbers.
        name: The scope of the ops.

    Returns:
        The batch. Its tensors wait for segments, and for the states of the segments before.

    Raises:
        TypeError: An argument is no dict, one of its keys is no text, or a tensor has another dtype.
        ValueError: `num_unroll` is no int, a shape is not known, or `input_length` is missing. See also
            `SequenceQueueingStateSaver`.
    """
    if not isinstance(num_unroll, numbers.Integral):
        raise ValueError(f"Unsupported num_unroll expected int, got: {num_unroll}")
    for argument, values in (("sequences", input_sequences), ("context", input_context)):
        if not isinstance(values, Mapping):
            raise TypeError(f"Unsupported {argument} expected dict, got: {values}")
    if input_length is None and not pad:
        raise ValueError("Give input_length, or set pad=True.")
    with _v1.name_scope(name, "batch_sequences_with_states"):
        sequences = {key: _as_tensor(value) for key, value in input_sequences.items()}
        context = {key: _as_tensor(value) for key, value in input_context.items()}
        if pad and sequences:
            length, sequences = _padded(sequences, num_unroll)
            input_length = length if input_length is None else input_length
        if make_keys_unique:
            number = tf.random.uniform([], maxval=100_000_000, dtype=tf.int32, seed=make_keys_unique_seed)
            input_key = tf.strings.join([input_key, tf.strings.as_string(number)])
        saver = SequenceQueueingStateSaver(
            batch_size,
            num_unroll,
            input_length,
            input_key,
            # Sparse tensors pass through the barrier as texts, three for each step of a sequence.
            {key: _dense(value, tf.io.serialize_many_sparse) for key, value in sequences.items()},
            {key: _dense(value, tf.io.serialize_sparse) for key, value in context.items()},
            initial_states,
            capacity,
            allow_small_batch,
        )
        ready = tf.cast(saver.barrier.ready_size(), tf.float32)
        _v1.summary.scalar(f"queue/{saver.barrier.name}/ready_segment_batches_", ready)
        _v1.train.add_queue_runner(
            _v1.train.QueueRunner(
                saver,
                [saver.prefetch_op] * num_threads,
                queue_closed_exception_types=(tf.errors.OutOfRangeError, tf.errors.CancelledError),
            )
        )
        batch = saver.next_batch
        for key, value in sequences.items():
            if isinstance(value, tf.SparseTensor):
                texts = tf.reshape(batch.sequences[key], [-1, 3])
                steps = tf.io.deserialize_many_sparse(texts, value.dtype)
                segments = [tf.cast(batch.batch_size, tf.int64), num_unroll]
                batch.sequences[key] = tf.sparse.reshape(
                    steps, tf.concat([segments, steps.dense_shape[1:]], 0)
                )
        for key, value in context.items():
            if isinstance(value, tf.SparseTensor):
                batch.context[key] = tf.io.deserialize_many_sparse(batch.context[key], value.dtype)
        return batch


def _as_tensor(value: Any) -> tf.Tensor | tf.SparseTensor:
    if isinstance(value, (tf.SparseTensor, _v1.SparseTensorValue)):
        return tf.SparseTensor.from_value(value)
    return tf.convert_to_tensor(value)


def _dense(value: tf.Tensor | tf.SparseTensor, serialize: Any) -> tf.Tensor:
    return serialize(value) if isinstance(value, tf.SparseTensor) else value


def _padded(
    sequences: Mapping[str, tf.Tensor | tf.SparseTensor], num_unroll: int
) -> tuple[tf.Tensor, dict[str, tf.Tensor | tf.SparseTensor]]:
    """Returns the length of a sequence, and its tensors with zeros behind them, up to a whole segment."""
    dense = [value for _, value in sorted(sequences.items()) if not isinstance(value, tf.SparseTensor)]
    if dense:
        length, *others = (tf.shape(value)[0] for value in dense)
        message = "All sequence lengths must match"
        same = [_v1.assert_equal(other, length, message=message) for other in others]
        with tf.control_dependencies(same):
            length = tf.identity(length)
    else:
        length = tf.reduce_max([tf.cast(value.dense_shape[0], tf.int32) for value in sequences.values()])
    missing = -length % num_unroll
    padded = {}
    for key, value in sequences.items():
        if isinstance(value, tf.SparseTensor):
            shape = tf.concat([[tf.cast(length + missing, tf.int64)], value.dense_shape[1:]], 0)
            padded[key] = tf.SparseTensor(value.indices, value.values, shape)
        else:
            shape = tf.concat([[missing], tf.shape(value)[1:]], 0)
            padded[key] = tf.concat([value, tf.zeros(shape, value.dtype)], 0)
    return length, padded
