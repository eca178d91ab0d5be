"""Has the wrappers that add variables to a cell: projections, embeddings, highways, attention."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.rnn.state_sizes import known_size
from keras_legacy_train.rnn_cell import RNNCell
from keras_legacy_train.rnn_cell.base import warn_of_input_size
from keras_legacy_train.rnn_cell.linear import linear
from keras_legacy_train.rnn_cell.wrappers import CellWrapper, check_cell

v1 = tf.compat.v1


class _ScopedWrapper(RNNCell):
    """Calls another cell, and has variables in a scope of its own, in which those of the cell are, too."""

    def __init__(self, cell: Any, reuse: Any) -> None:
        super().__init__(_reuse=reuse)
        check_cell("cell", cell)
        self._cell = cell

    @property
    def state_size(self) -> Any:
        """Returns the size of the cell's state."""
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        """Returns the size of the cell's output."""
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Returns a state of zeros for the cell.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the tensors.
        """
        with v1.name_scope(f"{type(self).__name__}ZeroState"):
            return self._cell.zero_state(batch_size, dtype)


class EmbeddingWrapper(_ScopedWrapper):
    """Gives a cell embedded symbols as inputs; stands for `tf.contrib.rnn.EmbeddingWrapper`.

    Args:
        cell: The cell.
        embedding_classes: How many symbols there are.
        embedding_size: The size of the vector of a symbol.
        initializer: Initialiser of `embedding`; by default that of the scope, or numbers of variance 1.
        reuse: Whether the variables of such a wrapper are used again.

    Raises:
        TypeError: `cell` is not a cell.
        ValueError: A size is not positive.
    """

    def __init__(
        self,
        cell: Any,
        embedding_classes: int,
        embedding_size: int,
        initializer: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError(
                "Both embedding_classes and embedding_size must be > 0:"
                f" {embedding_classes}, {embedding_size}."
            )
        self._shape = [embedding_classes, embedding_size]
        self._initializer = initializer

    def call(self, inputs: Any, state: Any) -> Any:
        """Returns the output and the new state of the cell.

        Args:
            inputs: The symbols, integers of shape `[batch]` or `[batch, 1]`.
            state: The state of the cell.
        """
        with v1.device("/cpu:0"):
            scope = v1.get_variable_scope()
            limit = math.sqrt(3)
            embedding = v1.get_variable(
                "embedding",
                self._shape,
                dtype=tf.nest.flatten(state)[0].dtype,
                initializer=self._initializer
                or scope.initializer
                or v1.random_uniform_initializer(-limit, limit),
            )
            embedded = tf.nn.embedding_lookup(embedding, tf.reshape(inputs, [-1]))
            return self._cell(embedded, state)


class InputProjectionWrapper(_ScopedWrapper):
    """Projects the inputs of a cell; stands for `tf.contrib.rnn.InputProjectionWrapper`.

    Args:
        cell: The cell.
        num_proj: The size of the projected inputs.
        activation: Function applied to them.
        input_size: Not used, as in the original.
        reuse: Whether the variables of such a wrapper are used again.

    Raises:
        TypeError: `cell` is not a cell.
    """

    def __init__(
        self,
        cell: Any,
        num_proj: int,
        activation: Callable[[Any], Any] | None = None,
        input_size: Any = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        warn_of_input_size(self, input_size)
        self._num_proj = num_proj
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> Any:
        """Returns the output and the new state of the cell.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The state of the cell.
        """
        projected = linear(inputs, self._num_proj, True)
        return self._cell(self._activation(projected) if self._activation else projected, state)


class OutputProjectionWrapper(_ScopedWrapper):
    """Projects the outputs of a cell; stands for `tf.contrib.rnn.OutputProjectionWrapper`.

    Args:
        cell: The cell.
        output_size: The size of the projected outputs.
        activation: Function applied to them.
        reuse: Whether the variables of such a wrapper are used again.

    Raises:
        TypeError: `cell` is not a cell.
        ValueError: `output_size` is not positive.
    """

    def __init__(
        self,
        cell: Any,
        output_size: int,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        self._output_size = output_size
        self._activation = activation

    @property
    def output_size(self) -> Any:
        """Returns the size of the projected output."""
        return self._output_size

    def call(self, inputs: Any, state: Any) -> Any:
        """Returns the projected output, and the new state of the cell.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The state of the cell.
        """
        output, new_state = self._cell(inputs, state)
        projected = linear(output, self._output_size, True)
        return self._activation(projected) if self._activation else projected, new_state


class AttentionCellWrapper(_ScopedWrapper):
    """Attends to the last outputs of a cell; stands for `tf.contrib.rnn.AttentionCellWrapper`.

    Args:
        cell: The cell.
        attn_length: How many outputs are attended to.
        attn_size: The size of the output and of what attention returns; by default that of the cell's output.
        attn_vec_size: The size in which state and outputs are compared; by default `attn_size`.
        input_size: The size of the cell's input; by default that of the inputs.
        state_is_tuple: Whether the state is a tuple; otherwise it is one tensor.
        reuse: Whether the variables of such a wrapper are used again.

    Raises:
        TypeError: `cell` is not a cell.
        ValueError: `attn_length` is not positive, or the state of the cell is a tuple and that of all is not
            to be.
    """

    def __init__(
        self,
        cell: Any,
        attn_length: int,
        attn_size: int | None = None,
        attn_vec_size: int | None = None,
        input_size: int | None = None,
        state_is_tuple: bool = True,
        reuse: Any = None,
    ) -> None:
        super().__init__(cell, reuse)
        if tf.nest.is_nested(cell.state_size) and not state_is_tuple:
            raise ValueError(
                "Cell returns tuple of states, but the flag state_is_tuple is not set."
                f" State size is: {cell.state_size}"
            )
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        self._attn_length = attn_length
        self._attn_size = cell.output_size if attn_size is None else attn_size
        self._attn_vec_size = self._attn_size if attn_vec_size is None else attn_vec_size
        self._input_size = input_size
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """Returns the sizes of the cell's state, of the attention, and of the outputs attended to."""
        sizes = (self._cell.state_size, self._attn_size, self._attn_size * self._attn_length)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """Returns the size of the output: that of the attention."""
        return self._attn_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Returns a state of zeros, in the structure of `state_size`.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the tensors.
        """
        return RNNCell.zero_state(self, batch_size, dtype)

    def call(self, inputs: Any, state: Any) -> Any:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The state, in the structure of `state_size`.
        """
        if not self._state_is_tuple:
            sizes = [self._cell.state_size, self._attn_size, self._attn_size * self._attn_length]
            state = tf.split(state, sizes, axis=1)
        cell_state, attention, attended = state
        attended = tf.reshape(attended, [-1, self._attn_length, self._attn_size])
        input_size = inputs.shape.as_list()[1] if self._input_size is None else self._input_size
        output, cell_state = self._cell(linear([inputs, attention], input_size, True), cell_state)
        query = tf.concat(tf.nest.flatten(cell_state), 1)
        attention = self._attention(query, attended)
        with v1.variable_scope("attn_output_projection"):
            output = linear([output, attention], self._attn_size, True)
        attended = tf.concat([attended[:, 1:], tf.expand_dims(output, 1)], 1)
        attended = tf.reshape(attended, [-1, self._attn_length * self._attn_size])
        new_state = (cell_state, attention, attended)
        return output, new_state if self._state_is_tuple else tf.concat(new_state, 1)

    def _attention(self, query: Any, attended: Any) -> Any:
        size, compared = self._attn_size, self._attn_vec_size
        with v1.variable_scope("attention"):
            kernel = v1.get_variable("attn_w", [1, 1, size, compared])
            vector = v1.get_variable("attn_v", [compared])
            features = tf.tensordot(attended, tf.reshape(kernel, [size, compared]), 1)
            features += tf.expand_dims(linear(query, compared, True), 1)
        weights = tf.nn.softmax(tf.reduce_sum(vector * tf.tanh(features), 2))
        return tf.reduce_sum(tf.expand_dims(weights, 2) * attended, 1)


class HighwayWrapper(CellWrapper):
    """Mixes the inputs of a cell into its outputs; stands for `tf.contrib.rnn.HighwayWrapper`.

    Args:
        cell: The cell.
        couple_carry_transform_gates: Whether the output's part is 1 minus that of the input; otherwise it has
            a gate of its own.
        carry_bias_init: First value of the bias of the input's gate, and the negative one of the output's.

    Raises:
        TypeError: `cell` is not a cell.
    """

    def __init__(
        self, cell: Any, couple_carry_transform_gates: bool = True, carry_bias_init: float = 1.0
    ) -> None:
        super().__init__(cell)
        self._couple_carry_transform_gates = couple_carry_transform_gates
        self._carry_bias_init = carry_bias_init

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Returns the mixed output, and the new state.

        Args:
            inputs: A tensor of the shape of the output, or a structure of such tensors.
            state: The state of the cell.
            scope: The variable scope of the cell, or its name.

        Raises:
            ValueError: The shapes or structures of inputs and outputs differ.
        """
        outputs, new_state = super().__call__(inputs, state, scope)
        tf.nest.assert_same_structure(inputs, outputs)
        return tf.nest.map_structure(self._mixed, inputs, outputs), new_state

    def _mixed(self, given: Any, made: Any) -> Any:
        given.shape.assert_is_compatible_with(made.shape)
        carry = self._gate("carry", given, self._carry_bias_init)
        if self._couple_carry_transform_gates:
            transform = 1 - carry
        else:
            transform = self._gate("transform", given, -self._carry_bias_init)
        return given * carry + made * transform

    def _gate(self, name: str, given: Any, bias: float) -> Any:
        size = known_size(given)
        weight = v1.get_variable(f"{name}_w", [size, size])
        bias = v1.get_variable(f"{name}_b", [size], initializer=v1.constant_initializer(bias))
        return tf.sigmoid(tf.nn.bias_add(tf.matmul(given, weight), bias))
