"""A state saver says what is wrong with its input, and ends when it is told to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train.contrib import training

v1 = tf.compat.v1


def saver(**changed: Any) -> training.SequenceQueueingStateSaver:
    """Returns a state saver of one sequence of six steps, but for what a test changes."""
    arguments: dict[str, Any] = {
        "batch_size": 1,
        "num_unroll": 2,
        "input_length": 5,
        "input_key": "a",
        "input_sequences": {"x": tf.ones([6, 3])},
        "input_context": {"label": tf.constant(7)},
        "initial_states": {"state": tf.zeros([4])},
    }
    return training.SequenceQueueingStateSaver(**{**arguments, **changed})


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"initial_states": [1.0]}, TypeError, "initial_states must be a dictionary"),
        ({"initial_states": {}}, ValueError, "initial_states may not be empty"),
        ({"initial_states": {1: 2.0}}, TypeError, "state key must be string: 1"),
        ({"initial_states": {"a:b": 2.0}}, ValueError, "state key may not have a colon: 'a:b'"),
        ({"input_sequences": [[1.0]]}, TypeError, "sequences must be a dictionary"),
        ({"input_sequences": {}}, ValueError, "must have at least one sequence tensor"),
        ({"input_context": None}, TypeError, "context must be a dictionary"),
        ({"input_length": 5.0}, TypeError, "length dtype must be int32"),
        ({"input_length": [5]}, ValueError, "Rank check failed for .*length"),
        ({"input_key": 1}, TypeError, "key dtype must be string"),
        ({"batch_size": 3, "capacity": 2}, ValueError, "capacity 2 needs to be >= batch_size 3"),
    ],
)
def test_what_cannot_work_is_an_error_at_once(changed: Any, error: type[Exception], message: str) -> None:
    with tf.Graph().as_default(), pytest.raises(error, match=message):
        saver(**changed)


def test_shapes_must_be_known_but_for_time() -> None:
    with tf.Graph().as_default():
        unknown = v1.placeholder(tf.float32, [None, None])
        with pytest.raises(ValueError, match=r"sequence x is not fully defined \(ignoring first dimension\)"):
            saver(input_sequences={"x": unknown})
        with pytest.raises(ValueError, match="context c is not fully defined"):
            saver(input_context={"c": unknown})
        with pytest.raises(ValueError, match="Give input_length, or set pad=True"):
            training.batch_sequences_with_states(
                "a", {"x": unknown}, {}, None, {"state": 0.0}, num_unroll=2, batch_size=1, pad=False
            )
        with pytest.raises(TypeError, match="Unsupported context expected dict, got: None"):
            training.batch_sequences_with_states("a", {"x": unknown}, None, 1, {"state": 0.0}, 2, 1)
        with pytest.raises(ValueError, match=r"num_unroll expected int, got: 2\.5"):
            training.batch_sequences_with_states("a", {"x": unknown}, {}, 1, {"state": 0.0}, 2.5, 1)


def test_lengths_are_checked_when_a_sequence_comes() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        x, y = (v1.placeholder(tf.float32, [None]) for _ in range(2))
        length, key = v1.placeholder(tf.int32, []), v1.placeholder(tf.string, [])
        sequences = {"x": x, "y": y}
        # A key of its own for each: what an insertion that failed has inserted already stays there.
        prefetch = saver(input_sequences=sequences, input_length=length, input_key=key).prefetch_op
        for steps, others, real, message in (
            (3, 3, 3, "should be a multiple of: 2, but saw value"),
            (4, 6, 4, "Dimension 0 of tensor labeled sorted_sequences_y should be"),
            (4, 4, 5, "Input length should be <= than length from sequences"),
        ):
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                session.run(prefetch, {x: np.ones(steps), y: np.ones(others), length: real, key: message})


def test_a_state_passes_from_segment_to_segment() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        sequences = saver()
        batch = sequences.next_batch
        assert sequences.next_batch is batch
        assert batch.sequences["x"].shape.as_list() == [1, 2, 3]
        assert batch.state("state").shape.as_list() == [1, 4]
        save = batch.save_state("state", batch.state("state") + 1.0)
        with pytest.raises(KeyError, match="state was not declared: other"):
            batch.save_state("other", 1.0)
        with pytest.raises(ValueError, match="Shape check failed"):
            batch.save_state("state", tf.zeros([1, 5]))
        session.run(sequences.prefetch_op)
        fetches = [batch.state("state"), batch.length, batch.context["label"], batch.next_key]
        seen = [session.run([fetches, save])[0] for _ in range(3)]
        sizes = [sequences.barrier.ready_size(), sequences.barrier.incomplete_size()]
        assert session.run(sizes) == [0, 0]
    assert [state.tolist() for state, *_ in seen] == [[[0.0] * 4], [[1.0] * 4], [[2.0] * 4]]
    assert [length.tolist() for _, length, *_ in seen] == [[2], [2], [1]]
    assert [label.tolist() for _, _, label, _ in seen] == [[7]] * 3
    assert [key.tolist() for *_, key in seen] == [[b"00001_of_00003:a"], [b"00002_of_00003:a"], [b"STOP:a"]]


def test_a_closed_saver_ends_also_when_it_is_closed_again() -> None:
    in_a_minute = v1.RunOptions(timeout_in_ms=60_000)
    for allow_small_batch in (False, True):
        with tf.Graph().as_default(), v1.Session() as session:
            sequences = saver(allow_small_batch=allow_small_batch)
            session.run(sequences.close())
            for _ in range(2):
                with pytest.raises(tf.errors.OutOfRangeError):
                    session.run(sequences.next_batch.key, options=in_a_minute)
            session.run(sequences.close(cancel_pending_enqueues=True), options=in_a_minute)
            with pytest.raises((tf.errors.OutOfRangeError, tf.errors.CancelledError)):
                session.run(sequences.next_batch.key, options=in_a_minute)
            with pytest.raises(tf.errors.CancelledError, match="already closed"):
                session.run(sequences.close(cancel_pending_enqueues=True), options=in_a_minute)


def test_sequences_that_are_not_done_are_given_up_when_asked_to() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        sequences = saver()
        session.run(sequences.prefetch_op)
        incomplete = sequences.barrier.incomplete_size()
        assert session.run(incomplete) == 2
        session.run(sequences.close(cancel_pending_enqueues=True))
        assert session.run(incomplete) == 0


def test_keys_can_be_made_unique() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        index = v1.train.range_input_producer(2, num_epochs=1, shuffle=False).dequeue()
        states = {"state": tf.zeros([1])}
        batch = training.batch_sequences_with_states(
            "a", {"x": [index]}, {}, None, states, 1, 1, num_threads=1, make_keys_unique=True
        )
        save = batch.save_state("state", batch.state("state"))
        session.run(v1.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = v1.train.start_queue_runners(session, coordinator)
        keys = [session.run([batch.key, save])[0][0] for _ in range(2)]
        coordinator.request_stop()
        coordinator.join(threads, stop_grace_period_secs=10)
    assert len(set(keys)) == 2
    assert all(key.startswith(b"00000_of_00001:a") and key[16:].isdigit() for key in keys)


def test_room_is_needed_for_a_batch_of_a_size_that_comes_late() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        size = v1.placeholder(tf.int32, [])
        prefetch = saver(batch_size=size, capacity=2).prefetch_op
        session.run(prefetch, {size: 2})
        with pytest.raises(tf.errors.InvalidArgumentError, match="capacity needs to be >= batch_size"):
            session.run(prefetch, {size: 3})


def test_the_length_of_sparse_sequences_is_that_of_the_longest() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        index = v1.train.range_input_producer(1, num_epochs=1, shuffle=False).dequeue()
        values = tf.cast(index, tf.float32) + tf.constant([1.0, 2.0, 3.0])
        sequences = {
            "long": tf.SparseTensor([[0, 1], [2, 0], [4, 3]], values, [5, 4]),
            "short": tf.SparseTensor([[1, 0]], values[:1], [3, 2]),
        }
        batch = training.batch_sequences_with_states(
            "a", sequences, {}, None, {"state": tf.zeros([1])}, 2, 1, num_threads=1, allow_small_batch=True
        )
        save = batch.save_state("state", batch.state("state"))
        dense = [tf.sparse.to_dense(batch.sequences[name]) for name in ("long", "short")]
        session.run(v1.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = v1.train.start_queue_runners(session, coordinator)
        seen = [session.run([batch.length, *dense, save])[:3] for _ in range(3)]
        coordinator.request_stop()
        coordinator.join(threads, stop_grace_period_secs=10)
    assert [length.tolist() for length, _, _ in seen] == [[2], [2], [1]]
    long = np.zeros([6, 4])
    long[0, 1], long[2, 0], long[4, 3] = 1.0, 2.0, 3.0
    short = np.zeros([6, 2])
    short[1, 0] = 1.0
    np.testing.assert_array_equal(np.concatenate([each[0] for _, each, _ in seen]), long)
    np.testing.assert_array_equal(np.concatenate([each[0] for _, _, each in seen]), short)
