"""Hashes combinations of categories as TensorFlow 1 did, so that checkpoints fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY = 956888297470
"""The key that `tf.contrib.layers` recommended."""

_SEED = 0xDECAFCAFFE
_GOLDEN_RATIO = 0x9E3779B97F4A7800
_SEPARATOR = "_X_"


def crossed(inputs: Sequence[Any], num_buckets: int, hash_key: int | None) -> Any:
    """Returns numbers for all combinations of the categories of each example.

    Args:
        inputs: Categories, words or integers: `SparseTensor`s, or dense tensors, of shape `[batch, length]`.
            The sparse ones come first in the hash.
        num_buckets: How many numbers there are.
        hash_key: Key of the hash; `None` for the hash of before there were keys.

    Returns:
        A `SparseTensor` of `int64`, of shape `[batch, combinations]`.
    """
    sparse = [each for each in inputs if isinstance(each, tf.SparseTensor)]
    dense = [each for each in inputs if not isinstance(each, tf.SparseTensor)]
    values = [_as_categories(each.values) for each in sparse]
    dense = [_as_categories(each) for each in dense]
    if hash_key:
        only_words = all(each.dtype == tf.string for each in (*values, *dense))
        return _cross(
            sparse,
            values,
            dense,
            hashed_output=True,
            num_buckets=num_buckets,
            hash_key=hash_key,
            out_type=tf.int64,
            internal_type=tf.string if only_words else tf.int64,
        )
    # The op of today has a key always. So let it combine places, and hash what stands there.
    combined = _cross(
        sparse,
        [tf.range(tf.size(each, tf.int64)) for each in values],
        [tf.reshape(tf.range(tf.size(each, tf.int64)), tf.shape(each)) for each in dense],
        hashed_output=False,
        num_buckets=0,
        hash_key=SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY,
        out_type=tf.string,
        internal_type=tf.int64,
    )
    places = tf.strings.to_number(tf.strings.split(combined.values, _SEPARATOR).flat_values, tf.int64)
    places = tf.reshape(places, [-1, len(inputs)])
    hashed = tf.fill(tf.shape(combined.values), tf.constant(_SEED, tf.uint64))
    for column, categories in enumerate((*values, *dense)):
        hashed = _combined(hashed, tf.gather(_fingerprint(categories), places[:, column]))
    ids = tf.cast(tf.math.floormod(hashed, tf.constant(num_buckets, tf.uint64)), tf.int64)
    return tf.SparseTensor(combined.indices, ids, combined.dense_shape)


def _cross(sparse: Sequence[Any], values: Sequence[Any], dense: Sequence[Any], **options: Any) -> Any:
    return tf.SparseTensor(
        *tf.raw_ops.SparseCross(
            indices=[each.indices for each in sparse],
            values=values,
            shapes=[each.dense_shape for each in sparse],
            dense_inputs=dense,
            **options,
        )
    )


def _as_categories(tensor: Any) -> Any:
    return tensor if tensor.dtype == tf.string else tf.cast(tensor, tf.int64)


def _fingerprint(categories: Any) -> Any:
    """Returns a number of 64 bits for each word; integers as they are."""
    flat = tf.reshape(categories, [-1])
    if flat.dtype == tf.string:
        return tf.bitcast(tf.fingerprint(tf.expand_dims(flat, -1)), tf.uint64)
    return tf.bitcast(flat, tf.uint64)


def _combined(first: Any, second: Any) -> Any:
    up = tf.bitwise.left_shift(first, tf.constant(10, tf.uint64))
    # The shift to the right keeps the sign: the original's numbers were signed there.
    down = tf.bitwise.right_shift(tf.bitcast(first, tf.int64), tf.constant(4, tf.int64))
    mixed = second + tf.constant(_GOLDEN_RATIO, tf.uint64) + up + tf.bitcast(down, tf.uint64)
    return tf.bitwise.bitwise_xor(first, mixed)
