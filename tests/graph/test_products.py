"""Which matrix products TensorFlow had better fuse with what follows them."""

import pytest
import tensorflow as tf

from keras_legacy_train.graph.rewriting import products

v1 = tf.compat.v1


def _op(build) -> tf.Operation:
    with tf.Graph().as_default():
        return build().op


@pytest.mark.parametrize(
    ("left", "right", "options", "is_large"),
    [
        ([64, 64], [64, 63], {}, False),
        ([64, 64], [64, 64], {}, True),
        ([64, 10], [64, 10], {"transpose_a": True}, False),
        ([1024, 64], [1024, 8], {"transpose_a": True}, True),
        ([8, 1024], [64, 1024], {"transpose_b": True}, True),
        ([3, 64, 64], [3, 64, 32], {}, True),
        ([2, 64, 64], [2, 64, 16], {}, False),
        ([0, 64], [64, 64], {}, False),
        ([None, 4], [4, 4], {}, True),
    ],
)
def test_a_product_is_large_by_its_multiplications(left, right, options, is_large):
    def build():
        return tf.matmul(v1.placeholder(tf.float32, left), v1.placeholder(tf.float32, right), **options)

    assert products.is_large(_op(build)) == is_large


def test_convolutions_are_large_and_other_operations_are_not():
    assert products.is_large(
        _op(lambda: tf.nn.conv2d(tf.ones([1, 4, 4, 1]), tf.ones([2, 2, 1, 1]), 1, "SAME"))
    )
    assert not products.is_large(_op(lambda: tf.ones([1024, 1024]) + tf.ones([1024, 1024])))
    assert products.may_be_large({"Add", "MatMul"})
    assert not products.may_be_large({"Add"})
