"""Has pooling: the largest or the average value of each window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train import tf_layers
from keras_legacy_train.contrib.framework.arg_scope import add_arg_scope
from keras_legacy_train.contrib.layers import utils
from keras_legacy_train.contrib.layers.core import format_of_layers

v1 = tf.compat.v1


def _pooling(layer_class: Callable[..., Any], default_name: str, default_format: str) -> Callable[..., Any]:
    """Returns the function of a pooling layer: `max_pool2d` for `MaxPool2D`."""

    def function(
        inputs: Any,
        kernel_size: Any,
        stride: Any = 2,
        padding: str = "VALID",
        data_format: str = default_format,
        outputs_collections: Any = None,
        scope: str | None = None,
    ) -> Any:
        layers_format = format_of_layers(data_format, len(default_format) - 2)
        with v1.name_scope(scope, default_name, [inputs]) as name:
            layer = layer_class(kernel_size, stride, padding, layers_format, _scope=name)
            outputs = layer(tf.convert_to_tensor(inputs))
            return utils.collect_named_outputs(outputs_collections, name, outputs)

    kind, rank = default_name.split("Pool")
    function.__name__ = function.__qualname__ = f"{kind}_pool{rank}".lower()
    function.__doc__ = _DOCSTRING.format(
        value="largest value" if kind == "Max" else "average",
        function=function.__name__,
        space={"2D": "height, width", "3D": "depth, height, width"}[rank],
        data_format=default_format,
        name=default_name,
    )
    return add_arg_scope(function)


_DOCSTRING = """Returns the {value} of each window; stands for `tf.contrib.layers.{function}`.

    Args:
        inputs: A tensor of shape `[batch, {space}, channels]`.
        kernel_size: The size of the window, an integer or one for each dimension.
        stride: The steps of the window, an integer or one for each dimension.
        padding: "VALID" or "SAME".
        data_format: "{data_format}", or the format that begins with "NC" if the channels follow the batch.
        outputs_collections: Collections that the output is added to.
        scope: The name scope, `{name}` by default.

    Returns:
        A tensor of the rank of the inputs.

    Raises:
        ValueError: `data_format`, a size or `padding` is wrong, or the inputs are of another rank.
    """

max_pool2d = _pooling(tf_layers.MaxPooling2D, "MaxPool2D", "NHWC")
max_pool3d = _pooling(tf_layers.MaxPooling3D, "MaxPool3D", "NDHWC")
avg_pool2d = _pooling(tf_layers.AveragePooling2D, "AvgPool2D", "NHWC")
avg_pool3d = _pooling(tf_layers.AveragePooling3D, "AvgPool3D", "NDHWC")


@add_arg_scope
def pool(
    inputs: Any,
    kernel_size: Any,
    pooling_type: str,
    padding: str = "VALID",
    data_format: str | None = None,
    dilation_rate: Any = 1,
    stride: Any = 1,
    outputs_collections: Any = None,
    scope: str | None = None,
) -> Any:
    """Pools windows of a space of any rank; stands for `tf.contrib.layers.pool`.

    Args:
        inputs: A tensor of shape `[batch, *space, channels]`.
        kernel_size: The size of the window, an integer or one for each dimension of the space.
        pooling_type: "MAX" or "AVG".
        padding: "VALID" or "SAME".
        data_format: A format that begins with "NC" if the channels follow the batch.
        dilation_rate: The distance of the values that a window sees.
        stride: The steps of the window.
        outputs_collections: Collections that the output is added to.
        scope: The name scope, `max_pool` or `avg_pool` by default.

    Returns:
        A tensor of the rank of the inputs.

    Raises:
        ValueError: The inputs have fewer than three dimensions, or an argument is wrong.
    """
    with v1.name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as name:
        inputs = tf.convert_to_tensor(inputs)
        if (inputs.shape.rank or 0) < 3:
            raise ValueError("Rank of inputs must be known, and >= 3")
        rank = inputs.shape.rank - 2
        outputs = v1.nn.pool(
            inputs,
            window_shape=utils.n_positive_integers(rank, kernel_size),
            pooling_type=pooling_type,
            padding=padding,
            data_format=data_format,
            dilation_rate=utils.n_positive_integers(rank, dilation_rate),
            strides=utils.n_positive_integers(rank, stride),
            name=name,
        )
        return utils.collect_named_outputs(outputs_collections, name, outputs)
