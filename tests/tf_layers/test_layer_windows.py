"""Convolutions and pooling: shapes in both data formats, signatures, and what they refuse."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import tensorflow as tf

from keras_legacy_train import tf_layers

v1 = tf.compat.v1

CONVOLUTIONS = {
    1: [tf_layers.Conv1D, tf_layers.SeparableConv1D],
    2: [tf_layers.Conv2D, tf_layers.SeparableConv2D, tf_layers.Conv2DTranspose],
    3: [tf_layers.Conv3D, tf_layers.Conv3DTranspose],
}
POOLING = {
    1: [tf_layers.MaxPooling1D, tf_layers.AveragePooling1D],
    2: [tf_layers.MaxPooling2D, tf_layers.AveragePooling2D],
    3: [tf_layers.MaxPooling3D, tf_layers.AveragePooling3D],
}


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_shape_of_the_output_is_known_before_the_call(rank: int, data_format: str) -> None:
    space = [9, 8, 7][:rank]
    shape = [None, 3, *space] if data_format == "channels_first" else [None, *space, 3]
    inputs = v1.placeholder(tf.float32, shape)
    for padding in ["valid", "SAME"]:
        options = {"strides": 2, "padding": padding, "data_format": data_format}
        layers = [make(4, 3, **options) for make in CONVOLUTIONS[rank]]
        layers += [make(3, **options) for make in POOLING[rank]]
        for layer in layers:
            outputs = layer(inputs)
            assert outputs.shape.as_list() == layer.compute_output_shape(shape).as_list(), layer.name
    unknown = [None] * (rank + 2)
    assert POOLING[rank][0](2, 1).compute_output_shape(unknown).as_list() == unknown


def test_a_transposed_convolution_knows_the_sizes_that_are_known() -> None:
    layer = tf_layers.Conv2DTranspose(3, 4, 2, "valid")
    inputs = v1.placeholder(tf.float32, [None, None, 5, 2])
    assert layer(inputs).shape.as_list() == [None, None, 12, 3]
    assert layer.compute_output_shape([2, None, 5, 2]).as_list() == [2, None, 12, 3]


def test_causal_padding_keeps_the_length() -> None:
    inputs = v1.placeholder(tf.float32, [None, 3, 9])
    for make in CONVOLUTIONS[1]:
        layer = make(4, 3, padding="causal", dilation_rate=2, data_format="channels_first")
        assert layer(inputs).shape.as_list() == layer.compute_output_shape(inputs.shape).as_list()
        assert layer.compute_output_shape(inputs.shape).as_list() == [None, 4, 9]


def test_a_function_has_the_signature_of_its_class() -> None:
    assert list(inspect.signature(tf_layers.max_pooling2d).parameters) == [
        *["inputs", "pool_size", "strides", "padding", "data_format", "name"]
    ]
    (inputs, *of_class, reuse) = inspect.signature(tf_layers.conv2d).parameters.values()
    assert [inputs.name, reuse.name, reuse.default] == ["inputs", "reuse", None]
    assert of_class == list(inspect.signature(tf_layers.Conv2D).parameters.values())[:-1]
    assert tf_layers.conv2d_transpose.__name__ == "conv2d_transpose"
    assert "stands for `tf.layers.conv2d_transpose`" in str(tf_layers.conv2d_transpose.__doc__)
    with pytest.raises(TypeError, match="filters"):
        tf_layers.conv2d(tf.zeros([2, 5, 5, 1]))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: tf_layers.conv2d(x[0], 2, 3), "expected ndim=4, found ndim=3"),
        (lambda x: tf_layers.conv2d(x, 2, (1, 2, 3)), "`kernel_size` argument must be a tuple"),
        (lambda x: tf_layers.conv2d(x, 2, ["a", 2]), "`kernel_size` argument must be a tuple"),
        (
            lambda x: tf_layers.conv2d(x, 2, 3, strides="ab"),
            "`strides` argument must be a tuple",
        ),
        (
            lambda x: tf_layers.conv2d(x, 2, 3, padding="causal"),
            '`padding` argument must be one of "valid", "same"',
        ),
        (lambda x: tf_layers.conv2d(x, 2, 3, data_format="NHWC"), "`data_format` argument must be one of"),
        (lambda x: tf_layers.conv2d(v1.placeholder(tf.float32, [1, 5, 5, None]), 2, 3), "channel dimension"),
        (lambda x: tf_layers.max_pooling2d(x, 2, None), "Argument `strides` must not be None"),
        (lambda x: tf_layers.max_pooling1d(x, 2, 1), "Input 0 of layer max_pooling1d_1"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(tf.zeros([2, 5, 5, 1]))
