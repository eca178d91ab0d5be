"""Works on nested structures; stands for `tf.contrib.framework.nest`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

__all__ = [
    "assert_same_structure",
    "flatten",
    "flatten_dict_items",
    "flatten_up_to",
    "get_traverse_shallow_structure",
    "is_nested",
    "is_sequence",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
]

__getattr__ = module_getattr(__name__, __all__)

assert_same_structure = tf.nest.assert_same_structure
flatten = tf.nest.flatten
is_nested = tf.nest.is_nested
is_sequence = tf.nest.is_nested
map_structure = tf.nest.map_structure
pack_sequence_as = tf.nest.pack_sequence_as
flatten_up_to = tf.__internal__.nest.flatten_up_to
get_traverse_shallow_structure = tf.__internal__.nest.get_traverse_shallow_structure
map_structure_up_to = tf.__internal__.nest.map_structure_up_to


def flatten_dict_items(dictionary: Mapping[Any, Any]) -> dict[Any, Any]:
    """Returns a dict without structures: `{1: "a", 2: "b"}` of `{(1, 2): ("a", "b")}`.

    Stands for `tf.contrib.framework.nest.flatten_dict_items`.

    Args:
        dictionary: Values by keys; where the key is a structure, the value has the same one.

    Raises:
        TypeError: `dictionary` is not a dict.
        ValueError: A key and its value have not the same structure, or a key comes twice.
    """
    if not isinstance(dictionary, Mapping):
        raise TypeError("input must be a dictionary")
    items: dict[Any, Any] = {}
    for keys, values in dictionary.items():
        if not tf.nest.is_nested(keys):
            pairs = [(keys, values)]
        else:
            tf.nest.assert_same_structure(keys, values)
            pairs = list(zip(tf.nest.flatten(keys), tf.nest.flatten(values), strict=True))
        for key, value in pairs:
            if key in items:
                raise ValueError(f"Could not flatten dictionary: key {key} is not unique.")
            items[key] = value
    return items
