"""Has cells that are alternatives to the LSTM and the GRU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.contrib.rnn.state_sizes import LSTMState, OneState, known_depth, known_size
from keras_legacy_train.rnn_cell import LSTMStateTuple, RNNCell
from keras_legacy_train.rnn_cell.base import LayerRNNCell
from keras_legacy_train.rnn_cell.linear import linear
from keras_legacy_train.tf_layers.input_spec import InputSpec

v1 = tf.compat.v1


class UGRNNCell(OneState, RNNCell):
    """Updates its state through one gate; stands for `tf.contrib.rnn.UGRNNCell`.

    Args:
        num_units: The size of the state and of the output.
        initializer: Initialiser of the kernel; by default that of the scope.
        forget_bias: Added to the gate.
        activation: Function of the candidate for the state.
        reuse: Whether the variables of such a cell are used again.
    """

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        forget_bias: float = 1.0,
        activation: Callable[[Any], Any] = tf.tanh,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._initializer = initializer
        self._forget_bias = forget_bias
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output, twice: it is the new state, too.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The last output.
        """
        products = linear([inputs, state], 2 * self._num_units, True, kernel_initializer=self._initializer)
        gate, candidate = tf.split(products, 2, axis=1)
        gate = tf.sigmoid(gate + self._forget_bias)
        new_state = gate * state + (1 - gate) * self._activation(candidate)
        return new_state, new_state


class IntersectionRNNCell(OneState, RNNCell):
    """Gates what goes on in time, and what goes on in depth; stands for `tf.contrib.rnn.IntersectionRNNCell`.

    Args:
        num_units: The size of the state and of the output.
        num_in_proj: The size to which inputs of another size are projected: that of the output.
        initializer: Initialiser of the kernels; by default that of the scope.
        forget_bias: Added to the gates.
        y_activation: Function of the candidate for the output.
        reuse: Whether the variables of such a cell are used again.
    """

    def __init__(
        self,
        num_units: int,
        num_in_proj: int | None = None,
        initializer: Any = None,
        forget_bias: float = 1.0,
        y_activation: Callable[[Any], Any] = tf.nn.relu,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._num_in_proj = num_in_proj
        self._initializer = initializer
        self._forget_bias = forget_bias
        self._y_activation = y_activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: A tensor of shape `[batch, units]`.

        Raises:
            ValueError: The inputs have another size than the output, and are not to be projected.
        """
        units, initializer = self._num_units, self._initializer
        if known_size(inputs) != units:
            if not self._num_in_proj:
                raise ValueError(
                    "Must have input size == output size for Intersection RNN. To fix, num_in_proj should"
                    " be set to num_units at cell init."
                )
            with v1.variable_scope("in_projection"):
                inputs = linear(inputs, units, True, kernel_initializer=initializer)
        products = linear([inputs, state], 4 * units, True, kernel_initializer=initializer)
        keep_state, new_state, keep_input, output = tf.split(products, 4, axis=1)
        keep_state, keep_input = (tf.sigmoid(gate + self._forget_bias) for gate in (keep_state, keep_input))
        new_state = keep_state * state + (1 - keep_state) * tf.tanh(new_state)
        return keep_input * inputs + (1 - keep_input) * self._y_activation(output), new_state


class NASCell(LSTMState, LayerRNNCell):
    """Has the architecture that a search has found; stands for `tf.contrib.rnn.NASCell`.

    Args:
        num_units: The size of the memory.
        num_proj: The size of the output, if it is projected.
        use_bias: Whether there is a bias.
        reuse: Whether the variables of a cell of that name are used again.
        **kwargs: Further arguments of `RNNCell`, such as `name`.
    """

    def __init__(
        self,
        num_units: int,
        num_proj: int | None = None,
        use_bias: bool = False,
        reuse: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_reuse=reuse, **kwargs)
        self._num_units = num_units
        self._num_proj = num_proj
        self._use_bias = use_bias

    def build(self, input_shape: Any) -> None:
        """Makes `recurrent_kernel`, `kernel`, `bias` and `projection_weights`.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        units = self._num_units
        self.recurrent_kernel = self.add_weight("recurrent_kernel", [self.output_size, 8 * units])
        self.kernel = self.add_weight("kernel", [known_depth(input_shape), 8 * units])
        if self._use_bias:
            self.bias = self.add_weight("bias", [8 * units], initializer="zeros")
        if self._num_proj is not None:
            self.projection_weights = self.add_weight("projection_weights", [units, self._num_proj])
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`.
        """
        c, h = state
        of_state = tf.matmul(h, self.recurrent_kernel)
        if self._use_bias:
            of_state = tf.nn.bias_add(of_state, self.bias)
        x = tf.split(tf.matmul(inputs, self.kernel), 8, axis=1)
        m = tf.split(of_state, 8, axis=1)
        tanh, sigmoid, relu = tf.tanh, tf.sigmoid, tf.nn.relu
        # The tree of the search: pairs of inputs and state are joined, and then these in pairs.
        first = tanh(tanh(sigmoid(x[0] + m[0]) * relu(x[1] + m[1])) + c)
        second = tanh(sigmoid(x[2] + m[2]) + relu(x[3] * m[3]))
        third = tanh(tanh(x[4] + m[4]) * sigmoid(x[5] + m[5]))
        fourth = sigmoid(tanh(x[6] + m[6]) + sigmoid(x[7] + m[7]))
        c = first * second
        h = tanh(c * tanh(third + fourth))
        if self._num_proj is not None:
            h = tf.matmul(h, self.projection_weights)
        return h, LSTMStateTuple(c, h)


class SRUCell(OneState, LayerRNNCell):
    """Multiplies inputs alone with its kernel; stands for `tf.contrib.rnn.SRUCell`.

    Args:
        num_units: The size of the state and of the output.
        activation: Function of the state; by default `tanh`.
        reuse: Whether the variables of a cell of that name are used again.
        name: The name of the cell and of its variable scope.
        **kwargs: Further arguments of `RNNCell`, such as `trainable`.
    """

    def __init__(
        self,
        num_units: int,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_reuse=reuse, name=name, **kwargs)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = activation or tf.tanh

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        self._kernel = self.add_weight("kernel", [known_depth(input_shape), 4 * self._num_units])
        self._bias = self.add_weight("bias", [2 * self._num_units], initializer="zeros")
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: A tensor of shape `[batch, units]`.
        """
        new, forget, reset, passed = tf.split(tf.matmul(inputs, self._kernel), 4, axis=1)
        gates = tf.sigmoid(tf.nn.bias_add(tf.concat([forget, reset], 1), self._bias))
        forget, reset = tf.split(gates, 2, axis=1)
        state = forget * state + (1 - forget) * new
        return reset * self._activation(state) + (1 - reset) * passed, state


class PhasedLSTMCell(LSTMState, RNNCell):
    """Updates each unit in a rhythm of its own; stands for `tf.contrib.rnn.PhasedLSTMCell`.

    Args:
        num_units: The size of the memory and of the output.
        use_peepholes: Whether the gates see the memory.
        leak: How much of an update gets through while a unit is off.
        ratio_on: First value of the part of its period during which a unit is on.
        trainable_ratio_on: Whether this part is trained.
        period_init_min: The shortest period to begin with.
        period_init_max: The longest period to begin with.
        reuse: Whether the variables of such a cell are used again.
    """

    def __init__(
        self,
        num_units: int,
        use_peepholes: bool = False,
        leak: float = 0.001,
        ratio_on: float = 0.1,
        trainable_ratio_on: bool = True,
        period_init_min: float = 1.0,
        period_init_max: float = 1000.0,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._leak = leak
        self._ratio_on = ratio_on
        self._trainable_ratio_on = trainable_ratio_on
        self._periods = period_init_min, period_init_max

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: The time, of shape `[batch, 1]`, and a tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`.
        """
        c_before, h_before = state
        time, x = inputs
        units = self._num_units

        def gated(name: str, size: int, memory: Any) -> Any:
            with v1.variable_scope(name):
                return linear([x, h_before, memory] if memory is not None else [x, h_before], size, True)

        peephole = c_before if self._use_peepholes else None
        i, f = tf.split(tf.sigmoid(gated("mask_gates", 2 * units, peephole)), 2, axis=1)
        c = c_before * f + i * tf.tanh(gated("new_input", units, None))
        o = tf.sigmoid(gated("output_gate", units, c if self._use_peepholes else None))
        h = tf.tanh(c) * o
        openness = self._openness(time)
        c = openness * c + (1 - openness) * c_before
        h = openness * h + (1 - openness) * h_before
        return h, LSTMStateTuple(c, h)

    def _openness(self, time: Any) -> Any:
        """Returns how much of an update each unit lets through at a time."""
        shape = [self._num_units]
        period = v1.get_variable("period", shape, initializer=self._first_period)
        phase = v1.get_variable(
            "phase", shape, initializer=v1.random_uniform_initializer(0.0, period.initial_value)
        )
        ratio_on = v1.get_variable(
            "ratio_on",
            shape,
            initializer=v1.constant_initializer(self._ratio_on),
            trainable=self._trainable_ratio_on,
        )
        shifted = time - tf.cast(phase, time.dtype)
        length = tf.cast(period, time.dtype)
        # The gradient of the remainder is that of what is divided.
        cycle = tf.cast((tf.stop_gradient(shifted % length - shifted) + shifted) / length, tf.float32)
        rising = 2 * cycle / ratio_on
        openness = tf.where(cycle < ratio_on, 2 - rising, self._leak * cycle)
        return tf.where(cycle < 0.5 * ratio_on, rising, openness)

    def _first_period(self, shape: Any, dtype: Any = tf.float32, partition_info: Any = None) -> Any:
        shortest, longest = np.log(self._periods)
        return tf.exp(v1.random_uniform(shape, shortest, longest, dtype))


class GLSTMCell(LSTMState, RNNCell):
    """Has a long short-term memory in groups of units; stands for `tf.contrib.rnn.GLSTMCell`.

    Args:
        num_units: The size of the memory.
        initializer: Initialiser of the kernels; by default that of the scope.
        num_proj: The size of the output, if it is projected.
        number_of_groups: How many groups there are. It divides all sizes.
        forget_bias: Added to the forget gate.
        activation: Function of the memory.
        reuse: Whether the variables of such a cell are used again.

    Raises:
        ValueError: A size cannot be divided by the number of groups.
    """

    def __init__(
        self,
        num_units: int,
        initializer: Any = None,
        num_proj: int | None = None,
        number_of_groups: int = 1,
        forget_bias: float = 1.0,
        activation: Callable[[Any], Any] = tf.tanh,
        reuse: Any = None,
    ) -> None:
        super().__init__(_reuse=reuse)
        if num_units % number_of_groups:
            raise ValueError("num_units must be divisible by number_of_groups")
        if num_proj and num_proj % number_of_groups:
            raise ValueError("num_proj must be divisible by number_of_groups")
        self._num_units = num_units
        self._initializer = initializer
        self._num_proj = num_proj
        self._groups = number_of_groups
        self._forget_bias = forget_bias
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`.

        Raises:
            ValueError: The size of the inputs cannot be divided by the number of groups.
        """
        if known_size(inputs) % self._groups:
            raise ValueError(
                f"input size ({known_size(inputs)}) must be divisible by number_of_groups ({self._groups})"
            )
        c, h = state
        gates_of_groups = []
        parts_of_groups = zip(tf.split(inputs, self._groups, 1), tf.split(h, self._groups, 1), strict=True)
        for number, parts in enumerate(parts_of_groups):
            with v1.variable_scope(f"group{number}"):
                size = 4 * self._num_units // self._groups
                products = linear(list(parts), size, False, kernel_initializer=self._initializer)
                gates_of_groups.append(tf.split(products, 4, axis=1))
        i, j, f, o = (
            tf.nn.bias_add(tf.concat(parts, 1), self._bias(gate, inputs.dtype))
            for gate, parts in zip("ijfo", zip(*gates_of_groups, strict=True), strict=True)
        )
        c = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * self._activation(c)
        if self._num_proj is not None:
            with v1.variable_scope("projection"):
                h = linear(h, self._num_proj, False)
        return h, LSTMStateTuple(c, h)

    def _bias(self, gate: str, dtype: Any) -> Any:
        return v1.get_variable(
            f"bias_{gate}", [self._num_units], dtype=dtype, initializer=v1.zeros_initializer()
        )
