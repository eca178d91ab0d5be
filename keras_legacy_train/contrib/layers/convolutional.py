"""Has convolutions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import tf_layers
from keras_legacy_train.contrib.framework.arg_scope import add_arg_scope
from keras_legacy_train.contrib.layers import utils
from keras_legacy_train.contrib.layers.core import (
    XAVIER,
    ZEROS,
    Function,
    format_of_layers,
    normalized_and_activated,
)
from keras_legacy_train.contrib.layers.regularizers import Regularizer
from keras_legacy_train.contrib.layers.scopes import NAMES, add_to_collections, layer_scope, model_variable

v1 = tf.compat.v1

_CONVOLUTIONS: Mapping[int, Callable[..., Any]] = {
    1: tf_layers.Conv1D,
    2: tf_layers.Conv2D,
    3: tf_layers.Conv3D,
}


@add_arg_scope
def convolution(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str | None = None,
    rate: Any = 1,
    activation_fn: Function | None = tf.nn.relu,
    normalizer_fn: Function | None = None,
    normalizer_params: Mapping[str, Any] | None = None,
    weights_initializer: Any = XAVIER,
    weights_regularizer: Regularizer | None = None,
    biases_initializer: Any = ZEROS,
    biases_regularizer: Regularizer | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    conv_dims: int | None = None,
) -> Any:
    """Convolves a signal, an image or a volume; stands for `tf.contrib.layers.convolution`.

    Args:
        inputs: A tensor of shape `[batch, *space, channels]`.
        num_outputs: The number of output channels.
        kernel_size: The size of the window, an integer or one for each dimension of the space.
        stride: The steps of the window, an integer or one for each dimension.
        padding: "VALID" or "SAME".
        data_format: "NWC", "NHWC" or "NDHWC"; "NCW", "NCHW" or "NCDHW" if the channels follow the batch.
        rate: The distance of the values that a window sees, an integer or one for each dimension.
        activation_fn: See `fully_connected`, also for the arguments below.
        normalizer_fn: Function applied before that, in the place of the biases.
        normalizer_params: Further arguments of that function.
        weights_initializer: Initialiser of `weights`.
        weights_regularizer: Function from `weights` to a loss.
        biases_initializer: Initialiser of `biases`; `None` for no biases.
        biases_regularizer: Function from `biases` to a loss.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that the variables are added to.
        outputs_collections: Collections that the output is added to.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        scope: The variable scope or its name; by default a new one, `Conv`.
        conv_dims: The rank that the space must have, from 1 to 3; `None` for any.

    Returns:
        A tensor of the rank of the inputs.

    Raises:
        RuntimeError: No graph is being built.
        ValueError: The inputs are of another rank, the number of their channels is not known, or an argument
            is wrong.
    """
    if data_format not in (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW"):
        raise ValueError(f"Invalid data_format: {data_format!r}")
    with layer_scope(scope, "Conv", inputs, reuse, NAMES) as opened:
        inputs = tf.convert_to_tensor(inputs)
        rank = (inputs.shape.rank or 0) - 2
        if conv_dims is not None and conv_dims != rank:
            raise ValueError(f"Convolution expects input with rank {conv_dims + 2}, got {inputs.shape.rank}")
        if rank not in _CONVOLUTIONS:
            raise ValueError(f"Convolution not supported for input with rank {inputs.shape.rank}")
        layer = _CONVOLUTIONS[rank](
            num_outputs,
            kernel_size,
            stride,
            padding,
            "channels_first" if (data_format or "").startswith("NC") else "channels_last",
            rate,
            use_bias=not normalizer_fn and biases_initializer is not None,
            kernel_initializer=weights_initializer,
            bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer,
            bias_regularizer=biases_regularizer,
            trainable=trainable,
            name=opened.name,
            dtype=inputs.dtype.base_dtype,
            _scope=opened,
            _reuse=reuse,
        )
        outputs = layer(inputs)
        add_to_collections(layer.kernel, variables_collections, "weights")
        add_to_collections(layer.bias, variables_collections, "biases")
        outputs = normalized_and_activated(outputs, normalizer_fn, normalizer_params, activation_fn)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


def _convolution_of_rank(rank: int) -> Callable[..., Any]:
    """Returns `convolution` for one rank, as `convolution2d`, which `arg_scope` tells from others."""
    convolve = inspect.unwrap(convolution)
    *parameters, _ = inspect.signature(convolve).parameters.values()

    def function(*args: Any, **kwargs: Any) -> Any:
        return convolve(*args, **kwargs, conv_dims=rank)

    function.__name__ = function.__qualname__ = f"convolution{rank}d"
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__doc__ = _DOCSTRING.format(rank=rank)
    return add_arg_scope(function)


_DOCSTRING = """Convolves a space of {rank} dimensions; stands for `tf.contrib.layers.convolution{rank}d`.

    Args:
        inputs: A tensor of {rank} dimensions beside those of the batch and of the channels. This and all
            other arguments are those of `convolution`, without `conv_dims`.

    Returns:
        A tensor of the rank of the inputs.

    Raises:
        RuntimeError: No graph is being built.
        ValueError: As `convolution` does.
    """

convolution1d = conv1d = _convolution_of_rank(1)
convolution2d = conv2d = _convolution_of_rank(2)
convolution3d = conv3d = _convolution_of_rank(3)


def _transposed_convolution(
    layer_class: Callable[..., Any], rank: int, default_format: str
) -> Callable[..., Any]:
    """Returns the function of a transposed convolution, `convolution2d_transpose` for a rank of 2."""

    def function(
        inputs: Any,
        num_outputs: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: str = "SAME",
        data_format: str = default_format,
        activation_fn: Function | None = tf.nn.relu,
        normalizer_fn: Function | None = None,
        normalizer_params: Mapping[str, Any] | None = None,
        weights_initializer: Any = XAVIER,
        weights_regularizer: Regularizer | None = None,
        biases_initializer: Any = ZEROS,
        biases_regularizer: Regularizer | None = None,
        reuse: Any = None,
        variables_collections: Any = None,
        outputs_collections: Any = None,
        trainable: bool = True,
        scope: Any = None,
    ) -> Any:
        layers_format = format_of_layers(data_format, rank)
        with layer_scope(scope, f"Conv{rank}d_transpose", inputs, reuse, NAMES) as opened:
            inputs = tf.convert_to_tensor(inputs)
            layer = layer_class(
                num_outputs,
                kernel_size,
                stride,
                padding,
                layers_format,
                use_bias=not normalizer_fn and biases_initializer is not None,
                kernel_initializer=weights_initializer,
                bias_initializer=biases_initializer,
                kernel_regularizer=weights_regularizer,
                bias_regularizer=biases_regularizer,
                trainable=trainable,
                name=opened.name,
                dtype=inputs.dtype.base_dtype,
                _scope=opened,
                _reuse=reuse,
            )
            outputs = layer(inputs)
            add_to_collections(layer.kernel, variables_collections, "weights")
            add_to_collections(layer.bias, variables_collections, "biases")
            outputs = normalized_and_activated(outputs, normalizer_fn, normalizer_params, activation_fn)
            return utils.collect_named_outputs(outputs_collections, opened.name, outputs)

    function.__name__ = function.__qualname__ = f"convolution{rank}d_transpose"
    function.__doc__ = _TRANSPOSED_DOCSTRING.format(rank=rank)
    return add_arg_scope(function)


_TRANSPOSED_DOCSTRING = """Returns what a convolution would make into `inputs`.

    Stands for `tf.contrib.layers.convolution{rank}d_transpose`.

    Args:
        inputs: A tensor of {rank} dimensions beside those of the batch and of the channels.
        num_outputs: See `convolution`, also for the other arguments. There is no `rate`.
        stride: The steps of the window: how many times the output is larger.

    Returns:
        A tensor of the rank of the inputs.

    Raises:
        RuntimeError: No graph is being built.
        ValueError: As `convolution` does.
    """

convolution2d_transpose = conv2d_transpose = _transposed_convolution(tf_layers.Conv2DTranspose, 2, "NHWC")
convolution3d_transpose = conv3d_transpose = _transposed_convolution(tf_layers.Conv3DTranspose, 3, "NDHWC")


@add_arg_scope
def separable_convolution2d(
    inputs: Any,
    num_outputs: int | None,
    kernel_size: Any,
    depth_multiplier: int = 1,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NHWC",
    rate: Any = 1,
    activation_fn: Function | None = tf.nn.relu,
    normalizer_fn: Function | None = None,
    normalizer_params: Mapping[str, Any] | None = None,
    weights_initializer: Any = XAVIER,
    pointwise_initializer: Any = None,
    weights_regularizer: Regularizer | None = None,
    biases_initializer: Any = ZEROS,
    biases_regularizer: Regularizer | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """Convolves each channel of an image, then mixes the channels; stands for that of `tf.contrib.layers`.

    The variables are `depthwise_weights`, `pointwise_weights` and `biases`.

    Args:
        inputs: A tensor of shape `[batch, height, width, channels]`.
        num_outputs: The number of output channels; `None` to leave them unmixed.
        kernel_size: The size of the window, an integer or one for each dimension.
        depth_multiplier: How many channels are made of each.
        stride: See `convolution`, also for the other arguments.
        padding: "VALID" or "SAME".
        data_format: "NHWC" or "NCHW".
        rate: The distance of the values that a window sees.
        activation_fn: Function applied to the output; `None` for none.
        normalizer_fn: Function applied before that, in the place of the biases.
        normalizer_params: Further arguments of that function.
        weights_initializer: Initialiser of `depthwise_weights`.
        pointwise_initializer: Initialiser of `pointwise_weights`; by default `weights_initializer`.
        weights_regularizer: Function from either weights to a loss.
        biases_initializer: Initialiser of `biases`; `None` for no biases.
        biases_regularizer: Function from `biases` to a loss.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that the variables are added to.
        outputs_collections: Collections that the output is added to.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        scope: The variable scope or its name; by default a new one, `SeparableConv2d`.

    Returns:
        A tensor of four dimensions.

    Raises:
        RuntimeError: No graph is being built.
        ValueError: As `convolution` does.
    """
    layers_format = format_of_layers(data_format, 2)
    names = {
        "bias": "biases",
        "depthwise_kernel": "depthwise_weights",
        "pointwise_kernel": "pointwise_weights",
    }
    with layer_scope(scope, "SeparableConv2d", inputs, reuse, names) as opened:
        inputs = tf.convert_to_tensor(inputs)
        if num_outputs is None:
            outputs = _depthwise(
                inputs,
                [*utils.two_element_tuple(kernel_size)],
                depth_multiplier,
                utils.two_element_tuple(stride),
                padding,
                data_format,
                utils.two_element_tuple(rate),
                add_biases=not normalizer_fn and biases_initializer is not None,
                weights={"initializer": weights_initializer, "regularizer": weights_regularizer},
                biases={"initializer": biases_initializer, "regularizer": biases_regularizer},
                trainable=trainable,
                variables_collections=variables_collections,
            )
        else:
            layer = tf_layers.SeparableConv2D(
                num_outputs,
                kernel_size,
                stride,
                padding,
                layers_format,
                utils.two_element_tuple(rate),
                depth_multiplier,
                use_bias=not normalizer_fn and biases_initializer is not None,
                depthwise_initializer=weights_initializer,
                pointwise_initializer=pointwise_initializer or weights_initializer,
                bias_initializer=biases_initializer,
                depthwise_regularizer=weights_regularizer,
                pointwise_regularizer=weights_regularizer,
                bias_regularizer=biases_regularizer,
                trainable=trainable,
                name=opened.name,
                dtype=inputs.dtype.base_dtype,
                _scope=opened,
                _reuse=reuse,
            )
            outputs = layer(inputs)
            add_to_collections(layer.depthwise_kernel, variables_collections, "weights")
            add_to_collections(layer.pointwise_kernel, variables_collections, "weights")
            add_to_collections(layer.bias, variables_collections, "biases")
        outputs = normalized_and_activated(outputs, normalizer_fn, normalizer_params, activation_fn)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


separable_conv2d = separable_convolution2d


@add_arg_scope
def convolution2d_in_plane(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    activation_fn: Function | None = tf.nn.relu,
    normalizer_fn: Function | None = None,
    normalizer_params: Mapping[str, Any] | None = None,
    weights_initializer: Any = XAVIER,
    weights_regularizer: Regularizer | None = None,
    biases_initializer: Any = ZEROS,
    biases_regularizer: Regularizer | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """Convolves each channel of an image with the same kernel; stands for that of `tf.contrib.layers`.

    Args:
        inputs: A tensor of shape `[batch, height, width, channels]`.
        kernel_size: See `convolution`, also for the other arguments.
        stride: The steps of the window.
        padding: "VALID" or "SAME".
        activation_fn: Function applied to the output; `None` for none.
        normalizer_fn: Function applied before that, in the place of the biases.
        normalizer_params: Further arguments of that function.
        weights_initializer: Initialiser of `weights`, of shape `[height, width, 1, 1]`.
        weights_regularizer: Function from `weights` to a loss.
        biases_initializer: Initialiser of `biases`; `None` for no biases.
        biases_regularizer: Function from `biases` to a loss.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that the variables are added to.
        outputs_collections: Collections that the output is added to.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        scope: The variable scope or its name; by default a new one, `ConvInPlane`.

    Returns:
        A tensor of shape `[batch, rows, columns, channels]`.

    Raises:
        ValueError: The number of channels is not known, or a size is wrong.
    """
    with v1.variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as opened:
        inputs = tf.convert_to_tensor(inputs)
        channels = utils.last_dimension(inputs.shape, min_rank=4)
        options = {"dtype": inputs.dtype.base_dtype, "trainable": trainable}
        weights = model_variable(
            "weights",
            variables_collections,
            shape=[*utils.two_element_tuple(kernel_size), 1, 1],
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            **options,
        )
        outputs = v1.nn.depthwise_conv2d(
            inputs,
            tf.tile(weights, [1, 1, channels, 1]),
            [1, *utils.two_element_tuple(stride), 1],
            padding,
        )
        if normalizer_fn is None and biases_initializer is not None:
            biases = model_variable(
                "biases",
                variables_collections,
                shape=[channels],
                initializer=biases_initializer,
                regularizer=biases_regularizer,
                **options,
            )
            outputs = tf.nn.bias_add(outputs, biases)
        outputs = normalized_and_activated(outputs, normalizer_fn, normalizer_params, activation_fn)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


conv2d_in_plane = convolution2d_in_plane


def _depthwise(
    inputs: Any,
    kernel_size: list[int],
    depth_multiplier: int,
    stride: tuple[int, int],
    padding: str,
    data_format: str,
    rate: tuple[int, int],
    *,
    add_biases: bool,
    weights: dict[str, Any],
    biases: dict[str, Any],
    trainable: bool,
    variables_collections: Any,
) -> Any:
    first = data_format.startswith("NC")
    channels = utils.channel_dimension(inputs.shape, "channels_first" if first else "channels_last", 4)
    options = {"dtype": inputs.dtype.base_dtype, "trainable": trainable}
    kernel = model_variable(
        "depthwise_weights",
        {"depthwise_weights": utils.get_variable_collections(variables_collections, "weights")},
        shape=[*kernel_size, channels, depth_multiplier],
        **weights,
        **options,
    )
    strides = [1, 1, *stride] if first else [1, *stride, 1]
    outputs = v1.nn.depthwise_conv2d(inputs, kernel, strides, padding, rate=rate, data_format=data_format)
    if not add_biases:
        return outputs
    bias = model_variable(
        "biases", variables_collections, shape=[depth_multiplier * channels], **biases, **options
    )
    return v1.nn.bias_add(outputs, bias, data_format=data_format)
