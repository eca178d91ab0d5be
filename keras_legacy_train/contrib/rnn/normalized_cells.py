"""Has the cells that normalise their gates and states by layer, and the coupled LSTM that can."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.rnn.state_sizes import LSTMState, known_size
from keras_legacy_train.rnn_cell import LSTMStateTuple, RNNCell
from keras_legacy_train.rnn_cell.base import warn_of_input_size

v1 = tf.compat.v1
_logger = logging.getLogger("keras_legacy_train")


class LayerNormBasicLSTMCell(LSTMState, RNNCell):
    """Normalises its gates and its memory, and drops out of the latter what comes in new.

    Stands for `tf.contrib.rnn.LayerNormBasicLSTMCell`.

    Args:
        num_units: The size of the memory and of the output.
        forget_bias: Added to the forget gate.
        input_size: Not used, as in the original.
        activation: Function of the memory.
        layer_norm: Whether it normalises.
        norm_gain: First value of the `gamma`s.
        norm_shift: First value of the `beta`s.
        dropout_keep_prob: The part of what comes in new to keep, from 0 to 1; a number or a scalar tensor.
        dropout_prob_seed: Seed of the dropout.
        reuse: Whether the variables of such a cell are used again.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        input_size: Any = None,
        activation: Callable[[Any], Any] = tf.tanh,
        layer_norm: bool = True,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
        dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: int | None = None,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        warn_of_input_size(self, input_size)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._activation = activation
        self._layer_norm = layer_norm
        self._gain_and_shift = norm_gain, norm_shift
        self._keep_prob = dropout_keep_prob
        self._seed = dropout_prob_seed

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`.
        """
        c, h = state
        joined = tf.concat([inputs, h], 1)
        units, dtype = self._num_units, joined.dtype
        gates = tf.matmul(joined, v1.get_variable("kernel", [known_size(joined), 4 * units], dtype=dtype))
        if not self._layer_norm:
            gates = tf.nn.bias_add(gates, v1.get_variable("bias", [4 * units], dtype=dtype))
        names = ("input", "transform", "forget", "output")
        i, j, f, o = (
            self._normalized(gate, name) for gate, name in zip(tf.split(gates, 4, axis=1), names, strict=True)
        )
        new = self._activation(j)
        if not isinstance(self._keep_prob, (int, float)) or self._keep_prob < 1:
            new = tf.nn.dropout(new, rate=1 - self._keep_prob, seed=self._seed)
        c = self._normalized(c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * new, "state")
        h = self._activation(c) * tf.sigmoid(o)
        return h, LSTMStateTuple(c, h)

    def _normalized(self, values: Any, name: str) -> Any:
        return _layer_norm(values, name, *self._gain_and_shift) if self._layer_norm else values


class CoupledInputForgetGateLSTMCell(LSTMState, RNNCell):
    """Takes in new what it forgets; stands for `tf.contrib.rnn.CoupledInputForgetGateLSTMCell`.

    Args:
        num_units: The size of the memory.
        use_peepholes: Whether the gates see the memory.
        initializer: Not used, as in the original: the variables are initialised as the scope says.
        num_proj: The size of the output, if it is projected.
        proj_clip: The largest absolute value in a projected output; `None` for no limit.
        num_unit_shards: Of how many variables the kernel is made.
        num_proj_shards: Of how many variables the kernel of the projection is made.
        forget_bias: Added to the forget gate.
        state_is_tuple: Whether the state is an `LSTMStateTuple`; otherwise `c` and `h` are one tensor.
        activation: Function of the memory.
        reuse: Whether the variables of such a cell are used again.
        layer_norm: Whether gates and memory are normalised.
        norm_gain: First value of the `gamma`s.
        norm_shift: First value of the `beta`s.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        initializer: Any = None,
        num_proj: int | None = None,
        proj_clip: float | None = None,
        num_unit_shards: int = 1,
        num_proj_shards: int = 1,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Callable[[Any], Any] = tf.tanh,
        reuse: Any = None,
        layer_norm: bool = False,
        norm_gain: float = 1.0,
        norm_shift: float = 0.0,
    ) -> None:
        super().__init__(_reuse=reuse)
        if not state_is_tuple:
            _logger.warning("%s: a state that is one tensor is slower. Use state_is_tuple=True.", self.name)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation
        self._layer_norm = layer_norm
        self._gain_and_shift = norm_gain, norm_shift

    @property
    def state_size(self) -> Any:
        """Returns the sizes of the memory and of the output, or their sum if the state is one tensor."""
        return super().state_size if self._state_is_tuple else self._num_units + self.output_size

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`, or one tensor of shape `[batch, units + size of the output]`.
        """
        units, dtype = self._num_units, inputs.dtype
        c, h = state if self._state_is_tuple else tf.split(state, [units, self.output_size], axis=1)
        shape = [known_size(inputs) + self.output_size, 3 * units]
        kernel = _sharded("W", shape, dtype, self._num_unit_shards)
        bias = v1.get_variable("B", [3 * units], dtype=dtype, initializer=v1.zeros_initializer())
        gates = tf.matmul(tf.concat([inputs, h], 1), kernel)
        if not self._layer_norm:
            gates = tf.nn.bias_add(gates, bias)
        names = ("transform", "forget", "output")
        j, f, o = (
            self._normalized(gate, name) for gate, name in zip(tf.split(gates, 3, axis=1), names, strict=True)
        )
        f = f + self._forget_bias
        if self._use_peepholes:
            w_f, w_o = (v1.get_variable(f"W_{gate}_diag", [units], dtype=dtype) for gate in "FO")
            f = f + w_f * c
        forget = tf.sigmoid(f)
        c = self._normalized(forget * c + (1 - forget) * self._activation(j), "state")
        if self._use_peepholes:
            o = o + w_o * c
        h = tf.sigmoid(o) * self._activation(c)
        if self._num_proj is not None:
            h = tf.matmul(h, _sharded("W_P", [units, self._num_proj], dtype, self._num_proj_shards))
            if self._proj_clip is not None:
                h = tf.clip_by_value(h, -self._proj_clip, self._proj_clip)
        return h, LSTMStateTuple(c, h) if self._state_is_tuple else tf.concat([c, h], 1)

    def _normalized(self, values: Any, name: str) -> Any:
        return _layer_norm(values, name, *self._gain_and_shift) if self._layer_norm else values


def _layer_norm(values: Any, scope: str, gain: float, shift: float) -> Any:
    """Returns rows of mean 0 and variance 1, times `gamma`, plus `beta`."""
    with v1.variable_scope(scope):
        gamma, beta = (
            v1.get_variable(
                name, values.shape[-1:], dtype=values.dtype, initializer=v1.constant_initializer(first)
            )
            for name, first in (("gamma", gain), ("beta", shift))
        )
        mean, variance = tf.nn.moments(values, axes=[1], keepdims=True)
        epsilon = 1e-3 if values.dtype == tf.float16 else 1e-12
        return tf.nn.batch_normalization(values, mean, variance, beta, gamma, epsilon)


def _sharded(name: str, shape: list[int], dtype: Any, shards: int) -> Any:
    """Returns a matrix made of variables with some of its rows each."""
    if shards > shape[0]:
        raise ValueError(f"Too many shards: shape={shape}, num_shards={shards}")
    rows, more = divmod(shape[0], shards)
    parts = [
        v1.get_variable(f"{name}_{number}", [rows + (number < more), *shape[1:]], dtype=dtype)
        for number in range(shards)
    ]
    return parts[0] if shards == 1 else tf.concat(parts, 0)
