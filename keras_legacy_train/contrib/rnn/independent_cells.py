"""Has cells whose units see their own last output alone, and not those of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.rnn.state_sizes import LSTMState, OneState, known_depth
from keras_legacy_train.rnn_cell import LSTMStateTuple
from keras_legacy_train.rnn_cell.base import LayerRNNCell
from keras_legacy_train.tf_layers.input_spec import InputSpec

v1 = tf.compat.v1


class _IndependentCell(LayerRNNCell):
    """Multiplies the inputs with a matrix, and the last outputs with a number each."""

    def __init__(
        self, num_units: int, activation: Any, reuse: Any, name: str | None, dtype: Any, initializers: Any
    ) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._activation = activation or tf.tanh
        self._kernel_initializer, self._bias_initializer = initializers

    def _add_weights(self, input_shape: Any, names: tuple[str, str, str], gates: int, bias: str) -> list[Any]:
        size = gates * self._num_units
        kernel, recurrent, biases = names
        between = v1.random_uniform_initializer(-1, 1, dtype=tf.as_dtype(self.dtype or tf.float32))
        return [
            self.add_weight(kernel, [known_depth(input_shape), size], initializer=self._kernel_initializer),
            self.add_weight(recurrent, [1, size], initializer=between),
            self.add_weight(biases, [size], initializer=self._bias_initializer or bias),
        ]


def _products(inputs: Any, state: Any, weights: list[Any]) -> Any:
    kernel, recurrent, bias = weights
    gates = known_depth(recurrent.shape) // known_depth(state.shape)
    return tf.nn.bias_add(tf.matmul(inputs, kernel) + tf.tile(state, [1, gates]) * recurrent, bias)


class IndRNNCell(OneState, _IndependentCell):
    """Computes `activation(inputs @ kernel_w + state * kernel_u + bias)`.

    Stands for `tf.contrib.rnn.IndRNNCell`.

    Args:
        num_units: The size of the state and of the output.
        activation: Function applied to the output; by default `tanh`.
        reuse: Whether the variables of a cell of that name are used again.
        name: The name of the cell and of its variable scope.
        dtype: The dtype of the variables; by default that of the first input.
    """

    def __init__(
        self,
        num_units: int,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, name, dtype, (None, None))

    def build(self, input_shape: Any) -> None:
        """Makes `kernel_w`, `kernel_u` and `bias`.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        self._cell_weights = self._add_weights(input_shape, ("kernel_w", "kernel_u", "bias"), 1, "zeros")
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output, twice: it is the new state, too.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The last output.
        """
        output = self._activation(_products(inputs, state, self._cell_weights))
        return output, output


class IndyGRUCell(OneState, _IndependentCell):
    """Is a `GRUCell` with units that do not see each other; stands for `tf.contrib.rnn.IndyGRUCell`.

    Args:
        num_units: The size of the state and of the output.
        activation: Function applied to the candidate for the state; by default `tanh`.
        reuse: Whether the variables of a cell of that name are used again.
        kernel_initializer: Initialiser of the kernels of the inputs.
        bias_initializer: Initialiser of both biases; by default ones for the gates, and zeros for the
            candidate.
        name: The name of the cell and of its variable scope.
        dtype: The dtype of the variables; by default that of the first input.
    """

    def __init__(
        self,
        num_units: int,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        initializers = kernel_initializer, bias_initializer
        super().__init__(num_units, activation, reuse, name, dtype, initializers)

    def build(self, input_shape: Any) -> None:
        """Makes the kernels and biases of the gates and of the candidate.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        names = ("gates/kernel_w", "gates/kernel_u", "gates/bias")
        self._gate_weights = self._add_weights(input_shape, names, 2, "ones")
        names = ("candidate/kernel", "candidate/kernel_u", "candidate/bias")
        self._candidate_weights = self._add_weights(input_shape, names, 1, "zeros")
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output, twice: it is the new state, too.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The last output.
        """
        gates = tf.sigmoid(_products(inputs, state, self._gate_weights))
        reset, update = tf.split(gates, 2, axis=1)
        candidate = self._activation(_products(inputs, reset * state, self._candidate_weights))
        new_state = update * state + (1 - update) * candidate
        return new_state, new_state


class IndyLSTMCell(LSTMState, _IndependentCell):
    """Is a `BasicLSTMCell` with units that do not see each other; stands for `tf.contrib.rnn.IndyLSTMCell`.

    Args:
        num_units: The size of the memory and of the output.
        forget_bias: Added to the bias of the forget gate.
        activation: Function of the memory; by default `tanh`.
        reuse: Whether the variables of a cell of that name are used again.
        kernel_initializer: Initialiser of the kernel of the inputs.
        bias_initializer: Initialiser of the bias; by default zeros.
        name: The name of the cell and of its variable scope.
        dtype: The dtype of the variables; by default that of the first input.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        activation: Callable[[Any], Any] | None = None,
        reuse: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        initializers = kernel_initializer, bias_initializer
        super().__init__(num_units, activation, reuse, name, dtype, initializers)
        self._forget_bias = forget_bias

    def build(self, input_shape: Any) -> None:
        """Makes `kernel_w`, `kernel_u` and `bias`.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        self._cell_weights = self._add_weights(input_shape, ("kernel_w", "kernel_u", "bias"), 4, "zeros")
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`.
        """
        c, h = state
        i, j, f, o = tf.split(_products(inputs, h, self._cell_weights), 4, axis=1)
        c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * self._activation(j)
        h = self._activation(c) * tf.sigmoid(o)
        return h, LSTMStateTuple(c, h)
