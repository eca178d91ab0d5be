"""Has the tables of `tf.contrib.lookup`: from words to numbers, and back.

A table is initialised by `tf.compat.v1.tables_initializer()`, which `train` does.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train._tensorflow import (
    FastHashSpec,
    HasherSpec,
    IdTableWithHashBuckets,
    InitializableLookupTableBase,
    LookupInterface,
    StrongHashSpec,
    TableInitializerBase,
    TextFileIdTableInitializer,
    TextFileStringTableInitializer,
    index_table_from_file,
    index_to_string_table_from_file,
)
from keras_legacy_train._tensorflow import index_table_from_tensor as _index_table_from_tensor
from keras_legacy_train._tensorflow import (
    index_to_string_table_from_tensor as _index_to_string_table_from_tensor,
)
from keras_legacy_train.contrib._missing import module_getattr

v1 = tf.compat.v1

KeyValueTensorInitializer = tf.lookup.KeyValueTensorInitializer
MutableDenseHashTable = tf.lookup.experimental.DenseHashTable
MutableHashTable = tf.lookup.experimental.MutableHashTable
TextFileIndex = tf.lookup.TextFileIndex
TextFileInitializer = tf.lookup.TextFileInitializer

__all__ = [
    "FastHashSpec",
    "HashTable",
    "HasherSpec",
    "IdTableWithHashBuckets",
    "InitializableLookupTableBase",
    "KeyValueTensorInitializer",
    "LookupInterface",
    "MutableDenseHashTable",
    "MutableHashTable",
    "StrongHashSpec",
    "TableInitializerBase",
    "TextFileIdTableInitializer",
    "TextFileIndex",
    "TextFileInitializer",
    "TextFileStringTableInitializer",
    "index_table_from_file",
    "index_table_from_tensor",
    "index_to_string",
    "index_to_string_table_from_file",
    "index_to_string_table_from_tensor",
    "string_to_index",
    "string_to_index_table_from_file",
    "string_to_index_table_from_tensor",
]

__getattr__ = module_getattr(__name__, __all__)


class HashTable(tf.compat.v1.lookup.StaticHashTable):
    """Is a table that does not change; stands for `tf.contrib.lookup.HashTable`.

    Args:
        initializer: What fills the table, a `KeyValueTensorInitializer` for example.
        default_value: The value of keys that are not in the table.
        shared_name: The name under which sessions share the table; by default they share none.
        name: The name of the op.
    """

    def __init__(
        self, initializer: Any, default_value: Any, shared_name: str | None = None, name: str | None = None
    ) -> None:
        self._given_name = shared_name
        super().__init__(initializer, default_value, name)

    def _create_resource(self) -> Any:
        # The name that its initialiser suggests is for tables of one vocabulary, which are never changed.
        self._shared_name = self._given_name or ""
        return super()._create_resource()

    @property
    def init(self) -> Any:
        """Returns the operation that fills the table."""
        return self.initializer


def index_table_from_tensor(
    mapping: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: Any = FastHashSpec,
    dtype: Any = tf.string,
    name: str | None = None,
) -> Any:
    """Returns the table of the positions of words; stands for `tf.contrib.lookup.index_table_from_tensor`.

    Args:
        mapping: The words, a vector.
        num_oov_buckets: The number of values for other words, which are chosen by hash.
        default_value: The value of other words, if there are no buckets.
        hasher_spec: The hash.
        dtype: The dtype of words: a string or an integer.
        name: The name of the ops.

    Raises:
        ValueError: There are no words, or the number of buckets is negative.
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    return _index_table_from_tensor(mapping, num_oov_buckets, default_value, hasher_spec, dtype, name)


def string_to_index_table_from_tensor(
    mapping: Any,
    num_oov_buckets: int = 0,
    default_value: int = -1,
    hasher_spec: Any = FastHashSpec,
    name: str | None = None,
) -> Any:
    """Returns `index_table_from_tensor` of strings; its name in TensorFlow 0.12.

    Args:
        mapping: The words, a vector.
        num_oov_buckets: The number of values for other words.
        default_value: The value of other words, if there are no buckets.
        hasher_spec: The hash.
        name: The name of the ops.

    Raises:
        ValueError: There are no words, or the number of buckets is negative.
    """
    return index_table_from_tensor(
        mapping, num_oov_buckets, default_value, hasher_spec=hasher_spec, name=name
    )


def string_to_index_table_from_file(
    vocabulary_file: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: int = -1,
    hasher_spec: Any = FastHashSpec,
    name: str | None = None,
) -> Any:
    """Returns `index_table_from_file` of strings; its name in TensorFlow 0.12.

    Args:
        vocabulary_file: The file, a word on each line.
        num_oov_buckets: The number of values for other words.
        vocab_size: The number of words, if not all of the file are meant.
        default_value: The value of other words, if there are no buckets.
        hasher_spec: The hash.
        name: The name of the ops.

    Raises:
        ValueError: There is no file, or a number is wrong.
    """
    return index_table_from_file(
        vocabulary_file, num_oov_buckets, vocab_size, default_value, hasher_spec, name=name
    )


def index_to_string_table_from_tensor(
    mapping: Any, default_value: str = "UNK", name: str | None = None
) -> Any:
    """Returns the table of the words at positions.

    Stands for `tf.contrib.lookup.index_to_string_table_from_tensor`.

    Args:
        mapping: The words, a vector.
        default_value: The word of other numbers.
        name: The name of the ops.

    Raises:
        ValueError: There are no words.
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    return _index_to_string_table_from_tensor(mapping, default_value, name)


def string_to_index(tensor: Any, mapping: Any, default_value: int = -1, name: str | None = None) -> Any:
    """Returns the positions of words; stands for `tf.contrib.lookup.string_to_index`.

    Args:
        tensor: The words, a dense or sparse tensor.
        mapping: All words, a vector.
        default_value: The number of words that are not there.
        name: The name of the ops.
    """
    return index_table_from_tensor(mapping, default_value=default_value, name=name).lookup(tensor)


def index_to_string(tensor: Any, mapping: Any, default_value: str = "UNK", name: str | None = None) -> Any:
    """Returns the words at positions; stands for `tf.contrib.lookup.index_to_string`.

    Args:
        tensor: The positions, an int64 tensor.
        mapping: All words, a vector.
        default_value: The word of other numbers.
        name: The name of the ops.
    """
    return index_to_string_table_from_tensor(mapping, default_value, name).lookup(tensor)
