"""Has the decoder that a helper gives its inputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from keras_legacy_train.contrib.seq2seq.decoder import Decoder
from keras_legacy_train.contrib.seq2seq.helper import Helper
from keras_legacy_train.rnn_cell.wrappers import check_cell
from keras_legacy_train.tf_layers.base import Layer

v1 = tf.compat.v1


class BasicDecoderOutput(NamedTuple):
    """Holds the outputs of a `BasicDecoder`: of its cell or output layer, and the samples of its helper.

    Stands for `tf.contrib.seq2seq.BasicDecoderOutput`.
    """

    rnn_output: Any
    sample_id: Any


class BasicDecoder(Decoder):
    """Runs a cell on the inputs of a helper; stands for `tf.contrib.seq2seq.BasicDecoder`.

    Args:
        cell: The cell.
        helper: The helper, which draws samples from outputs and makes inputs from them.
        initial_state: The first state of the cell.
        output_layer: A layer of `tf_layers`, applied to the cell's output before the helper sees it.

    Raises:
        TypeError: `cell`, `helper` or `output_layer` is of another type.
    """

    def __init__(self, cell: Any, helper: Helper, initial_state: Any, output_layer: Any = None) -> None:
        check_cell("cell", cell)
        if not isinstance(helper, Helper):
            raise TypeError(f"helper must be a Helper, received: {type(helper)}")
        check_output_layer(output_layer)
        self._cell = cell
        self._helper = helper
        self._initial_state = initial_state
        self._output_layer = output_layer

    @property
    def batch_size(self) -> Any:
        """Returns the batch size of the helper."""
        return self._helper.batch_size

    @property
    def output_size(self) -> BasicDecoderOutput:
        """Returns the sizes of the outputs and of the samples."""
        return BasicDecoderOutput(self._rnn_output_size(), self._helper.sample_ids_shape)

    @property
    def output_dtype(self) -> BasicDecoderOutput:
        """Returns the dtypes of the outputs, which is that of the state, and of the samples."""
        dtype = tf.nest.flatten(self._initial_state)[0].dtype
        dtypes = tf.nest.map_structure(lambda _: dtype, self._rnn_output_size())
        return BasicDecoderOutput(dtypes, self._helper.sample_ids_dtype)

    def _rnn_output_size(self) -> Any:
        return output_size(self._cell, self._output_layer)

    def initialize(self, name: str | None = None) -> Any:
        """Returns `(finished, inputs, state)` for the first step.

        Args:
            name: Not used; the helper names its ops.
        """
        return (*self._helper.initialize(), self._initial_state)

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """Returns `(outputs, next_state, next_inputs, finished)` of a step.

        Args:
            time: The number of the step, an int32 scalar.
            inputs: The inputs of the step.
            state: The state before it.
            name: The name scope of the ops.
        """
        with v1.name_scope(name, "BasicDecoderStep", (time, inputs, state)):
            outputs, state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            sample_ids = self._helper.sample(time=time, outputs=outputs, state=state)
            finished, next_inputs, next_state = self._helper.next_inputs(
                time=time, outputs=outputs, state=state, sample_ids=sample_ids
            )
        return BasicDecoderOutput(outputs, sample_ids), next_state, next_inputs, finished


def check_output_layer(layer: Any) -> None:
    """Checks an argument `output_layer`.

    Args:
        layer: The argument.

    Raises:
        TypeError: It is neither None nor a layer of `tf_layers`.
    """
    if layer is not None and not isinstance(layer, Layer):
        raise TypeError(
            f"output_layer must be a Layer of keras_legacy_train.tf_layers, received: {type(layer)}"
        )


def output_size(cell: Any, output_layer: Any) -> Any:
    """Returns the size of a cell's output, or of what a layer makes of it.

    Args:
        cell: The cell.
        output_layer: The layer, or None.
    """
    if output_layer is None:
        return cell.output_size
    shapes = tf.nest.map_structure(lambda size: tf.TensorShape([None]).concatenate(size), cell.output_size)
    return tf.nest.map_structure(lambda shape: shape[1:], output_layer.compute_output_shape(shapes))
