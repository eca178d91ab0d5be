"""Says the sizes of states and outputs, which are the same for many cells."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.rnn_cell import LSTMStateTuple


class OneState:
    """Is a cell whose state and output have the same size."""

    _num_units: int

    @property
    def state_size(self) -> Any:
        """Returns the number of units."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """Returns the number of units."""
        return self._num_units


class LSTMState:
    """Is a cell with a memory and an output, which may be projected."""

    _num_units: int
    _num_proj: int | None = None

    @property
    def state_size(self) -> Any:
        """Returns the sizes of the memory and of the output."""
        return LSTMStateTuple(self._num_units, self.output_size)

    @property
    def output_size(self) -> Any:
        """Returns the size of the output: that of the projection, or the number of units."""
        return self._num_proj or self._num_units


def known_size(inputs: Any) -> int:
    """Returns the size of inputs of shape `[batch, size]`; raises ValueError if it is not known."""
    size: int | None = inputs.shape.with_rank(2).as_list()[1]
    if size is None:
        raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
    return size


def known_depth(shape: Any) -> int:
    """Returns the last dimension of a shape; raises ValueError if it is not known."""
    depth: int | None = tf.TensorShape(shape).as_list()[-1]
    if depth is None:
        raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {shape}")
    return depth
