"""Has the recurrent networks that take a whole sequence at once."""

from __future__ import annotations

import abc
from typing import Any

import tensorflow as tf

from keras_legacy_train.rnn_cell import LSTMStateTuple
from keras_legacy_train.tf_layers import Layer

v1 = tf.compat.v1


class FusedRNNCell(abc.ABC):
    """Runs a recurrent network over a sequence; stands for `tf.contrib.rnn.FusedRNNCell`."""

    @abc.abstractmethod
    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> tuple[Any, Any]:
        """Returns the outputs and the last state.

        Args:
            inputs: A tensor of shape `[time, batch, size]`, or for each step one of shape `[batch, size]`.
            initial_state: The state to begin with; by default zeros.
            dtype: The dtype of the state. Needed if there is no `initial_state`.
            sequence_length: The lengths of the sequences, integers of shape `[batch]`.
            scope: The variable scope, or its name.

        Returns:
            The outputs, one tensor or a list as the inputs are, and the last state.
        """


class FusedRNNCellAdaptor(FusedRNNCell):
    """Runs a cell over a sequence; stands for `tf.contrib.rnn.FusedRNNCellAdaptor`.

    Args:
        cell: The cell.
        use_dynamic_rnn: Whether it runs in a loop; otherwise it is unrolled.
    """

    def __init__(self, cell: Any, use_dynamic_rnn: bool = False) -> None:
        self._cell = cell
        self._use_dynamic_rnn = use_dynamic_rnn

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> tuple[Any, Any]:
        """Returns the outputs and the last state.

        Args:
            inputs: A tensor of shape `[time, batch, size]`, or for each step one of shape `[batch, size]`.
            initial_state: The state to begin with; by default zeros.
            dtype: The dtype of the state. Needed if there is no `initial_state`.
            sequence_length: The lengths of the sequences, integers of shape `[batch]`.
            scope: The variable scope, or its name.

        Returns:
            The outputs, one tensor or a list as the inputs are, and the last state.
        """
        options = {
            "initial_state": initial_state,
            "dtype": dtype,
            "sequence_length": sequence_length,
            "scope": scope,
        }
        is_list = isinstance(inputs, list)
        if self._use_dynamic_rnn:
            inputs = tf.stack(inputs) if is_list else inputs
            outputs, state = v1.nn.dynamic_rnn(self._cell, inputs, time_major=True, **options)
            return tf.unstack(outputs) if is_list else outputs, state
        inputs = inputs if is_list else tf.unstack(inputs)
        outputs, state = v1.nn.static_rnn(self._cell, inputs, **options)
        return outputs if is_list else tf.stack(outputs), state


class TimeReversedFusedRNN(FusedRNNCell):
    """Runs a network over a sequence from its end; stands for `tf.contrib.rnn.TimeReversedFusedRNN`.

    Args:
        cell: A `FusedRNNCell`.
    """

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def __call__(
        self,
        inputs: Any,
        initial_state: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
        scope: Any = None,
    ) -> tuple[Any, Any]:
        """Returns the outputs, in the order of the inputs, and the state after the first of them.

        Args:
            inputs: A tensor of shape `[time, batch, size]`, or for each step one of shape `[batch, size]`.
            initial_state: The state to begin with; by default zeros.
            dtype: The dtype of the state. Needed if there is no `initial_state`.
            sequence_length: The lengths of the sequences, integers of shape `[batch]`.
            scope: The variable scope, or its name.
        """
        outputs, state = self._cell(
            _reversed(inputs, sequence_length),
            initial_state=initial_state,
            dtype=dtype,
            sequence_length=sequence_length,
            scope=scope,
        )
        return _reversed(outputs, sequence_length), state


class LSTMBlockWrapper(Layer, abc.ABC):
    """Runs a long short-term memory of a subclass; stands for `tf.contrib.rnn.LSTMBlockWrapper`.

    The subclass says its `num_units`, and computes in `_call_cell(inputs, initial_cell_state, initial_output,
    dtype, sequence_length)` the memories and the outputs of all steps.
    """

    @property
    @abc.abstractmethod
    def num_units(self) -> int:
        """Returns the size of the memory and of the output."""

    @abc.abstractmethod
    def _call_cell(
        self,
        inputs: Any,
        initial_cell_state: Any,
        initial_output: Any,
        dtype: Any,
        sequence_length: Any,
    ) -> tuple[Any, Any]:
        """Returns the memories and the outputs, each of shape `[time, batch, units]`."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns the outputs and the last state.

        Args:
            inputs: A tensor of shape `[time, batch, size]`, or for each step one of shape `[batch, size]`.
            *args: The further arguments of `call`.
            **kwargs: The further arguments of `call`, and `scope`, the variable scope or its name.

        Returns:
            The outputs, one tensor or a list as the inputs are, and an `LSTMStateTuple`.
        """
        if not isinstance(inputs, list):
            return super().__call__(inputs, *args, **kwargs)
        outputs, state = super().__call__(tf.stack(inputs), *args, **kwargs)
        return tf.unstack(outputs), state

    def call(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None
    ) -> tuple[Any, Any]:
        """Returns the outputs and the last state.

        Args:
            inputs: A tensor of shape `[time, batch, size]`.
            initial_state: The memory and the output to begin with; by default zeros.
            dtype: The dtype of the state. Needed if there is no `initial_state`.
            sequence_length: The lengths of the sequences, integers of shape `[batch]`. Outputs beyond are
                zeros.

        Returns:
            The outputs, of shape `[time, batch, units]`, and an `LSTMStateTuple`.

        Raises:
            ValueError: Neither `initial_state` nor `dtype` is given, or the state has no two parts.
        """
        if initial_state is None:
            if dtype is None:
                raise ValueError("Either initial_state or dtype needs to be specified")
            zeros = tf.zeros([tf.shape(inputs)[1], self.num_units], dtype)
            initial_state = zeros, zeros
        elif len(initial_state) != 2:
            raise ValueError("Expecting initial_state to be a tuple with length 2 or None")
        lengths = None if sequence_length is None else tf.convert_to_tensor(sequence_length)
        dtype = dtype or initial_state[0].dtype
        memory, output = initial_state
        memories, outputs = self._call_cell(inputs, memory, output, dtype, lengths)
        if lengths is None:
            return outputs, LSTMStateTuple(memories[-1], outputs[-1])
        mask = tf.sequence_mask(lengths, tf.shape(inputs)[0], dtype=outputs.dtype)
        outputs *= tf.expand_dims(tf.transpose(mask), 2)
        # The state before the first step is that of an empty sequence.
        places = tf.stack([lengths, tf.range(tf.shape(inputs)[1], dtype=lengths.dtype)], axis=1)
        last = [
            tf.gather_nd(tf.concat([tf.expand_dims(first, 0), values], 0), places)
            for first, values in zip(initial_state, (memories, outputs), strict=True)
        ]
        return outputs, LSTMStateTuple(*last)


def _reversed(sequence: Any, lengths: Any) -> Any:
    if isinstance(sequence, list):
        return sequence[::-1]
    if lengths is None:
        return tf.reverse(sequence, [0])
    return tf.reverse_sequence(sequence, lengths, seq_axis=0, batch_axis=1)
