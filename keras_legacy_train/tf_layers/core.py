"""Has the layers of every network: dense ones, dropout, and those that flatten."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from keras_legacy_train.tf_layers.arguments import channels_to_end, data_format_argument
from keras_legacy_train.tf_layers.base import Layer
from keras_legacy_train.tf_layers.functional import as_function
from keras_legacy_train.tf_layers.functions_by_name import (
    Activation,
    Constraint,
    Initializer,
    Regularizer,
    get_activation,
    get_constraint,
    get_initializer,
    get_regularizer,
)
from keras_legacy_train.tf_layers.input_spec import InputSpec
from keras_legacy_train.tf_layers.switch import static_or_tensor, switch

v1 = tf.compat.v1


class Dense(Layer):
    """Computes `activation(inputs @ kernel + bias)`; stands for `tf.layers.Dense`.

    Args:
        units: The size of the output's last dimension.
        activation: Function applied to the output, or its name; `None` for none.
        use_bias: Whether a bias is added.
        kernel_initializer: Initialiser of the kernel; `None` for that of the variable scope, or Glorot's
            uniform one.
        bias_initializer: Initialiser of the bias.
        kernel_regularizer: Function from the kernel to a loss.
        bias_regularizer: Function from the bias to a loss.
        activity_regularizer: Function from the output to a loss, which is divided by the batch size.
        kernel_constraint: Function from the kernel to its value after an optimizer's update.
        bias_constraint: Function from the bias to its value after an optimizer's update.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        name: The name of the layer and of its variable scope.
        **kwargs: Further arguments of `Layer`, such as `dtype`.

    Raises:
        ValueError: A name of a function is unknown.
    """

    def __init__(
        self,
        units: int,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = None,
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            trainable, name, activity_regularizer=get_regularizer(activity_regularizer), **kwargs
        )
        self.units = int(units)
        self.activation = get_activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = get_initializer(kernel_initializer)
        self.bias_initializer = get_initializer(bias_initializer)
        self.kernel_regularizer = get_regularizer(kernel_regularizer)
        self.bias_regularizer = get_regularizer(bias_regularizer)
        self.kernel_constraint = get_constraint(kernel_constraint)
        self.bias_constraint = get_constraint(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`.

        Args:
            input_shape: The shape of the input; the last dimension is known.

        Raises:
            TypeError: The dtype is not a floating one.
            ValueError: The last dimension is not known.
        """
        dtype = tf.as_dtype(self.dtype or tf.float32)
        if not (dtype.is_floating or dtype.is_complex):
            raise TypeError(f"Unable to build `Dense` layer with non-floating point dtype {dtype!r}")
        size = tf.TensorShape(input_shape).as_list()[-1]
        if size is None:
            raise ValueError("The last dimension of the inputs to `Dense` should be defined. Found `None`.")
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.kernel = self.add_weight(
            "kernel",
            [size, self.units],
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                [self.units],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the output.

        Args:
            inputs: A tensor of shape `[..., size]`, or a `SparseTensor` of shape `[batch, size]`.
        """
        rank = inputs.shape.rank
        if rank > 2:
            outputs = tf.tensordot(inputs, self.kernel, [[rank - 1], [0]])
            outputs.set_shape(self.compute_output_shape(inputs.shape))
        elif isinstance(inputs, tf.SparseTensor):
            outputs = tf.sparse.sparse_dense_matmul(tf.cast(inputs, self.dtype), self.kernel)
        else:
            outputs = tf.matmul(tf.cast(inputs, self.dtype), self.kernel)
        if self.bias is not None:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """Returns the shape of the output: that of the input, with `units` as its last dimension.

        Args:
            input_shape: The shape of the input, of rank 2 or more.

        Raises:
            ValueError: The last dimension is not known.
        """
        shape = tf.TensorShape(input_shape).with_rank_at_least(2)
        if shape.as_list()[-1] is None:
            raise ValueError(f"The innermost dimension of input_shape must be defined, but saw: {shape}")
        return shape[:-1].concatenate(self.units)


dense = as_function(Dense)


class Dropout(Layer):
    """Sets a part of the inputs to zero in training, at random; stands for `tf.layers.Dropout`.

    Args:
        rate: The part of the inputs to drop, from 0 to 1; a number or a scalar tensor. The others are
            divided by `1 - rate`.
        noise_shape: Shape of what is drawn. A dimension of 1 is drawn once for all; `None` is the input's.
        seed: Seed of the op.
        name: The name of the layer.
        **kwargs: Further arguments of `Layer`.
    """

    def __init__(
        self,
        rate: Any = 0.5,
        noise_shape: Any = None,
        seed: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Returns the inputs, a part of them dropped in training.

        Args:
            inputs: A tensor.
            training: Whether this is training: a bool, or a scalar tensor of dtype bool.
        """
        return switch(
            static_or_tensor(training),
            lambda: v1.nn.dropout(
                inputs, rate=self.rate, noise_shape=self._noise_shape(inputs), seed=self.seed
            ),
            lambda: tf.identity(inputs),
        )

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """Returns the shape of the output, which is that of the input.

        Args:
            input_shape: The shape of the input.
        """
        return tf.TensorShape(input_shape)

    def _noise_shape(self, inputs: Any) -> Any:
        if self.noise_shape is None or isinstance(self.noise_shape, tf.Tensor):
            return self.noise_shape
        shape = tf.shape(inputs)
        return tf.convert_to_tensor(
            [shape[axis] if size is None else size for axis, size in enumerate(self.noise_shape)]
        )


def dropout(
    inputs: Any,
    rate: Any = 0.5,
    noise_shape: Any = None,
    seed: int | None = None,
    training: Any = False,
    name: str | None = None,
) -> Any:
    """Returns the inputs, a part of them set to zero in training; stands for `tf.layers.dropout`.

    Args:
        inputs: A tensor.
        rate: The part of the inputs to drop, from 0 to 1; a number or a scalar tensor.
        noise_shape: Shape of what is drawn. A dimension of 1 is drawn once for all; `None` is the input's.
        seed: Seed of the op.
        training: Whether this is training: a bool, or a scalar tensor of dtype bool.
        name: The name of the layer.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        RuntimeError: No graph is being built.
    """
    return Dropout(rate, noise_shape=noise_shape, seed=seed, name=name)(inputs, training=training)


class Flatten(Layer):
    """Makes all dimensions but the first into one; stands for `tf.layers.Flatten`.

    Args:
        data_format: "channels_last", or "channels_first" to move the second dimension to the end before.
        **kwargs: Arguments of `Layer`, such as `name`.

    Raises:
        ValueError: `data_format` is another.
    """

    def __init__(self, data_format: str | None = "channels_last", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_argument(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """Returns the inputs as a matrix.

        Args:
            inputs: A tensor of shape `[batch, ...]`.
        """
        if inputs.shape.rank > 1:
            inputs = channels_to_end(inputs, self.data_format)
        outputs = tf.reshape(inputs, (inputs.shape.as_list()[0] or tf.shape(inputs)[0], -1))
        outputs.set_shape(self.compute_output_shape(inputs.shape))
        return outputs

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """Returns the shape of the output, `[batch, size]`.

        Args:
            input_shape: The shape of the input, of rank 1 or more.
        """
        batch, *others = tf.TensorShape(input_shape).as_list()
        return tf.TensorShape([batch, math.prod(others) if all(others) else None])


def flatten(inputs: Any, name: str | None = None, data_format: str | None = "channels_last") -> Any:
    """Returns the inputs with all dimensions but the first made into one; stands for `tf.layers.flatten`.

    Args:
        inputs: A tensor of shape `[batch, ...]`.
        name: The name of the layer.
        data_format: "channels_last", or "channels_first" to move the second dimension to the end before.

    Returns:
        A tensor of shape `[batch, size]`.

    Raises:
        RuntimeError: No graph is being built.
        ValueError: `data_format` is another.
    """
    return Flatten(data_format, name=name)(inputs)
