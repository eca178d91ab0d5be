"""Whether a graph's matrix products are worth fusing with what follows them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import tensorflow as tf

# What TensorFlow fuses: these with an added bias and an activation.
_PRODUCTS = frozenset({"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"})
_CONVOLUTIONS = frozenset({"Conv2D", "Conv3D", "DepthwiseConv2dNative"})

# On CPUs a fused product takes 7 µs longer to begin, as long as about so many multiplications.
_LARGE = 2**18


def is_large(op: tf.Operation) -> bool:
    """Whether an operation gains from being fused, as far as its shapes tell."""
    if op.type in _CONVOLUTIONS:
        return True
    if op.type not in _PRODUCTS:
        return False
    left, right = (tensor.shape for tensor in op.inputs[:2])
    product = op.outputs[0].shape
    if None in (left.num_elements(), right.num_elements(), product.num_elements()):
        return True
    # Each number of the product is a sum over what the two have in common.
    rows_and_columns = math.prod(product[-2:])
    common = math.isqrt(math.prod(left[-2:]) * math.prod(right[-2:]) // max(rows_and_columns, 1))
    return product.num_elements() * common >= _LARGE


def may_be_large(op_types: Iterable[str]) -> bool:
    """The same of operations in functions, of which no shapes are known."""
    return not (_PRODUCTS | _CONVOLUTIONS).isdisjoint(op_types)
