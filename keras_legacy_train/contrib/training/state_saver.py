"""Cuts long sequences into segments, and keeps the state of a network from one segment to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import tensorflow as tf

from keras_legacy_train.contrib.training.barriers import Barrier, Permits

_v1 = tf.compat.v1

# A component of the barrier: one of the saver's own, or a tensor of the user by kind and name.
_Component: TypeAlias = str | tuple[str, str]

# Its value does not matter: the tokens in a queue are counted.
_TOKEN = 1

# Where barriers are, and so what goes into them.
_HOST = "/device:CPU:0"


class NextQueuedSequenceBatch:
    """A batch of segments; stands for `tf.contrib.training.NextQueuedSequenceBatch`.

    `SequenceQueueingStateSaver.next_batch` is one. The network must save each of its states by `save_state`,
    as `tf.nn.static_state_saving_rnn` does. The next segments wait for it.

    Args:
        state_saver: Where the segments come from.

    Attributes:
        total_length: How long each sequence is without padding, `[batch]`.
        length: How much of each segment is no padding, `[batch]`.
        batch_size: How many segments there are, a scalar.
        insertion_index: Numbers that increase from sequence to sequence, `[batch]`, int64.
        key: The key of each segment, `[batch]`: `"00000_of_00003:key of the sequence"`.
        next_key: The key of the segment that follows, `[batch]`; after the last `"STOP:key of the sequence"`.
        sequence: The number of each segment in its sequence, `[batch]`.
        sequence_count: How many segments each sequence has, `[batch]`.
        context: What belongs to the whole sequence, by name, `[batch, …]`.
        sequences: The segments, by name, `[batch, num_unroll, …]`.
    """

    def __init__(self, state_saver: SequenceQueueingStateSaver):
        self._saver = state_saver
        count = state_saver._permits.take()
        size = count if state_saver.allow_small_batch else state_saver.batch_size  # which may be known
        with tf.control_dependencies([count]):
            taken = state_saver.barrier.take_many(size, name="BarrierTakeMany")
        components = dict(zip(state_saver._components, taken.components, strict=True))
        self.insertion_index = taken.indices
        self.key = taken.keys
        self.total_length = components["total_length"]
        self.length = components["length"]
        self.next_key = components["next_key"]
        self.sequence = components["sequence"]
        self.sequence_count = components["sequence_count"]
        self.batch_size = tf.size(self.length)
        self.context = _of_kind("context", components)
        self.sequences = _of_kind("sequence", components)
        self._is_last = self.sequence + 1 >= self.sequence_count
        # Whoever uses a state makes room for as many sequences as have come to their end, and permits to take
        # the others again.
        ended = tf.math.count_nonzero(self._is_last, dtype=tf.int32)
        make_room = state_saver._tokens.dequeue_many(ended)
        go_on = state_saver._permits.add(self.batch_size - ended)
        with tf.control_dependencies([make_room, go_on]):
            self._states = {name: tf.identity(state) for name, state in _of_kind("state", components).items()}

    def state(self, state_name: str) -> tf.Tensor:
        """Returns a state as it was saved for the segments, `[batch, …]`; at first the initial state.

        Args:
            state_name: One of the names in `initial_states`.

        Raises:
            KeyError: It is none of them.
        """
        return self._states[state_name]

    def save_state(self, state_name: str, value: Any, name: str | None = None) -> tf.Operation:
        """Returns an op that saves a state for the segments that follow. It must run once for each batch.

        Args:
            state_name: One of the names in `initial_states`.
            value: The state, `[batch, …]`.
            name: The scope of the ops.

        Raises:
            KeyError: It is none of them.
            ValueError: The state has another shape.
        """
        if state_name not in self._states:
            raise KeyError(f"state was not declared: {state_name}")
        with (
            _v1.name_scope(name, "InputQueueingStateSaver_SaveState", [value]),
            tf.device(_HOST),
        ):
            value = tf.convert_to_tensor(value, name=f"convert_{state_name}")
            expected = self._states[state_name]
            if not value.shape.is_compatible_with(expected.shape):
                raise ValueError(
                    f"Shape check failed for {value.name}: it must be {expected.shape}, not {value.shape}"
                )
            message = f"Shape of tensor {value.name} should be that of the state {state_name!r}."
            is_same = _v1.assert_equal(tf.shape(value), tf.shape(expected), message=message)
            with tf.control_dependencies([is_same]):
                value = tf.identity(value, name="shape_checked")
            goes_on = tf.reshape(tf.where(tf.logical_not(self._is_last)), [-1])
            return self._saver.barrier.insert_many(
                self._saver._components["state", state_name],
                tf.gather(self.next_key, goes_on),
                tf.gather(value, goes_on),
                name=f"BarrierInsertState_{state_name}",
            )


def _of_kind(kind: str, components: Mapping[_Component, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns the user's tensors of one kind, by name."""
    return {key[1]: value for key, value in components.items() if isinstance(key, tuple) and key[0] == kind}


class SequenceQueueingStateSaver:
    """Makes batches of segments; stands for `tf.contrib.training.SequenceQueueingStateSaver`.

    `prefetch_op` takes a sequence, cuts it into segments, and adds them. `next_batch` has segments of several
    sequences. A segment comes when the state after the one before it was saved. Queue runners run the op:

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import rnn_cell
    from keras_legacy_train.contrib import training

    with tf.Graph().as_default():
        key = tf.as_string(tf.train.range_input_producer(4, num_epochs=1).dequeue())
        sequences, states = {"x": tf.ones([6, 3])}, {"state": tf.zeros([5])}
        saver = training.SequenceQueueingStateSaver(2, 3, 6, key, sequences, {}, states)
        tf.train.add_queue_runner(tf.train.QueueRunner(saver, [saver.prefetch_op]))
        batch = saver.next_batch
        steps = tf.unstack(batch.sequences["x"], axis=1)
        outputs, _ = tf.nn.static_state_saving_rnn(rnn_cell.GRUCell(5), steps, batch, "state")
    ```

    Args:
        batch_size: How many segments make a batch, an int or an int32 scalar.
        num_unroll: How many time steps make a segment, an int.
        input_length: The length of a sequence without padding, an int32 scalar.
        input_key: A text that no other sequence has, a scalar.
        input_sequences: The tensors of a sequence by name, `[time, …]`. `time` is the same for all, and a
            multiple of `num_unroll`.
        input_context: Tensors that belong to the whole sequence, by name.
        initial_states: The states before a sequence, by name, without the dimension of the batch.
        capacity: How many sequences are there at a time, at most; without it, any number.
        allow_small_batch: Whether batches become smaller at the end of the input.
        name: The scope of the ops.

    Attributes:
        name: The scope of the ops.
        batch_size: The argument.
        num_unroll: The argument.
        allow_small_batch: The argument.
        barrier: Where the segments wait. It has `ready_size()` and `incomplete_size()`.
        prefetch_op: The op that adds a sequence, and waits if there is no room.
        next_batch: A `NextQueuedSequenceBatch`, each time the same.

    Raises:
        TypeError: An argument is no dict, one of its keys is no text, or a tensor has another dtype.
        ValueError: A shape is not known, there is no sequence or no state, a name has a colon, or `capacity`
            is less than `batch_size`.
    """

    def __init__(
        self,
        batch_size: Any,
        num_unroll: int,
        input_length: Any,
        input_key: Any,
        input_sequences: Mapping[str, Any],
        input_context: Mapping[str, Any],
        initial_states: Mapping[str, Any],
        capacity: int | None = None,
        allow_small_batch: bool = False,
        name: str | None = None,
    ):
        if capacity is not None:
            input_key = _check_capacity(capacity, batch_size, input_key)
        self.batch_size = batch_size
        self.num_unroll = num_unroll
        self.allow_small_batch = allow_small_batch
        # A sequence is many elements of the barrier. So tokens count the sequences that are there.
        self._tokens = tf.queue.FIFOQueue(-1 if capacity is None else capacity, [tf.int32], [[]])
        with tf.device(_HOST), _v1.name_scope(name, "InputQueueingStateSaver") as scope:
            self.name = scope
            self._length = _scalar("length", input_length, tf.int32)
            self._key = _scalar("key", input_key, tf.string)
            self._states = _named_tensors("state", initial_states)
            self._context = _named_tensors("context", input_context)
            sequences = _named_tensors("sequence", input_sequences)
            self._padded_length, self._sequences = self._check_lengths(sequences)
            # Ordered as before, so that the outputs of the ops have the names of before.
            types: dict[_Component, tf.DType] = {
                "length": tf.int32,
                "total_length": tf.int32,
                "next_key": tf.string,
                "sequence": tf.int32,
                "sequence_count": tf.int32,
            }
            shapes: dict[_Component, Any] = {key: [] for key in types}
            for key, tensor in self._sequences.items():
                types["sequence", key] = tensor.dtype
                shapes["sequence", key] = [num_unroll, *tensor.shape[1:].as_list()]
            for kind, tensors in (("context", self._context), ("state", self._states)):
                for key, tensor in tensors.items():
                    types[kind, key] = tensor.dtype
                    shapes[kind, key] = tensor.shape
            self._components = {component: index for index, component in enumerate(types)}
            self.barrier = Barrier(list(types.values()), list(shapes.values()))
            self._permits = Permits(batch_size, allow_small_batch)
            self.prefetch_op = self._prefetch()
            self.next_batch = NextQueuedSequenceBatch(self)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> tf.Operation:
        """Returns an op after which no sequence is added. Those that are there go on to their end.

        Args:
            cancel_pending_enqueues: Whether they do not.
            name: The name of the op.
        """
        with _v1.name_scope(name, "SQSSClose") as scope:
            closes = [
                self._tokens.close(cancel_pending_enqueues, "FIFOClose"),
                self._permits.close(cancel_pending_enqueues),
            ]
            if cancel_pending_enqueues:
                closes.append(self.barrier.close(cancel_pending_enqueues, "BarrierClose"))
            return tf.group(*closes, name=scope)

    def _check_lengths(self, sequences: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the length with padding, and the sequences, which fail if it is not the same for all."""
        first = next(iter(sequences.values()))
        padded_length = tf.identity(tf.shape(first)[0], name="padded_length")
        fits = tf.logical_and(tf.equal(padded_length % self.num_unroll, 0), tf.not_equal(padded_length, 0))
        message = [
            f"Tensor {padded_length.name} should be a multiple of: {self.num_unroll}, but saw value:",
            padded_length,
            "Consider setting pad=True.",
        ]
        with tf.control_dependencies([tf.debugging.Assert(fits, message)]):
            padded_length = tf.identity(padded_length, name="multiple_of_checked")
        message = [
            "Input length should be <= than length from sequences:",
            self._length,
            "vs.",
            padded_length,
        ]
        with tf.control_dependencies([tf.debugging.Assert(self._length <= padded_length, message)]):
            self._length = tf.identity(self._length)
        checked = {}
        for key, tensor in sequences.items():
            label = f"sorted_sequences_{key}"
            message = [
                f"Dimension 0 of tensor labeled {label} should be:",
                padded_length,
                "shape received:",
                tf.shape(tensor),
            ]
            is_equal = tf.equal(padded_length, tf.shape(tensor)[0])
            with tf.control_dependencies([tf.debugging.Assert(is_equal, message)]):
                checked[key] = tf.identity(tensor, name=f"dims_checked_{label}")
        return padded_length, checked

    def _prefetch(self) -> tf.Operation:
        """Returns the op that adds the segments of a sequence to the barrier."""
        count = self._padded_length // self.num_unroll
        numbers = tf.range(count)
        places = [tf.strings.as_string(each, width=5, fill="0") for each in (numbers, count)]
        keys = tf.strings.join([places[0], "_of_", places[1], ":", self._key], name="StringJoinCurrentKeys")
        end = tf.strings.join(["STOP:", self._key], name="StringJoinStop")
        segments: dict[_Component, tf.Tensor] = {
            "length": tf.clip_by_value(self._length - self.num_unroll * numbers, 0, self.num_unroll),
            "total_length": tf.fill([count], self._length),
            "next_key": tf.concat([keys[1:], [end]], 0),
            "sequence": numbers,
            "sequence_count": tf.fill([count], count),
        }
        for key, tensor in self._sequences.items():
            segments["sequence", key] = tf.reshape(
                tensor, [count, self.num_unroll, *tensor.shape[1:].as_list()]
            )
        for key, tensor in self._context.items():
            segments["context", key] = tf.broadcast_to(tensor, [count, *tensor.shape.as_list()])
        inserts = {
            component: self.barrier.insert_many(
                self._components[component], keys, values, name=f"BarrierInsert_{_op_name(component)}"
            )
            for component, values in segments.items()
        }
        token = self._tokens.enqueue(_TOKEN)
        # A first segment is complete with its states: when there is room, and after all segments of its
        # sequence, so that these are served before the sequences that come later.
        with tf.control_dependencies([inserts["sequence"], token]):
            states = [
                self.barrier.insert_many(
                    self._components["state", key], keys[:1], [state], name=f"BarrierInitialInsertState_{key}"
                )
                for key, state in self._states.items()
            ]
        with tf.control_dependencies([*inserts.values(), *states]):
            permit = self._permits.add(1)
        return tf.group(permit, name="StateSaverPrefetchGroup")


def _op_name(component: _Component) -> str:
    return component if isinstance(component, str) else "_".join(component)


def _check_capacity(capacity: int, batch_size: Any, input_key: Any) -> Any:
    """Returns the key, which fails if not even one batch has room.

    Raises:
        ValueError: The size of a batch is known, and too large.
    """
    if not tf.is_tensor(batch_size):
        if capacity < batch_size:
            raise ValueError(f"capacity {capacity} needs to be >= batch_size {batch_size}")
        return input_key
    message = "capacity needs to be >= batch_size."
    with tf.control_dependencies([_v1.assert_greater_equal(capacity, batch_size, message=message)]):
        return tf.identity(input_key)


def _scalar(name: str, value: Any, dtype: tf.DType) -> tf.Tensor:
    """Returns a tensor, which fails if it is no scalar.

    Raises:
        TypeError: It has another dtype.
        ValueError: It has another rank.
    """
    tensor = tf.convert_to_tensor(value, name=name)
    if tensor.dtype != dtype:
        raise TypeError(f"{name} dtype must be {dtype.name}, but received: {tensor.dtype}")
    if not tensor.shape.is_compatible_with([]):
        raise ValueError(f"Rank check failed for {tensor.name}: it must be a scalar, not {tensor.shape}")
    return tf.ensure_shape(tensor, [], name="rank_checked")


def _named_tensors(kind: str, values: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Returns tensors by name, in the order of their names.

    Args:
        kind: `"sequence"`, `"context"` or `"state"`.
        values: What the user has given.

    Raises:
        TypeError: They are no dict, or a name is no text.
        ValueError: A name has a colon, a shape is not known, or nothing is there of what must be.
    """
    if not isinstance(values, Mapping):
        argument = {"sequence": "sequences", "state": "initial_states"}.get(kind, kind)
        raise TypeError(f"{argument} must be a dictionary, not {values!r}")
    if kind == "sequence" and not values:
        raise ValueError("must have at least one sequence tensor")
    if kind == "state" and not values:
        raise ValueError("initial_states may not be empty: each segment waits for a state of the one before")
    for name in values:
        if not isinstance(name, str):
            raise TypeError(f"{kind} key must be string: {name}")
        if ":" in name:
            raise ValueError(f"{kind} key may not have a colon: {name!r}")
    tensors = {name: tf.convert_to_tensor(values[name], name=f"{kind}_{name}") for name in sorted(values)}
    for name, tensor in tensors.items():
        shape = tensor.shape[1:] if kind == "sequence" else tensor.shape
        if not shape.is_fully_defined():
            after = " (ignoring first dimension)" if kind == "sequence" else ""
            raise ValueError(f"Shape for {kind} {name} is not fully defined{after}: {tensor.shape}")
    return tensors
