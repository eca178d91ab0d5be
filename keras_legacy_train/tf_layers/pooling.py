"""Has pooling: the largest or the average value of each window."""

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
from keras_legacy_train.tf_layers.input_spec import InputSpec

v1 = tf.compat.v1


class _Pooling(Layer):
    """Pools windows. A subclass says of how many dimensions, and by which op."""

    rank: ClassVar[int]
    _pool: ClassVar[Any]

    def __init__(
        self,
        pool_size: Any,
        strides: Any,
        padding: str = "valid",
        data_format: str | None = "channels_last",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if strides is None:
            raise ValueError("Argument `strides` must not be None.")
        super().__init__(name=name, **kwargs)
        self.pool_size = tuple_argument(pool_size, self.rank, "pool_size")
        self.strides = tuple_argument(strides, self.rank, "strides")
        self.padding = padding_argument(padding)
        self.data_format = data_format_argument(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """Returns the pooled inputs.

        Args:
            inputs: A tensor of shape `[batch, *space, channels]`, or of `[batch, channels, *space]` if the
                channels come first.
        """
        padding = self.padding.upper()
        if self.rank == 2:
            sizes = (with_channels(each, self.data_format) for each in (self.pool_size, self.strides))
            return self._pool(inputs, *sizes, padding, data_format_of_op(self.data_format, 2))
        if self.rank == 1:
            width = 2 if self.data_format == "channels_last" else 3
            inputs = tf.expand_dims(inputs, width)
        # On a CPU, the ops want the channels last.
        images = channels_to_end(inputs, self.data_format)
        window, strides = (
            [1, *each, *([1] if self.rank == 1 else []), 1] for each in (self.pool_size, self.strides)
        )
        outputs = channels_from_end(self._pool(images, window, strides, padding), self.data_format)
        return tf.squeeze(outputs, [width]) if self.rank == 1 else outputs

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """Returns the shape of the output.

        Args:
            input_shape: The shape of the input.
        """
        shape = tf.TensorShape(input_shape).with_rank(self.rank + 2).as_list()
        start = 2 if self.data_format == "channels_first" else 1
        for axis, (window, stride) in enumerate(zip(self.pool_size, self.strides, strict=True), start):
            shape[axis] = window_output_size(shape[axis], window, self.padding, stride)
        return tf.TensorShape(shape)


class MaxPooling1D(_Pooling):
    """Takes the largest value of each window over time; stands for `tf.layers.MaxPooling1D`.

    The input has the shape `[batch, length, channels]`. The arguments are those of `MaxPooling2D`.
    """

    rank = 1
    _pool = staticmethod(v1.nn.max_pool)


class MaxPooling2D(_Pooling):
    """Takes the largest value of each window of an image; stands for `tf.layers.MaxPooling2D`.

    The input has the shape `[batch, height, width, channels]`.

    Args:
        pool_size: The size of the window, an integer or one for each dimension.
        strides: The steps of the window, an integer or one for each dimension.
        padding: "valid" or "same".
        data_format: "channels_last", or "channels_first" for inputs whose channels follow the batch.
        name: The name of the layer.
        **kwargs: Further arguments of `Layer`.

    Raises:
        ValueError: A size, `strides`, `padding` or `data_format` is wrong.
    """

    rank = 2
    _pool = staticmethod(v1.nn.max_pool)


class MaxPooling3D(_Pooling):
    """Takes the largest value of each window of a volume; stands for `tf.layers.MaxPooling3D`.

    The input has the shape `[batch, depth, height, width, channels]`. The arguments are those of
    `MaxPooling2D`.
    """

    rank = 3
    _pool = staticmethod(v1.nn.max_pool3d)


class AveragePooling1D(_Pooling):
    """Takes the average of each window over time; stands for `tf.layers.AveragePooling1D`.

    The input has the shape `[batch, length, channels]`. The arguments are those of `MaxPooling2D`.
    """

    rank = 1
    _pool = staticmethod(v1.nn.avg_pool)


class AveragePooling2D(_Pooling):
    """Takes the average of each window of an image; stands for `tf.layers.AveragePooling2D`.

    The input has the shape `[batch, height, width, channels]`. The arguments are those of `MaxPooling2D`.
    """

    rank = 2
    _pool = staticmethod(v1.nn.avg_pool)


class AveragePooling3D(_Pooling):
    """Takes the average of each window of a volume; stands for `tf.layers.AveragePooling3D`.

    The input has the shape `[batch, depth, height, width, channels]`. The arguments are those of
    `MaxPooling2D`.
    """

    rank = 3
    _pool = staticmethod(v1.nn.avg_pool3d)


max_pooling1d = as_function(MaxPooling1D, has_variables=False)
max_pooling2d = as_function(MaxPooling2D, has_variables=False)
max_pooling3d = as_function(MaxPooling3D, has_variables=False)
average_pooling1d = as_function(AveragePooling1D, has_variables=False)
average_pooling2d = as_function(AveragePooling2D, has_variables=False)
average_pooling3d = as_function(AveragePooling3D, has_variables=False)
