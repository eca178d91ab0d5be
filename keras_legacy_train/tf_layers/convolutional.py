"""Has convolutions: plain ones of one to three dimensions, separable ones and transposed ones."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorflow as tf

from keras_legacy_train.tf_layers.arguments import (
    channels_from_end,
    channels_to_end,
    data_format_argument,
    data_format_of_op,
    padding_argument,
    tuple_argument,
    window_output_size,
    with_channels,
)
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

v1 = tf.compat.v1


class _Windows(Layer):
    """Holds what all convolutions have: windows over the space of the input, a bias and an activation."""

    rank: ClassVar[int]
    """The number of dimensions of the space."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Activation,
        use_bias: bool,
        bias_initializer: Initializer,
        bias_regularizer: Regularizer,
        activity_regularizer: Regularizer,
        bias_constraint: Constraint,
        trainable: bool,
        name: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            trainable, name, activity_regularizer=get_regularizer(activity_regularizer), **kwargs
        )
        self.filters = filters
        self.kernel_size = tuple_argument(kernel_size, self.rank, "kernel_size")
        self.strides = tuple_argument(strides, self.rank, "strides")
        self.padding = padding_argument(padding, *(["causal"] if self.rank == 1 else []))
        self.data_format = data_format_argument(data_format)
        self.dilation_rate = tuple_argument(dilation_rate, self.rank, "dilation_rate")
        self.activation = get_activation(activation)
        self.use_bias = use_bias
        self.bias_initializer = get_initializer(bias_initializer)
        self.bias_regularizer = get_regularizer(bias_regularizer)
        self.bias_constraint = get_constraint(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """Returns the shape of the output.

        Args:
            input_shape: The shape of the input.
        """
        batch, *space = self._without_channels(input_shape)
        sizes = map(self._output_size, space, range(self.rank))
        if self.data_format == "channels_first":
            return tf.TensorShape([batch, self.filters, *sizes])
        return tf.TensorShape([batch, *sizes, self.filters])

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def _without_channels(self, input_shape: Any) -> list[int | None]:
        shape: list[int | None] = tf.TensorShape(input_shape).with_rank(self.rank + 2).as_list()
        del shape[self._channel_axis]
        return shape

    def _output_size(self, size: int | None, axis: int) -> int | None:
        return window_output_size(
            size, self.kernel_size[axis], self.padding, self.strides[axis], self.dilation_rate[axis]
        )

    def _check_channels(self, input_shape: Any) -> int:
        """Returns the number of input channels, which all later inputs must have."""
        channels: int | None = tf.TensorShape(input_shape).as_list()[self._channel_axis]
        if channels is None:
            raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        return channels

    def _add_bias_weight(self) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                [self.filters],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _padded(self, inputs: Any) -> Any:
        """Returns the inputs with the zeros of causal padding before them."""
        if self.padding != "causal":
            return inputs
        zeros = [self.dilation_rate[0] * (self.kernel_size[0] - 1), 0]
        nothing = [0, 0]
        first = self.data_format == "channels_first"
        return tf.pad(inputs, [nothing, nothing, zeros] if first else [nothing, zeros, nothing])

    @property
    def _op_padding(self) -> str:
        return "VALID" if self.padding == "causal" else self.padding.upper()

    def _finished(self, outputs: Any) -> Any:
        """Returns outputs with the bias and the activation."""
        if self.bias is not None:
            if self.data_format == "channels_last":
                outputs = tf.nn.bias_add(outputs, self.bias)
            elif self.rank == 1:
                outputs += tf.reshape(self.bias, [1, self.filters, 1])
            else:
                outputs = tf.nn.bias_add(outputs, self.bias, data_format="NCHW")
        return outputs if self.activation is None else self.activation(outputs)


class _Convolution(_Windows):
    """Convolves with a kernel. A subclass says of how many dimensions."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
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
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.kernel_initializer = get_initializer(kernel_initializer)
        self.kernel_regularizer = get_regularizer(kernel_regularizer)
        self.kernel_constraint = get_constraint(kernel_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias`.

        Args:
            input_shape: The shape of the input; the number of channels is known.

        Raises:
            ValueError: The number of channels is not known.
        """
        self.kernel = self.add_weight(
            "kernel",
            self._kernel_shape(self._check_channels(input_shape)),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias_weight()
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the convolution of the inputs.

        Args:
            inputs: A tensor of shape `[batch, *space, channels]`, or of `[batch, channels, *space]` if the
                channels come first.
        """
        options = {
            "padding": self._op_padding,
            "data_format": data_format_of_op(self.data_format, self.rank),
        }
        inputs = self._padded(inputs)
        if set(self.dilation_rate) != {1}:
            # The ops themselves have no gradient of dilated windows on a CPU.
            outputs = tf.nn.convolution(
                inputs, self.kernel, strides=self.strides, dilations=self.dilation_rate, **options
            )
        else:
            convolve = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}[self.rank]
            strides = with_channels(self.strides, self.data_format)
            outputs = convolve(inputs, self.kernel, strides, **options)
        return self._finished(outputs)

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels, self.filters)


class Conv1D(_Convolution):
    """Convolves over one dimension, such as time; stands for `tf.layers.Conv1D`.

    The input has the shape `[batch, length, channels]`. The arguments are those of `Conv2D`. Padding
    may also be "causal", which is before the input only.
    """

    rank = 1


class Conv2D(_Convolution):
    """Convolves over two dimensions, such as those of images; stands for `tf.layers.Conv2D`.

    The input has the shape `[batch, height, width, channels]`.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the window, an integer or one for each dimension.
        strides: The steps of the window, an integer or one for each dimension.
        padding: "valid" or "same".
        data_format: "channels_last", or "channels_first" for inputs whose channels follow the batch.
        dilation_rate: The distance of the values that a window sees, an integer or one for each dimension.
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
        ValueError: A size, `padding`, `data_format` or the name of a function is wrong.
    """

    rank = 2


class Conv3D(_Convolution):
    """Convolves over three dimensions, such as those of volumes; stands for `tf.layers.Conv3D`.

    The input has the shape `[batch, depth, height, width, channels]`. The arguments are those of `Conv2D`.
    """

    rank = 3


class _SeparableConvolution(_Windows):
    """Convolves each channel with kernels of its own, then mixes the channels."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Activation = None,
        use_bias: bool = True,
        depthwise_initializer: Initializer = None,
        pointwise_initializer: Initializer = None,
        bias_initializer: Initializer = "zeros",
        depthwise_regularizer: Regularizer = None,
        pointwise_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        depthwise_constraint: Constraint = None,
        pointwise_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            trainable=trainable,
            name=name,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = get_initializer(depthwise_initializer)
        self.pointwise_initializer = get_initializer(pointwise_initializer)
        self.depthwise_regularizer = get_regularizer(depthwise_regularizer)
        self.pointwise_regularizer = get_regularizer(pointwise_regularizer)
        self.depthwise_constraint = get_constraint(depthwise_constraint)
        self.pointwise_constraint = get_constraint(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes `depthwise_kernel`, `pointwise_kernel` and `bias`.

        Args:
            input_shape: The shape of the input; the number of channels is known.

        Raises:
            ValueError: The number of channels is not known.
        """
        channels = self._check_channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            "depthwise_kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            "pointwise_kernel",
            (*[1] * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self._add_bias_weight()
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the convolution of the inputs.

        Args:
            inputs: A tensor of shape `[batch, *space, channels]`, or of `[batch, channels, *space]` if the
                channels come first.
        """
        inputs = self._padded(inputs)
        kernels = self.depthwise_kernel, self.pointwise_kernel
        strides, rates = self.strides, self.dilation_rate
        height = 2 if self.data_format == "channels_first" else 1
        if self.rank == 1:
            # There is an op for images only, so this is one of height 1.
            inputs = tf.expand_dims(inputs, height)
            kernels = tf.expand_dims(kernels[0], 0), tf.expand_dims(kernels[1], 0)
            strides, rates = strides * 2, (1, *rates)
        data_format = data_format_of_op(self.data_format, 2)
        outputs = v1.nn.separable_conv2d(
            inputs,
            *kernels,
            with_channels(strides, self.data_format),
            self._op_padding,
            rate=rates,
            data_format=data_format,
        )
        if self.bias is not None:
            outputs = tf.nn.bias_add(outputs, self.bias, data_format=data_format)
        if self.rank == 1:
            outputs = tf.squeeze(outputs, [height])
        return outputs if self.activation is None else self.activation(outputs)


class SeparableConv1D(_SeparableConvolution):
    """Convolves over one dimension, by channel and then across; stands for `tf.layers.SeparableConv1D`.

    The input has the shape `[batch, length, channels]`. The arguments are those of `SeparableConv2D`. Padding
    may also be "causal", which is before the input only.
    """

    rank = 1


class SeparableConv2D(_SeparableConvolution):
    """Convolves over two dimensions, by channel and then across; stands for `tf.layers.SeparableConv2D`.

    The input has the shape `[batch, height, width, channels]`.

    Args:
        filters: The number of output channels.
        kernel_size: The size of the window, an integer or one for each dimension.
        strides: The steps of the window, an integer or one for each dimension; in two dimensions, equal ones.
        padding: "valid" or "same".
        data_format: "channels_last", or "channels_first" for inputs whose channels follow the batch.
        dilation_rate: The distance of the values that a window sees, an integer or one for each dimension.
        depth_multiplier: The number of kernels for each input channel.
        activation: Function applied to the output, or its name; `None` for none.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initialiser of the kernels of channels; `None` for that of the variable scope,
            or Glorot's uniform one.
        pointwise_initializer: Initialiser of the kernel that mixes channels; `None` as above.
        bias_initializer: Initialiser of the bias.
        depthwise_regularizer: Function from the kernels of channels to a loss.
        pointwise_regularizer: Function from the kernel that mixes channels to a loss.
        bias_regularizer: Function from the bias to a loss.
        activity_regularizer: Function from the output to a loss, which is divided by the batch size.
        depthwise_constraint: Function from the kernels of channels to their value after an update.
        pointwise_constraint: Function from the kernel that mixes channels to its value after an update.
        bias_constraint: Function from the bias to its value after an optimizer's update.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        name: The name of the layer and of its variable scope.
        **kwargs: Further arguments of `Layer`, such as `dtype`.

    Raises:
        ValueError: A size, `padding`, `data_format` or the name of a function is wrong.
    """

    rank = 2


class _TransposedConvolution(_Convolution):
    """Does the gradient of a convolution, which makes the space larger."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = "channels_last",
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
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            1,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            trainable,
            name,
            **kwargs,
        )

    def call(self, inputs: Any) -> Any:
        """Returns the transposed convolution of the inputs.

        Args:
            inputs: A tensor of shape `[batch, *space, channels]`, or of `[batch, channels, *space]` if the
                channels come first.
        """
        transpose = {2: tf.nn.conv2d_transpose, 3: tf.nn.conv3d_transpose}[self.rank]
        shape = self.compute_output_shape(inputs.shape)
        # On a CPU, the op wants the channels last.
        images = channels_to_end(inputs, self.data_format)
        sizes = tf.shape(images)
        space = [self._output_size(sizes[1 + axis], axis) for axis in range(self.rank)]
        outputs = transpose(
            images,
            self.kernel,
            tf.stack([sizes[0], *space, self.filters]),
            [1, *self.strides, 1],
            self._op_padding,
        )
        outputs = channels_from_end(outputs, self.data_format)
        outputs.set_shape(shape)
        return self._finished(outputs)

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def _output_size(self, size: Any, axis: int) -> Any:
        if size is None:
            return None
        stride = self.strides[axis]
        overlap = 0 if self.padding == "same" else max(self.kernel_size[axis] - stride, 0)
        return size * stride + overlap


class Conv2DTranspose(_TransposedConvolution):
    """Does the transpose of a convolution over two dimensions; stands for `tf.layers.Conv2DTranspose`.

    The input has the shape `[batch, height, width, channels]`. The arguments are those of `Conv2D`, without
    `dilation_rate`.
    """

    rank = 2


class Conv3DTranspose(_TransposedConvolution):
    """Does the transpose of a convolution over three dimensions; stands for `tf.layers.Conv3DTranspose`.

    The input has the shape `[batch, depth, height, width, channels]`. The arguments are those of `Conv2D`,
    without `dilation_rate`.
    """

    rank = 3


conv1d = as_function(Conv1D)
conv2d = as_function(Conv2D)
conv3d = as_function(Conv3D)
separable_conv1d = as_function(SeparableConv1D)
separable_conv2d = as_function(SeparableConv2D)
conv2d_transpose = as_function(Conv2DTranspose)
conv3d_transpose = as_function(Conv3DTranspose)
