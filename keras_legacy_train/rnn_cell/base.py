"""Has the base classes of cells, and their states."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import tensorflow as tf

from keras_legacy_train.tf_layers.base import Layer, is_trained

v1 = tf.compat.v1
_logger = logging.getLogger("keras_legacy_train")


class _LSTMState(NamedTuple):
    c: Any
    h: Any


class LSTMStateTuple(_LSTMState):
    """Holds the memory `c` and the output `h` of an LSTM; stands for `tf.nn.rnn_cell.LSTMStateTuple`."""

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """Returns the dtype of the state.

        Raises:
            TypeError: `c` and `h` have different ones.
        """
        if self.c.dtype != self.h.dtype:
            raise TypeError(f"Inconsistent internal state: {self.c.dtype} vs {self.h.dtype}")
        return self.c.dtype


class RNNCell(Layer):
    """Takes an input and a state to an output and a new state; stands for `tf.nn.rnn_cell.RNNCell`.

    A subclass says its `state_size` and `output_size`, and makes its ops in `call(inputs, state)`. There it
    may make variables with `tf.compat.v1.get_variable`: they belong to the cell.

    Args:
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        name: The name of the cell and of its variable scope; by default that of the class.
        dtype: The dtype of the variables; by default that of the first input.
        **kwargs: Further arguments of `tf_layers.Layer`.
    """

    def __init__(self, trainable: bool = True, name: Any = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(trainable, name, dtype, **kwargs)
        self._surrounding: Any = None

    @property
    def state_size(self) -> Any:
        """Returns the size of the state: an integer, a `tf.TensorShape`, or a structure of these."""
        raise NotImplementedError("Abstract method")

    @property
    def output_size(self) -> Any:
        """Returns the size of the output: an integer, a `tf.TensorShape`, or a structure of these."""
        raise NotImplementedError("Abstract method")

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`, or a structure of tensors.
            state: Tensors of shape `[batch, size]`, in the structure of `state_size`.
            scope: The variable scope, or its name; by default one with the name of the cell, in the scope
                of the first call.

        Returns:
            The output, and the new state in the structure of the old one.

        Raises:
            RuntimeError: No graph is being built.
            ValueError: The inputs do not fit the cell.
        """
        if scope is None:
            self._surrounding = self._surrounding or v1.get_variable_scope()
            with v1.variable_scope(self._surrounding, custom_getter=self._get_variable):
                return super().__call__(inputs, state)
        with v1.variable_scope(scope, custom_getter=self._get_variable) as opened:
            return super().__call__(inputs, state, scope=opened)

    def build(self, input_shape: Any) -> None:
        """Makes variables. A cell may also make them in `call`.

        Args:
            input_shape: The shape of the input.
        """

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Returns a state of zeros.

        Args:
            inputs: A tensor with the batch size and the dtype of the state.
            batch_size: The batch size, if there are no inputs.
            dtype: The dtype, if there are no inputs.

        Raises:
            ValueError: They contradict each other, or say too little.
        """
        if inputs is not None:
            inputs = tf.convert_to_tensor(inputs)
            known = inputs.shape.as_list()[0]
            static = None if batch_size is None else tf.get_static_value(batch_size)
            if batch_size is not None and known != static:
                raise ValueError(
                    "batch size from input tensor is different from the input param."
                    f" Input tensor batch: {known}, batch_size: {batch_size}"
                )
            if dtype is not None and inputs.dtype != dtype:
                raise ValueError(
                    "dtype from input tensor is different from the input param."
                    f" Input tensor dtype: {inputs.dtype}, dtype: {dtype}"
                )
            batch_size, dtype = tf.shape(inputs)[0] if known is None else known, inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(
                "batch_size and dtype cannot be None while constructing initial state:"
                f" batch_size={batch_size}, dtype={dtype}"
            )
        return self.zero_state(batch_size, dtype)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Returns a state of zeros, in the structure of `state_size`.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the tensors.
        """

        def zeros(size: Any) -> Any:
            sizes = tf.TensorShape(size).as_list()
            state = tf.zeros([batch_size, *sizes], dtype)
            state.set_shape([tf.get_static_value(batch_size), *sizes])
            return state

        with v1.name_scope(f"{type(self).__name__}ZeroState"):
            return tf.nest.map_structure(zeros, self.state_size)

    def _get_variable(self, getter: Any, *args: Any, **kwargs: Any) -> Any:
        """Gets a variable, and notes that it belongs to the cell."""
        variable = getter(*args, **kwargs)
        self._add_to_weights(variable, is_trained(variable))
        return variable


class LayerRNNCell(RNNCell):
    """Makes its variables in `build`, as other layers do: the base class of this package's cells."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: Tensors of shape `[batch, size]`, in the structure of `state_size`.
            scope: The variable scope, or its name, if this is the first call.
            *args: Further arguments for `call`.
            **kwargs: Further arguments for `call`.

        Raises:
            RuntimeError: No graph is being built.
            ValueError: The inputs do not fit the cell.
        """
        return Layer.__call__(self, inputs, state, *args, scope=scope, **kwargs)


def warn_of_input_size(cell: Any, input_size: Any) -> None:
    """Warns that an argument of old versions is not used.

    Args:
        cell: The cell that got it.
        input_size: The argument.
    """
    if input_size is not None:
        _logger.warning("%s: The input_size parameter is deprecated.", cell.name)
