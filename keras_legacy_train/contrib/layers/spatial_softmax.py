"""Finds where in an image each channel is active."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.framework.arg_scope import add_arg_scope
from keras_legacy_train.contrib.layers import utils
from keras_legacy_train.contrib.layers.core import format_of_layers
from keras_legacy_train.contrib.layers.scopes import model_variable

v1 = tf.compat.v1


@add_arg_scope
def spatial_softmax(
    features: Any,
    temperature: float | None = None,
    name: Any = None,
    variables_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
) -> Any:
    """Returns the expected place of each channel, whose softmax over the image is taken for a distribution.

    Stands for `tf.contrib.layers.spatial_softmax`.

    Args:
        features: A tensor of shape `[batch, height, width, channels]`.
        temperature: The first value of the variable `temperature`, by which features are divided; 1 by
            default.
        name: The variable scope or its name; by default a new one, `spatial_softmax`.
        variables_collections: Collections that `temperature` is added to if it is trained.
        trainable: Whether `temperature` is trained.
        data_format: "NHWC", or "NCHW" if the channels follow the batch.

    Returns:
        A tensor of shape `[batch, 2 * channels]`: a row and a column for each channel, from -1 to 1.

    Raises:
        ValueError: The number of channels is not known, or `data_format` is wrong.
    """
    layers_format = format_of_layers(data_format, 2)
    with v1.variable_scope(name, "spatial_softmax"):
        channels = utils.channel_dimension(features.shape, layers_format, min_rank=4)
        if layers_format == "channels_last":
            features = tf.transpose(features, [0, 3, 1, 2])
        height, width = tf.unstack(tf.shape(features)[2:])
        with v1.name_scope("spatial_softmax_op", values=[features]):
            rows, columns = tf.meshgrid(
                tf.linspace(-1.0, 1.0, height), tf.linspace(-1.0, 1.0, width), indexing="ij"
            )
            divisor = model_variable(
                "temperature",
                variables_collections if trainable else None,
                shape=(),
                initializer=v1.constant_initializer(1.0 if temperature is None else temperature),
                trainable=trainable,
            )
            attention = tf.nn.softmax(tf.reshape(features, [-1, height * width]) / divisor)
            places = [
                tf.reduce_sum(tf.reshape(place, [-1]) * attention, [1], keepdims=True)
                for place in (rows, columns)
            ]
            return tf.reshape(tf.concat(places, 1), [-1, 2 * channels])
