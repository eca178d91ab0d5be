"""Has the LSTM cells whose inputs and states are images, lines or volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.rnn.state_sizes import known_depth
from keras_legacy_train.rnn_cell import LSTMStateTuple, RNNCell

v1 = tf.compat.v1


class ConvLSTMCell(RNNCell):
    """Has a long short-term memory that convolves; stands for `tf.contrib.rnn.ConvLSTMCell`.

    Args:
        conv_ndims: The number of dimensions in which it convolves: 1, 2 or 3.
        input_shape: The shape of one input: its sizes, and the number of its channels.
        output_channels: The number of channels of the memory and of the output.
        kernel_shape: The sizes of the kernel.
        use_bias: Whether there is a bias.
        skip_connection: Whether the inputs are added to the output, as further channels.
        forget_bias: Added to the forget gate.
        initializers: Not used, as in the original.
        name: The name of the cell and of its variable scope.

    Raises:
        ValueError: `input_shape` does not have one size more than `conv_ndims`.
    """

    def __init__(
        self,
        conv_ndims: int,
        input_shape: Sequence[int],
        output_channels: int,
        kernel_shape: Sequence[int],
        use_bias: bool = True,
        skip_connection: bool = False,
        forget_bias: float = 1.0,
        initializers: Any = None,
        name: str = "conv_lstm_cell",
    ) -> None:
        super().__init__(name=name)
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"Invalid input_shape {input_shape} for conv_ndims={conv_ndims}.")
        self._input_shape = list(input_shape)
        self._output_channels = output_channels
        self._kernel_shape = list(kernel_shape)
        self._use_bias = use_bias
        self._skip_connection = skip_connection
        self._forget_bias = forget_bias

    @property
    def state_size(self) -> Any:
        """Returns the shapes of the memory and of the output without skipped inputs."""
        shape = tf.TensorShape([*self._input_shape[:-1], self._output_channels])
        return LSTMStateTuple(shape, shape)

    @property
    def output_size(self) -> Any:
        """Returns the shape of the output."""
        channels = self._output_channels + (self._input_shape[-1] if self._skip_connection else 0)
        return tf.TensorShape([*self._input_shape[:-1], channels])

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, *input_shape]`.
            state: An `LSTMStateTuple`.
        """
        c, h = state
        joined = tf.concat([inputs, h], -1)
        channels = 4 * self._output_channels
        kernel = v1.get_variable(
            "kernel", [*self._kernel_shape, known_depth(joined.shape), channels], dtype=inputs.dtype
        )
        gates = tf.nn.convolution(joined, kernel, padding="SAME")
        if self._use_bias:
            gates += v1.get_variable(
                "biases", [channels], dtype=inputs.dtype, initializer=v1.zeros_initializer()
            )
        i, j, f, o = tf.split(gates, 4, axis=-1)
        c = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        # With the skipped inputs in the state, as in TensorFlow 1, there is no second step.
        return tf.concat([h, inputs], -1) if self._skip_connection else h, LSTMStateTuple(c, h)


class Conv1DLSTMCell(ConvLSTMCell):
    """Has a long short-term memory of lines; stands for `tf.contrib.rnn.Conv1DLSTMCell`.

    Args:
        name: The name of the cell and of its variable scope.
        **kwargs: The arguments of `ConvLSTMCell` but `conv_ndims`.

    Raises:
        ValueError: `input_shape` does not have two sizes.
    """

    def __init__(self, name: str = "conv_1d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """Has a long short-term memory of images; stands for `tf.contrib.rnn.Conv2DLSTMCell`.

    Args:
        name: The name of the cell and of its variable scope.
        **kwargs: The arguments of `ConvLSTMCell` but `conv_ndims`.

    Raises:
        ValueError: `input_shape` does not have three sizes.
    """

    def __init__(self, name: str = "conv_2d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """Has a long short-term memory of volumes; stands for `tf.contrib.rnn.Conv3DLSTMCell`.

    Args:
        name: The name of the cell and of its variable scope.
        **kwargs: The arguments of `ConvLSTMCell` but `conv_ndims`.

    Raises:
        ValueError: `input_shape` does not have four sizes.
    """

    def __init__(self, name: str = "conv_3d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=3, name=name, **kwargs)
