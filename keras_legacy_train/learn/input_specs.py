"""Knows the kinds of features and labels, so that a later input can be compared or replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf


def _map(function: Callable[[Any], Any], value: Any) -> Any:
    return (
        {key: function(part) for key, part in value.items()}
        if isinstance(value, Mapping)
        else function(value)
    )


def specs_of(value: Any) -> Any:
    """Returns the kinds of tensors, of any number of examples."""

    def spec(tensor: Any) -> tf.TypeSpec:
        if isinstance(tensor, tf.SparseTensor):
            return tf.SparseTensorSpec(None, tensor.dtype)
        tensor = tf.convert_to_tensor(tensor)
        shape = tensor.shape if not tensor.shape.ndims else [None, *tensor.shape[1:]]
        return tf.TensorSpec(shape, tensor.dtype)

    return _map(spec, value)


def are_compatible(value: Any, known: Any) -> bool:
    """Returns whether tensors are of the kinds that are known."""
    found = specs_of(value)
    if not isinstance(known, Mapping):
        return not isinstance(found, Mapping) and bool(known.is_compatible_with(found))
    return isinstance(found, Mapping) and all(
        name in found and spec.is_compatible_with(found[name]) for name, spec in known.items()
    )


def _placeholder(spec: Any) -> Any:
    if isinstance(spec, tf.SparseTensorSpec):
        return tf.compat.v1.sparse_placeholder(spec.dtype)
    return tf.compat.v1.placeholder(spec.dtype, spec.shape)


def placeholders(known: Any) -> Any:
    """Returns stand-ins for tensors of the kinds that are known."""
    return _map(_placeholder, known)


def parse_examples(known: Any, examples: tf.Tensor) -> Any:
    """Returns the features in serialised `tf.train.Example`s, of the kinds that are known.

    Raises:
        ValueError: An `Example` cannot hold them.
    """
    named = known if isinstance(known, Mapping) else {"": known}
    parsed = tf.compat.v1.parse_example(examples, {name: _parsing(spec) for name, spec in named.items()})
    return parsed if isinstance(known, Mapping) else parsed[""]


def _parsing(spec: Any) -> Any:
    if isinstance(spec, tf.SparseTensorSpec):
        return tf.io.VarLenFeature(spec.dtype)
    return tf.io.FixedLenFeature(spec.shape[1:], spec.dtype)
