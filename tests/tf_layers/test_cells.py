"""Cells: their states, whose variables are whose, and what they refuse."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import Silent
from keras_legacy_train import rnn_cell, train

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


class Grid(rnn_cell.RNNCell):
    """Adds its input to a state of two dimensions."""

    @property
    def state_size(self) -> Any:
        return (tf.TensorShape([2, 3]), 4)

    @property
    def output_size(self) -> int:
        return 4

    def call(self, inputs: Any, state: Any) -> Any:
        bias = v1.get_variable("bias", [4], initializer=v1.zeros_initializer(), trainable=False)
        return state[1] + bias, (state[0] + 1.0, state[1] + inputs * v1.get_variable("scale", []))


def test_a_state_of_zeros_has_the_structure_of_the_sizes() -> None:
    batch = v1.placeholder(tf.int32, [])
    grid, vector = Grid().zero_state(batch, tf.float64)
    assert [grid.shape.as_list(), vector.shape.as_list()] == [[None, 2, 3], [None, 4]]
    assert grid.dtype == tf.float64
    state = rnn_cell.LSTMCell(3, num_proj=2).zero_state(5, tf.float32)
    assert isinstance(state, rnn_cell.LSTMStateTuple)
    assert [state.c.shape.as_list(), state.h.shape.as_list(), state.dtype] == [[5, 3], [5, 2], tf.float32]
    with pytest.raises(TypeError, match="Inconsistent internal state"):
        _ = rnn_cell.LSTMStateTuple(state.c, tf.cast(state.h, tf.float64)).dtype
    assert state.c.op.name == "LSTMCellZeroState/zeros"
    stack = rnn_cell.MultiRNNCell([rnn_cell.GRUCell(2), rnn_cell.DropoutWrapper(rnn_cell.LSTMCell(3))])
    assert stack.state_size == (2, rnn_cell.LSTMStateTuple(3, 3))
    assert (
        tf.nest.map_structure(lambda zeros: zeros.shape[1], stack.zero_state(1, tf.float32))
        == stack.state_size
    )


def test_an_initial_state_is_that_of_the_inputs() -> None:
    cell = rnn_cell.GRUCell(2)
    inputs = v1.placeholder(tf.float64, [None, 3])
    assert cell.get_initial_state(inputs).dtype == tf.float64
    assert cell.get_initial_state(tf.zeros([7, 3])).shape.as_list() == [7, 2]
    with pytest.raises(ValueError, match="batch size from input tensor is different"):
        cell.get_initial_state(tf.zeros([7, 3]), batch_size=5)
    with pytest.raises(ValueError, match="dtype from input tensor is different"):
        cell.get_initial_state(inputs, dtype=tf.float32)
    with pytest.raises(ValueError, match="batch_size and dtype cannot be None"):
        cell.get_initial_state(batch_size=5)


def test_variables_of_a_call_belong_to_the_cell() -> None:
    cell = Grid()
    outputs, _ = v1.nn.dynamic_rnn(cell, tf.zeros([2, 3, 4]), dtype=tf.float32)
    assert outputs.shape.as_list() == [2, 3, 4]
    assert [each.op.name for each in cell.variables] == ["rnn/grid/scale", "rnn/grid/bias"]
    assert cell.trainable_variables == v1.trainable_variables()


def test_a_cell_says_its_sizes_and_opens_the_scope_it_is_given() -> None:
    for size in ("state_size", "output_size"):
        with pytest.raises(NotImplementedError, match="Abstract method"):
            getattr(rnn_cell.RNNCell(), size)
    cell = rnn_cell.DropoutWrapper(Grid())
    cell(tf.zeros([2, 4]), cell.zero_state(2, tf.float32), scope="mine")
    assert [each.op.name for each in cell.wrapped_cell.variables] == ["mine/scale", "mine/bias"]


def test_a_stack_and_a_wrapper_have_the_variables_of_their_cells() -> None:
    frozen = rnn_cell.BasicRNNCell(2, trainable=False)
    stack = rnn_cell.MultiRNNCell([rnn_cell.ResidualWrapper(rnn_cell.GRUCell(3)), frozen])
    stack(tf.zeros([2, 3]), stack.zero_state(2, tf.float32))
    assert stack.trainable_weights == v1.trainable_variables()
    assert stack.non_trainable_weights == frozen.weights
    assert stack.weights == v1.global_variables()
    stack.trainable = False
    assert stack.trainable_weights == []
    assert len(stack.non_trainable_weights) == 6


def test_a_cell_that_is_called_again_has_the_variables_of_its_first_call() -> None:
    cell = rnn_cell.BasicLSTMCell(2)
    twin = copy.deepcopy(cell)
    x = tf.zeros([2, 3])
    for scope in ("first", "second"):
        with v1.variable_scope(scope):
            cell(x, cell.zero_state(2, tf.float32))
            twin(x, twin.zero_state(2, tf.float32), scope=f"{scope}/own")
    names = [each.op.name for each in v1.global_variables()]
    assert names == [
        *["first/basic_lstm_cell/kernel", "first/basic_lstm_cell/bias"],
        *["first/first/own/kernel", "first/first/own/bias"],
    ]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: rnn_cell.MultiRNNCell([]), ValueError, "at least one cell"),
        (lambda: rnn_cell.MultiRNNCell(rnn_cell.GRUCell(2)), TypeError, "cells must be a list or tuple"),
        (lambda: rnn_cell.MultiRNNCell([2]), TypeError, r"'cells\[0\]' .* is not an RNNCell"),
        (
            lambda: rnn_cell.MultiRNNCell([rnn_cell.LSTMCell(2)], False),
            ValueError,
            "state_is_tuple is not set",
        ),
        (lambda: rnn_cell.DropoutWrapper(3), TypeError, "is not an RNNCell"),
        (
            lambda: rnn_cell.DropoutWrapper(rnn_cell.GRUCell(2), 1.5),
            ValueError,
            "must be between 0 and 1",
        ),
        (
            lambda: rnn_cell.DropoutWrapper(rnn_cell.GRUCell(2), dropout_state_filter_visitor=3),
            TypeError,
            "must be callable",
        ),
        (
            lambda: rnn_cell.DropoutWrapper(rnn_cell.GRUCell(2), variational_recurrent=True),
            ValueError,
            "dtype must be provided",
        ),
        (
            lambda: rnn_cell.DropoutWrapper(
                rnn_cell.GRUCell(2), 0.5, variational_recurrent=True, dtype=tf.float32
            ),
            ValueError,
            "input_size must be provided",
        ),
        (lambda: rnn_cell.GRUCell(2, dtype=tf.int32), ValueError, "only supports floating point"),
        (lambda: rnn_cell.GRUCell(2)(tf.zeros([2, 3, 1]), tf.zeros([2, 2])), ValueError, "expected ndim=2"),
        (
            lambda: rnn_cell.GRUCell(2)(v1.placeholder(tf.float32, [2, None]), tf.zeros([2, 2])),
            ValueError,
            r"Expected inputs.shape\[-1\] to be known",
        ),
        (
            lambda: rnn_cell.ResidualWrapper(rnn_cell.GRUCell(2))(tf.zeros([2, 3]), tf.zeros([2, 2])),
            ValueError,
            "are incompatible",
        ),
        (
            lambda: rnn_cell.MultiRNNCell([rnn_cell.GRUCell(2)])(tf.zeros([2, 3]), tf.zeros([2, 2])),
            ValueError,
            "Expected state to be a tuple of length 1",
        ),
    ],
)
def test_what_is_wrong_is_refused(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.slow
def test_a_graph_of_cells_is_trained_in_windows(graph: tf.Graph, tmp_path: Path) -> None:
    cells = [rnn_cell.LSTMCell(3, initializer="ones"), rnn_cell.GRUCell(2, kernel_initializer="ones")]
    x = tf.constant(np.sin(np.arange(24.0)).reshape(4, 3, 2), tf.float32)
    stack = rnn_cell.MultiRNNCell([rnn_cell.DropoutWrapper(cell, output_keep_prob=0.99) for cell in cells])
    outputs, _ = v1.nn.dynamic_rnn(stack, x, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - 0.5))
    train_op = v1.train.GradientDescentOptimizer(0.5).minimize(loss, v1.train.create_global_step())
    first = train(graph, tmp_path, train_op, loss, steps=1, monitors=[Silent()])
    assert train(graph, tmp_path, train_op, loss, steps=30, monitors=[Silent()]) < 0.8 * first
