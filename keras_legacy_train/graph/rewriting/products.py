"""Tells whether a graph's matrix products are worth fusing with the ops that follow them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import tensorflow as tf

# TensorFlow fuses these with an added bias and an activation.
_PRODUCTS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"})
_CONVOLUTIONS = frozenset({"Conv2D", "Conv3D", "DepthwiseConv2dNative"})

# A fused product takes 7 µs longer to begin on CPUs, the time of about this many multiplications.
_LARGE = 2**18


def is_large(op: tf.Operation) -> bool:
    """Returns whether an operation gains from being fused; true if its shapes do not tell."""
    if op.type in _CONVOLUTIONS:
        return True
    if op.type not in _PRODUCTS:
        return False
    left, right = (tensor.shape for tensor in op.inputs[:2])
    product = op.outputs[0].shape
    if None in (left.num_elements(), right.num_elements(), product.num_elements()):
        return True
    # Each number of the product is a sum over the dimension that the two have in common.
    rows_and_columns = math.prod(product[-2:])
    common = math.isqrt(math.prod(left[-2:]) * math.prod(right[-2:]) // max(rows_and_columns, 1))
    return bool(product.num_elements() * common >= _LARGE)


def may_be_large(op_types: Iterable[str]) -> bool:
    """Returns whether operations in functions may gain from being fused: no shapes are known there."""
    return not (_PRODUCTS | _CONVOLUTIONS).isdisjoint(op_types)
