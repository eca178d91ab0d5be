"""Finds out how Savers save and restore the objects in a graph's `SAVEABLE_OBJECTS` collection.

Only an object itself knows how it is saved and restored: it has a `Saver` add ops to the graph. So a `Saver`
is made for each object, as TensorFlow 1 did. The Saver is never run. Its ops tell which tensors it would
write to a file, and which operations take the tensors that it would read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow

_KEYS = tf.compat.v1.GraphKeys
# Pairs of an object and its `SaverOps`; `None` in the place of the object for a Saver that comes from a file.
# A collection whose key is no string is never written to a file.
_SAVERS = ("keras_legacy_train_savers",)

# The collection of keys and tensors of `saved_positions` in a graph that is written to a file.
POSITIONS = "keras_legacy_train/positions"

_SAVE_OPS = frozenset({"SaveV2", "SaveSlices"})
_READS = frozenset({"Identity", "ReadVariableOp"})


@dataclasses.dataclass(frozen=True)
class SavedPart:
    """Describes one tensor that a Saver writes.

    Attributes:
        key: Its name in the file.
        slice_spec: The slice that it is of the tensor of that name, `""` for all of it.
        written: Name of the tensor in the graph.
        read: Name of the tensor in the graph that holds it when it has been read back.
    """

    key: str
    slice_spec: str
    written: str
    read: str


@dataclasses.dataclass(frozen=True)
class SaverOps:
    """Holds the ops of a Saver for objects other than variables.

    Attributes:
        parts: The tensors that it writes and reads, without the positions of iterators.
        restore: Names of the operations that restore the objects.
        positions: The positions of iterators that it writes and reads.
    """

    parts: tuple[SavedPart, ...]
    restore: tuple[str, ...]
    positions: tuple[SavedPart, ...]


def has_own_methods(saver: Any) -> bool:
    """Returns whether a Saver saves or restores in a way of its own, as a subclass or a mock may."""
    kind = tf.compat.v1.train.Saver
    return any(
        getattr(getattr(saver, name), "__func__", None) is not getattr(kind, name)
        for name in ("save", "restore")
    )


def add_saver(graph: tf.Graph, saver_def: tf.compat.v1.train.SaverDef) -> None:
    """Adds the objects that a Saver of the graph saves to `saver_ops`.

    Raises:
        KeyError: The graph does not have the Saver's ops.
    """
    variables = graph.get_collection(_KEYS.GLOBAL_VARIABLES)
    names = {name for v in variables for name in (v.op.name, _tensorflow.save_slice(v)[0])}
    graph.add_to_collection(_SAVERS, (None, _saver_ops(graph, saver_def, names)))


def saver_ops(graph: tf.Graph) -> list[SaverOps]:
    """Returns the Savers' ops of all objects of the graph; adds a Saver for an object that has none.

    Raises:
        ValueError: An object cannot be saved.
    """
    savers = graph.get_collection_ref(_SAVERS)
    for saveable in graph.get_collection(_KEYS.SAVEABLE_OBJECTS):
        if not any(saveable is known for known, _ in savers):
            savers.append((saveable, _make_saver(graph, saveable)))
    return [ops for _, ops in savers]


def saved_positions(graph: tf.Graph) -> dict[str, str]:
    """Returns the positions of iterators that the objects save: the tensors' names by their keys."""
    noted = [tf.compat.as_text(text).rpartition(" ") for text in graph.get_collection(POSITIONS)]
    positions = {key: tensor for key, _, tensor in noted}
    positions.update({part.key: part.written for ops in saver_ops(graph) for part in ops.positions})
    return positions


def saved_tables(graph: tf.Graph) -> set[str]:
    """Returns the names of the tables that the objects save."""
    parts = [part for ops in saver_ops(graph) for part in ops.parts]
    computing = ancestors(graph.get_tensor_by_name(part.written).op for part in parts)
    return {op.inputs[0].op.name for op in computing if op.type == "LookupTableExportV2"}


def _make_saver(graph: tf.Graph, saveable: Any) -> SaverOps:
    """Adds a Saver for an object to the graph; raises ValueError if the object cannot be saved."""
    try:
        with _tensorflow.unfinalized(graph), graph.as_default():
            saver = tf.compat.v1.train.Saver([saveable], name="saveable_object")
    except Exception as error:  # an object of the user's may raise anything
        name = getattr(saveable, "name", saveable)
        raise ValueError(f"{name!r} in SAVEABLE_OBJECTS cannot be saved: {error}") from error
    return _saver_ops(graph, saver.as_saver_def(), set())


def _saver_ops(graph: tf.Graph, saver_def: tf.compat.v1.train.SaverDef, variables: set[str]) -> SaverOps:
    """Finds the objects that a Saver saves besides the variables of these names.

    Raises:
        KeyError: The graph does not have the Saver's ops.
    """
    restore_all = graph.get_operation_by_name(saver_def.restore_op_name)
    written = _written(graph.get_tensor_by_name(saver_def.save_tensor_name).op)
    read = _read(restore_all)
    parts: dict[str, SavedPart] = {}
    positions: list[SavedPart] = []
    restore: list[str] = []
    for op in _members(restore_all):
        inputs = (tensor.name for each in ancestors([op], {"RestoreV2"}) for tensor in each.inputs)
        places = {name: read[name] for name in inputs if name in read}
        found = {name: SavedPart(*place, written[place].name, name) for name, place in places.items()}
        # A variable may be saved under another name, or under its name in another form.
        names = [{place[0], _source(written[place]).name} for place in places.values()]
        if found and all(each & variables for each in names):
            continue
        if {written[place].op.type for place in places.values()} == {"SerializeIterator"}:
            positions += found.values()
        else:
            parts.update(found)
            restore.append(op.name)
    return SaverOps(tuple(parts.values()), tuple(restore), tuple(positions))


def _written(save: tf.Operation) -> dict[tuple[str, str], tf.Tensor]:
    """Returns the tensors that are written to a file before `save`, by name in the file and slice."""
    written: dict[tuple[str, str], tf.Tensor] = {}
    for op in ancestors([save], _SAVE_OPS):
        if op.type in _SAVE_OPS:
            _, names, slices, *tensors = op.inputs
            written.update(zip(_places(names, slices), tensors, strict=True))
    return written


def _read(restore: tf.Operation) -> dict[str, tuple[str, str]]:
    """Returns name in the file and slice of the tensors read for `restore`, by the tensors' names."""
    read: dict[str, tuple[str, str]] = {}
    for op in ancestors([restore]):
        if op.type == "RestoreV2":
            _, names, slices = op.inputs
            read.update(zip([tensor.name for tensor in op.outputs], _places(names, slices), strict=True))
    return read


def _places(names: tf.Tensor, slices: tf.Tensor) -> list[tuple[str, str]]:
    """Returns pairs of name in a file and slice, as the constant inputs of an op hold them."""
    pairs = zip(tf.get_static_value(names), tf.get_static_value(slices), strict=True)
    return [(name.decode(), slice_spec.decode()) for name, slice_spec in pairs]


def _members(group: tf.Operation) -> list[tf.Operation]:
    """Returns the operations that a `tf.group` runs."""
    if group.type != "NoOp":
        return [group]
    return [member for op in group.control_inputs for member in _members(op)]


def _source(tensor: tf.Tensor) -> tf.Operation:
    """Returns the variable that a tensor is read from, or the operation that computes it."""
    op = tensor.op
    while op.type in _READS:
        op = op.inputs[0].op
    return op


def ancestors(operations: Iterable[tf.Operation], stop: Collection[str] = ()) -> Iterator[tf.Operation]:
    """Yields the operations and all they depend on; does not search behind operations of types in `stop`."""
    found: set[str] = set()
    waiting = list(operations)
    while waiting:
        op = waiting.pop()
        if op.name in found:
            continue
        found.add(op.name)
        yield op
        if op.type not in stop:
            waiting += [tensor.op for tensor in op.inputs]
            waiting += op.control_inputs
