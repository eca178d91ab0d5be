"""Gives mutable lookup tables the form that a checkpoint saves."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.graph.session import GraphSession

MUTABLE_TABLES = frozenset({"MutableHashTableV2", "MutableHashTableOfTensorsV2", "MutableDenseHashTableV2"})


class MutableTable:
    """Reads and replaces the contents of a table.

    Args:
        session: The session of the table's graph.
        op: The op that makes the table.

    Attributes:
        name: The op's name.
        keys: All keys, with the interface of a variable as far as checkpoints need it.
        values: Their values, likewise.
    """

    def __init__(self, session: GraphSession, op: tf.Operation):
        self.name = op.name
        self._session = session
        self._read: dict[str, tf.Tensor] = {}
        self.keys = TableTensor(self, "keys", op.get_attr("key_dtype"))
        self.values = TableTensor(self, "values", op.get_attr("value_dtype"))

    def export(self) -> Any:
        """Returns all keys and values, as a pair of tensors."""
        return tf.raw_ops.LookupTableExportV2(
            table_handle=self._handle(), Tkeys=self.keys.dtype, Tvalues=self.values.dtype
        )

    def restore_part(self, part: str, tensor: tf.Tensor) -> None:
        """Takes new `"keys"` or `"values"`; once both are there, they become the table's contents."""
        self._read[part] = tensor
        if len(self._read) == 2:
            tf.raw_ops.LookupTableImportV2(table_handle=self._handle(), **self._read)
            self._read = {}

    def _handle(self) -> tf.Tensor:
        return self._session.lifted.function((), [f"{self.name}:0"])([])[0]


class TableTensor:
    """Reads and assigns the keys or the values of a table as those of a variable.

    Args:
        table: The table.
        part: `"keys"` or `"values"`.
        dtype: Their dtype.
    """

    shape = tf.TensorShape(None)
    device = "/device:CPU:0"

    def __init__(self, table: MutableTable, part: str, dtype: tf.DType):
        self.dtype = dtype
        self._table = table
        self._part = part

    def read_value(self) -> tf.Tensor:
        """Returns the keys or values now."""
        return getattr(self._table.export(), self._part)

    def assign(self, value: tf.Tensor, read_value: bool = True) -> None:
        """Takes the new value. `read_value` does nothing; a variable's `assign` has it."""
        self._table.restore_part(self._part, value)


def mutable_tables(session: GraphSession) -> list[MutableTable]:
    """Returns the graph's mutable tables, in the order they were built."""
    operations = session.graph.get_operations()
    return [MutableTable(session, op) for op in operations if op.type in MUTABLE_TABLES]
