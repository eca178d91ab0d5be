"""Gives the objects in a graph's `SAVEABLE_OBJECTS` collection the form that a checkpoint saves.

    for saved in saved_objects(session):
        for tensor in saved.tensors:
            tensor.key, tensor.read_value()

Such objects are lookup tables, for example. Their Savers tell what to save and how to restore it.
"""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train.graph.saving.savers import SavedPart, SaverOps, saver_ops
from keras_legacy_train.graph.session import GraphSession


class SavedObject:
    """Saves and restores the objects that one Saver saves besides variables.

    Args:
        session: The session of the graph.
        ops: The Saver's ops.

    Attributes:
        tensors: The tensors to save.
    """

    def __init__(self, session: GraphSession, ops: SaverOps):
        self.tensors = [ObjectTensor(self, session, part) for part in ops.parts]
        self._session = session
        self._ops = ops
        self._read: dict[str, tf.Tensor] = {}

    def restore_part(self, part: SavedPart, value: tf.Tensor) -> None:
        """Takes the value that was read for one part; restores the object once all parts are there."""
        self._read[part.read] = value
        if len(self._read) == len(self._ops.parts):
            restore = self._session.lifted.function(tuple(self._read), (), self._ops.restore)
            restore(list(self._read.values()))
            self._read = {}


class ObjectTensor:
    """Reads and assigns a tensor of an object as that of a variable.

    Args:
        saved: The object.
        session: The session of the graph.
        part: The tensor in the graph.

    Attributes:
        key: Its name in a checkpoint.
        slice_spec: The slice that it is of the tensor of that name, `""` for all of it.
    """

    shape = tf.TensorShape(None)
    device = "/device:CPU:0"

    def __init__(self, saved: SavedObject, session: GraphSession, part: SavedPart):
        self.key = part.key
        self.slice_spec = part.slice_spec
        self.dtype = session.graph.get_tensor_by_name(part.written).dtype.base_dtype
        self._saved = saved
        self._session = session
        self._part = part

    def read_value(self) -> tf.Tensor:
        """Returns the value now.

        Raises:
            ValueError: It cannot be computed.
        """
        try:
            return self._session.lifted.function((), [self._part.written])([])[0]
        except tf.errors.OpError as error:
            raise ValueError(
                f"{self.key!r} of an object in SAVEABLE_OBJECTS cannot be saved: {error.message}"
            ) from error

    def assign(self, value: tf.Tensor, read_value: bool = True) -> None:
        """Takes the new value. `read_value` does nothing; a variable's `assign` has it."""
        self._saved.restore_part(self._part, value)


def saved_objects(session: GraphSession) -> list[SavedObject]:
    """Returns the objects of the session's graph, in the order of the collection.

    Raises:
        ValueError: An object cannot be saved.
    """
    return [SavedObject(session, ops) for ops in saver_ops(session.graph) if ops.parts]
