"""The names of `contrib.rnn` and `crf`: which are here, what runs them, and what they refuse."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import Silent
from keras_legacy_train import rnn_cell, train
from keras_legacy_train.contrib import crf, rnn
from keras_legacy_train.contrib.rnn import core_rnn_cell

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def test_the_cells_of_nn_are_the_same_classes() -> None:
    assert all(getattr(rnn, name) is getattr(rnn_cell, name) for name in rnn_cell.__all__ if name[0] != "_")
    assert core_rnn_cell.BasicLSTMCell is rnn.BasicLSTMCell
    assert core_rnn_cell._linear is rnn_cell._linear


def test_a_name_that_is_not_here_says_what_to_use() -> None:
    with pytest.raises(AttributeError, match=r"tf\.contrib\.rnn\.GridLSTMCell .* Use"):
        _ = rnn.GridLSTMCell
    with pytest.raises(AttributeError, match="Did you mean 'GRUBlockCell'"):
        _ = core_rnn_cell.GRUBlokCell


def test_linear_has_variables_of_the_scope() -> None:
    with v1.variable_scope("gate", partitioner=v1.fixed_size_partitioner(2)):
        result = rnn_cell._linear([tf.ones([2, 3]), tf.ones([2, 1])], 5, True, v1.ones_initializer())
    with v1.variable_scope("gate", reuse=True):
        once_more = core_rnn_cell._Linear(tf.ones([2, 4]), 5, False)
    assert [each.shape.as_list() for each in (result, once_more(tf.ones([1, 4])))] == [[2, 5], [1, 5]]
    names = [variable.op.name for variable in v1.global_variables()]
    assert names == ["gate/kernel/part_0", "gate/kernel/part_1", "gate/bias"]


def test_linear_takes_a_start_of_the_bias_and_a_scope_as_before() -> None:
    ones = tf.ones([2, 3])
    rnn_cell._linear([ones], 1, True, 0.5, "by_place")
    rnn_cell._linear(ones, 1, True, bias_start=0.5, scope="by_name")
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        found = {variable.op.name: session.run(variable) for variable in v1.global_variables()}
    assert sorted(found) == ["by_name/bias", "by_name/kernel", "by_place/bias", "by_place/kernel"]
    assert found["by_name/bias"] == found["by_place/bias"] == 0.5


def test_a_cell_that_occurs_twice_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rnn.MultiRNNCell([rnn.GRUCell(3), rnn.GRUCell(3)])
        assert caplog.text == ""
        rnn.MultiRNNCell([rnn.GRUCell(3)] * 2)
    assert "its weights are shared" in caplog.text


def test_the_input_size_of_old_scripts_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        cell = rnn.BasicLSTMCell(3, forget_bias=0.0, state_is_tuple=False, input_size=7)
    assert "input_size parameter is deprecated" in caplog.text
    assert cell.state_size == 6


def test_networks_of_tensorflow_run_cells() -> None:
    cell = rnn.LSTMBlockCell(3)
    x = tf.ones([4, 2, 5])
    array = tf.TensorArray(tf.float32, 4).unstack(x)

    def loop(time: Any, output: Any, state: Any, _: Any) -> Any:
        finished = time >= 4
        given = tf.cond(finished, lambda: tf.zeros([2, 5]), lambda: array.read(time))
        given.set_shape([2, 5])
        return finished, given, cell.zero_state(2, tf.float32) if output is None else state, output, None

    raw, state, _ = v1.nn.raw_rnn(cell, loop)

    class Saved:
        def state(self, name: str) -> Any:
            return tf.ones([2, 3])

        def save_state(self, name: str, value: Any) -> Any:
            return tf.no_op(f"save_{name}")

    outputs, _ = rnn.static_state_saving_rnn(
        rnn.GRUBlockCell(3), tf.unstack(x), Saved(), "gru", scope="saving"
    )
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        stacked, last, saving = session.run([raw.stack(), state.h, outputs[-1]])
    np.testing.assert_array_equal(stacked[-1], last)
    assert saving.shape == (2, 3)


def test_batch_and_time_are_swapped_and_told() -> None:
    known, unknown = tf.zeros([2, 3, 4]), v1.placeholder(tf.float32, None)
    assert rnn.transpose_batch_time(known).shape.as_list() == [3, 2, 4]
    vector = tf.zeros([2])
    assert rnn.transpose_batch_time(vector) is vector
    assert rnn.best_effort_input_batch_size([unknown, known]) == 3
    with pytest.raises(ValueError, match="rank at least 2"):
        rnn.best_effort_input_batch_size([vector])
    with v1.Session() as session:
        feed = {unknown: np.zeros([2, 3, 4])}
        swapped, batch = session.run(
            [rnn.transpose_batch_time(unknown), rnn.best_effort_input_batch_size([unknown])], feed
        )
    assert (swapped.shape, batch) == ((3, 2, 4), 3)


def test_steps_in_a_list_are_those_of_a_tensor() -> None:
    steps = [tf.constant(np.sin(np.arange(6.0) + step).reshape(3, 2), tf.float32) for step in range(4)]
    outputs = []
    for make in (
        lambda: rnn.LSTMBlockFusedCell(2),
        lambda: rnn.TimeReversedFusedRNN(rnn.LSTMBlockFusedCell(2)),
        lambda: rnn.TimeReversedFusedRNN(rnn.FusedRNNCellAdaptor(rnn.GRUCell(2))),
    ):
        for inputs in (steps, tf.stack(steps)):
            # The cells of a list and of a tensor have the same values.
            with v1.variable_scope(None, "cell", initializer=v1.constant_initializer(0.3)):
                output, state = make()(inputs, dtype=tf.float32)
            assert isinstance(output, list) == isinstance(inputs, list)
            outputs.append([tf.stack(output), state])
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        seen = session.run(outputs)
    for listed, stacked in zip(seen[::2], seen[1::2], strict=True):
        np.testing.assert_allclose(listed[0], stacked[0], 1e-6)
        np.testing.assert_allclose(listed[1], stacked[1], 1e-6)


def called(cell: Any, size: int | None = 2) -> Any:
    return cell(v1.placeholder(tf.float32, [1, size]), cell.zero_state(1, tf.float32))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: rnn.EmbeddingWrapper(rnn.GRUCell(2), 0, 3), ValueError, "must be > 0"),
        (lambda: rnn.InputProjectionWrapper(3, 2), TypeError, "is not an RNNCell"),
        (lambda: rnn.OutputProjectionWrapper(rnn.GRUCell(2), 0), ValueError, "must be > 0"),
        (lambda: rnn.AttentionCellWrapper(rnn.GRUCell(2), 0), ValueError, "greater than zero"),
        (
            lambda: rnn.AttentionCellWrapper(rnn.LSTMCell(2), 2, state_is_tuple=False),
            ValueError,
            "state_is_tuple is not set",
        ),
        (lambda: rnn.GRUBlockCell(), ValueError, "Exactly one of num_units or cell_size"),
        (lambda: rnn.GRUBlockCell(2, 2), ValueError, "Exactly one of num_units or cell_size"),
        (lambda: rnn.GLSTMCell(3, number_of_groups=2), ValueError, "num_units must be divisible"),
        (lambda: rnn.GLSTMCell(4, number_of_groups=2, num_proj=3), ValueError, "num_proj must be divisible"),
        (
            lambda: called(rnn.GLSTMCell(4, number_of_groups=2), size=3),
            ValueError,
            r"input size \(3\) must be divisible by number_of_groups \(2\)",
        ),
        (
            lambda: called(rnn.CoupledInputForgetGateLSTMCell(3, num_unit_shards=10)),
            ValueError,
            "Too many shards",
        ),
        (
            lambda: called(rnn.CoupledInputForgetGateLSTMCell(3), size=None),
            ValueError,
            "Could not infer input size",
        ),
        (
            lambda: called(rnn.IndRNNCell(3), size=None),
            ValueError,
            r"Expected inputs.shape\[-1\] to be known",
        ),
        (
            lambda: rnn.LSTMBlockCell(2)(tf.zeros([1, 2]), (tf.zeros([1, 2]),) * 3),
            ValueError,
            "state to be a tuple with length 2",
        ),
        (
            lambda: rnn.LSTMBlockFusedCell(2)(tf.zeros([3, 1, 2]), (tf.zeros([1, 2]),) * 3),
            ValueError,
            "initial_state to be a tuple with length 2 or None",
        ),
        (
            lambda: rnn.GRUBlockCell(2)(tf.zeros([1, 2]), tf.zeros([1, 3])),
            ValueError,
            "cell_size 2 vs 3",
        ),
        (lambda: core_rnn_cell._linear(None, 2, True), ValueError, "`args` must be specified"),
        (
            lambda: rnn.stack_bidirectional_dynamic_rnn(
                [rnn.GRUCell(2)], [rnn.GRUCell(2)], tf.zeros([1, 2, 3]), tf.zeros([1, 2]), dtype=tf.float32
            ),
            ValueError,
            "initial_states_fw must be a list of state tensors",
        ),
        (
            lambda: rnn.Conv2DLSTMCell(input_shape=[3, 2], output_channels=1, kernel_shape=[2, 2]),
            ValueError,
            "Invalid input_shape",
        ),
        (
            lambda: rnn.IntersectionRNNCell(2)(tf.zeros([1, 3]), tf.zeros([1, 2])),
            ValueError,
            "num_in_proj should be set",
        ),
        (
            lambda: rnn.UGRNNCell(2)(v1.placeholder(tf.float32, [1, None]), tf.zeros([1, 2])),
            ValueError,
            r"expects shape\[1\] to be provided",
        ),
        (
            lambda: rnn.LSTMBlockFusedCell(2)(tf.zeros([3, 1, 2])),
            ValueError,
            "Either initial_state or dtype",
        ),
        (
            lambda: rnn.stack_bidirectional_rnn([], [rnn.GRUCell(2)], [tf.zeros([1, 2])]),
            ValueError,
            "cells_fw must be a list",
        ),
        (
            lambda: rnn.stack_bidirectional_dynamic_rnn(
                [rnn.GRUCell(2)], [rnn.GRUCell(2)] * 2, tf.zeros([1, 2, 3])
            ),
            ValueError,
            "must have the same depth",
        ),
    ],
)
def test_what_is_wrong_is_refused(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_viterbi_finds_the_best_of_all_sequences() -> None:
    random = np.random.RandomState(3)
    scores, transitions = random.normal(size=(4, 3)), random.normal(size=(3, 3))
    sequences = np.stack(np.meshgrid(*[range(3)] * 4, indexing="ij"), -1).reshape(-1, 4)
    totals = scores[np.arange(4), sequences].sum(1) + transitions[sequences[:, :-1], sequences[:, 1:]].sum(1)
    tags, score = crf.viterbi_decode(scores, transitions)
    assert tags == sequences[totals.argmax()].tolist()
    assert score == pytest.approx(totals.max())
    lengths, batch = tf.constant([4]), tf.constant(scores[None], tf.float32)
    decoded, best = crf.crf_decode(batch, tf.constant(transitions, tf.float32), lengths)
    norm = crf.crf_log_norm(batch, lengths, tf.constant(transitions, tf.float32))
    with v1.Session() as session:
        seen = session.run([decoded, best, norm])
    assert seen[0].tolist() == [tags]
    np.testing.assert_allclose([seen[1][0], seen[2][0]], [score, np.log(np.exp(totals).sum())], 1e-5)


def test_fused_ops_are_trained_in_windows(graph: tf.Graph, tmp_path: Path) -> None:
    x = tf.constant(np.sin(np.arange(24.0)).reshape(3, 4, 2), tf.float32)
    outputs, _ = rnn.LSTMBlockFusedCell(3)(x, dtype=tf.float32)
    outputs, _ = v1.nn.dynamic_rnn(rnn.GRUBlockCellV2(2), outputs, dtype=tf.float32, time_major=True)
    loss = tf.reduce_mean(tf.square(outputs - 0.5))
    train_op = v1.train.GradientDescentOptimizer(0.5).minimize(loss, v1.train.create_global_step())
    first = train(graph, tmp_path, train_op, loss, steps=1, monitors=[Silent()])
    assert train(graph, tmp_path, train_op, loss, steps=30, monitors=[Silent()]) < 0.8 * first
