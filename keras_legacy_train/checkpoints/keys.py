"""Tells the two forms of checkpoints apart by their keys: names of variables, and places of objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

Form = Literal["names", "objects"]

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
# What `tf.train.Checkpoint` adds to every checkpoint.
_ADDED = frozenset({OBJECT_GRAPH, "save_counter/.ATTRIBUTES/VARIABLE_VALUE"})
_IN_PLACES = ("/.ATTRIBUTES/", "/.OPTIMIZER_SLOT/")


def form_of(keys: Collection[str]) -> Form:
    """Returns the form of a checkpoint with these keys.

    A graph of objects does not make it one of objects: the checkpoints of graphs that earlier versions wrote
    have one besides the names.
    """
    places = all(any(part in key for part in _IN_PLACES) for key in without_added(keys))
    return "objects" if OBJECT_GRAPH in keys and places else "names"


def without_added(keys: Iterable[str]) -> list[str]:
    """Returns the keys, sorted, without those that `tf.train.Checkpoint` adds."""
    return sorted(set(keys) - _ADDED)
