"""Has the cells with variables: plain, gated, and with long short-term memory."""

from __future__ import annotations

import logging
from typing import Any

import tensorflow as tf

from keras_legacy_train.rnn_cell.base import LayerRNNCell, LSTMStateTuple, warn_of_input_size
from keras_legacy_train.tf_layers.functions_by_name import (
    Activation,
    Initializer,
    get_activation,
    get_initializer,
)
from keras_legacy_train.tf_layers.input_spec import InputSpec

v1 = tf.compat.v1
_logger = logging.getLogger("keras_legacy_train")


class _MatrixCell(LayerRNNCell):
    """Multiplies the inputs and its last output with one kernel, or several."""

    def __init__(self, num_units: int, activation: Activation, reuse: Any, **kwargs: Any) -> None:
        input_size = kwargs.pop("input_size", None)
        super().__init__(_reuse=reuse, **kwargs)
        warn_of_input_size(self, input_size)
        _check_dtype(self.dtype)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = get_activation(activation or tf.tanh) or tf.tanh

    @property
    def state_size(self) -> Any:
        """Returns the size of the state: the number of units."""
        return self._num_units

    @property
    def output_size(self) -> int:
        """Returns the size of the output: the number of units."""
        return self._num_units

    def _checked_depth(self, input_shape: Any) -> int:
        depth: int | None = tf.TensorShape(input_shape).as_list()[-1]
        if depth is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {input_shape}")
        _check_dtype(self.dtype)
        return depth


class BasicRNNCell(_MatrixCell):
    """Computes `activation([inputs, state] @ kernel + bias)`; stands for `tf.nn.rnn_cell.BasicRNNCell`.

    Args:
        num_units: The size of the output and of the state.
        activation: Function applied to the output, or its name; by default `tanh`.
        reuse: Whether the variables of a cell of that name are used again.
        name: The name of the cell and of its variable scope.
        dtype: The dtype of the variables; by default that of the first input.
        **kwargs: Further arguments of `RNNCell`, such as `trainable`, and the `input_size` of before
            TensorFlow 1.2, which is not used.

    Raises:
        ValueError: The dtype is not a floating one, or the name of the activation is unknown.
    """

    def __init__(
        self,
        num_units: int,
        activation: Activation = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, activation, reuse, name=name, dtype=dtype, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        depth = self._checked_depth(input_shape)
        self._kernel = self.add_weight("kernel", [depth + self._num_units, self._num_units])
        self._bias = self.add_weight("bias", [self._num_units], initializer="zeros")
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output, twice: it is the new state, too.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The last output.
        """
        _check_dtypes(inputs, state)
        output = self._activation(_affine([inputs, state], self._kernel, self._bias))
        return output, output


class GRUCell(_MatrixCell):
    """Updates its state through two gates; stands for `tf.nn.rnn_cell.GRUCell`.

    Args:
        num_units: The size of the output and of the state.
        activation: Function applied to the candidate for the state, or its name; by default `tanh`.
        reuse: Whether the variables of a cell of that name are used again.
        kernel_initializer: Initialiser of both kernels.
        bias_initializer: Initialiser of both biases; by default ones for the gates, and zeros for the
            candidate.
        name: The name of the cell and of its variable scope.
        dtype: The dtype of the variables; by default that of the first input.
        **kwargs: Further arguments of `RNNCell`, such as `trainable`, and the `input_size` of before
            TensorFlow 1.2, which is not used.

    Raises:
        ValueError: The dtype is not a floating one, or the name of a function is unknown.
    """

    def __init__(
        self,
        num_units: int,
        activation: Activation = None,
        reuse: Any = None,
        kernel_initializer: Initializer = None,
        bias_initializer: Initializer = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, activation, reuse, name=name, dtype=dtype, **kwargs)
        self._kernel_initializer = get_initializer(kernel_initializer)
        self._bias_initializer = get_initializer(bias_initializer)

    def build(self, input_shape: Any) -> None:
        """Makes `gates/kernel`, `gates/bias`, `candidate/kernel` and `candidate/bias`.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        units = self._num_units
        rows = self._checked_depth(input_shape) + units
        kernel, bias = self._kernel_initializer, self._bias_initializer
        self._gate_kernel = self.add_weight("gates/kernel", [rows, 2 * units], initializer=kernel)
        self._gate_bias = self.add_weight("gates/bias", [2 * units], initializer=bias or "ones")
        self._candidate_kernel = self.add_weight("candidate/kernel", [rows, units], initializer=kernel)
        self._candidate_bias = self.add_weight("candidate/bias", [units], initializer=bias or "zeros")
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output, twice: it is the new state, too.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The last output.
        """
        _check_dtypes(inputs, state)
        gates = tf.sigmoid(_affine([inputs, state], self._gate_kernel, self._gate_bias))
        reset, update = tf.split(gates, 2, axis=1)
        candidate = self._activation(
            _affine([inputs, reset * state], self._candidate_kernel, self._candidate_bias)
        )
        new_state = update * state + (1 - update) * candidate
        return new_state, new_state


class BasicLSTMCell(_MatrixCell):
    """Has a long short-term memory without options; stands for `tf.nn.rnn_cell.BasicLSTMCell`.

    Args:
        num_units: The size of the output, and of each part of the state.
        forget_bias: Added to the bias of the forget gate. Set it to 0.0 to restore the checkpoints of a
            `CudnnLSTM`.
        state_is_tuple: Whether the state is an `LSTMStateTuple`; otherwise `c` and `h` are one tensor.
        activation: Function of the memory, or its name; by default `tanh`.
        reuse: Whether the variables of a cell of that name are used again.
        name: The name of the cell and of its variable scope.
        dtype: The dtype of the variables; by default that of the first input.
        **kwargs: Further arguments of `RNNCell`, such as `trainable`, and the `input_size` of before
            TensorFlow 1.2, which is not used.

    Raises:
        ValueError: The dtype is not a floating one, or the name of the activation is unknown.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Activation = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, activation, reuse, name=name, dtype=dtype, **kwargs)
        _warn_of_concatenated_state(self, state_is_tuple)
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """Returns the size of the state: an `LSTMStateTuple`, or an integer if the state is one tensor."""
        if self._state_is_tuple:
            return LSTMStateTuple(self._num_units, self._num_units)
        return 2 * self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        units = self._num_units
        depth = self._checked_depth(input_shape)
        self._kernel = self.add_weight("kernel", [depth + units, 4 * units])
        self._bias = self.add_weight("bias", [4 * units], initializer="zeros")
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`, or one tensor of shape `[batch, 2 * units]`.
        """
        _check_dtypes(inputs, state)
        c, h = state if self._state_is_tuple else tf.split(state, 2, axis=1)
        i, j, f, o = tf.split(_affine([inputs, h], self._kernel, self._bias), 4, axis=1)
        new_c = tf.add(
            tf.multiply(c, tf.sigmoid(tf.add(f, tf.constant(self._forget_bias, f.dtype)))),
            tf.multiply(tf.sigmoid(i), self._activation(j)),
        )
        new_h = tf.multiply(self._activation(new_c), tf.sigmoid(o))
        return new_h, _joined(new_c, new_h, self._state_is_tuple)


class LSTMCell(_MatrixCell):
    """Has a long short-term memory with options; stands for `tf.nn.rnn_cell.LSTMCell`.

    Args:
        num_units: The size of the memory.
        use_peepholes: Whether the gates see the memory.
        cell_clip: The largest absolute value in the memory; `None` for no limit.
        initializer: Initialiser of kernels and peepholes.
        num_proj: The size of the output, if it is projected.
        proj_clip: The largest absolute value in a projected output; `None` for no limit.
        num_unit_shards: In how many parts the kernel is split; a partitioner of the scope does it better.
        num_proj_shards: In how many parts the kernel of the projection is split.
        forget_bias: Added to the bias of the forget gate.
        state_is_tuple: Whether the state is an `LSTMStateTuple`; otherwise `c` and `h` are one tensor.
        activation: Function of the memory, or its name; by default `tanh`.
        reuse: Whether the variables of a cell of that name are used again.
        name: The name of the cell and of its variable scope.
        dtype: The dtype of the variables; by default that of the first input.
        **kwargs: Further arguments of `RNNCell`, such as `trainable`, and the `input_size` of before
            TensorFlow 1.2, which is not used.

    Raises:
        ValueError: The dtype is not a floating one, or the name of a function is unknown.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        cell_clip: float | None = None,
        initializer: Initializer = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int | None = None,
        num_proj_shards: int | None = None,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Activation = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_units, activation, reuse, name=name, dtype=dtype, **kwargs)
        _warn_of_concatenated_state(self, state_is_tuple)
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = get_initializer(initializer)
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """Returns the size of the state: an `LSTMStateTuple`, or an integer if the state is one tensor."""
        if self._state_is_tuple:
            return LSTMStateTuple(self._num_units, self.output_size)
        return self._num_units + self.output_size

    @property
    def output_size(self) -> int:
        """Returns the size of the output: that of the projection, or the number of units."""
        return self._num_proj or self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`, the peepholes `w_f_diag` and so on, and `projection/kernel`.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        units = self._num_units
        self._kernel = self.add_weight(
            "kernel",
            [self._checked_depth(input_shape) + self.output_size, 4 * units],
            initializer=self._initializer,
            partitioner=_shards(self._num_unit_shards),
        )
        self._bias = self.add_weight("bias", [4 * units], initializer="zeros")
        if self._use_peepholes:
            self._w_f_diag, self._w_i_diag, self._w_o_diag = (
                self.add_weight(f"w_{gate}_diag", [units], initializer=self._initializer) for gate in "fio"
            )
        if self._num_proj:
            self._proj_kernel = self.add_weight(
                "projection/kernel",
                [units, self._num_proj],
                initializer=self._initializer,
                partitioner=_shards(self._num_proj_shards),
            )
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`, or one tensor of shape `[batch, units + size of the output]`.
        """
        _check_dtypes(inputs, state)
        c, h = state if self._state_is_tuple else tf.split(state, [self._num_units, self.output_size], axis=1)
        i, j, f, o = tf.split(_affine([inputs, h], self._kernel, self._bias), 4, axis=1)
        f = f + self._forget_bias
        if self._use_peepholes:
            f, i = f + self._w_f_diag * c, i + self._w_i_diag * c
        c = _clipped(tf.sigmoid(f) * c + tf.sigmoid(i) * self._activation(j), self._cell_clip)
        if self._use_peepholes:
            o = o + self._w_o_diag * c
        h = tf.sigmoid(o) * self._activation(c)
        if self._num_proj:
            h = _clipped(tf.matmul(h, self._proj_kernel), self._proj_clip)
        return h, _joined(c, h, self._state_is_tuple)


def _affine(parts: list[Any], kernel: Any, bias: Any) -> Any:
    return tf.nn.bias_add(tf.matmul(tf.concat(parts, 1), kernel), bias)


def _clipped(value: Any, limit: float | None) -> Any:
    return value if limit is None else tf.clip_by_value(value, -limit, limit)


def _joined(c: Any, h: Any, as_tuple: bool) -> Any:
    return LSTMStateTuple(c, h) if as_tuple else tf.concat([c, h], 1)


def _shards(count: int | None) -> Any:
    return None if count is None else v1.fixed_size_partitioner(count)


def _warn_of_concatenated_state(cell: Any, state_is_tuple: bool) -> None:
    if not state_is_tuple:
        _logger.warning("%s: a state that is one tensor is slower. Use state_is_tuple=True.", cell.name)


def _check_dtypes(*tensors: Any) -> None:
    for tensor in tf.nest.flatten(tensors):
        _check_dtype(tensor.dtype)


def _check_dtype(dtype: Any) -> None:
    if dtype is not None and not (tf.as_dtype(dtype).is_floating or tf.as_dtype(dtype).is_complex):
        raise ValueError(f"RNN cell only supports floating point inputs, but saw dtype: {dtype}")
