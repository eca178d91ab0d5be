"""Rewrites input ops: iterators, queues, readers and tables, which outlive a function call."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import make_node

# Begins the names of operations that call Python code which runs no TensorFlow, and so waits for no step.
INDEPENDENT = "keras_legacy_train_independent"

_HOST = "/device:CPU:0"
# Parts of the names of ops that wait for other threads.
_WAITING_OPS = ("PyFunc", "Queue", "Stage", "Unstage", "Barrier", "Accumulator")


def make_shared_name_unique(node: NodeDef, suffix: str) -> None:
    """Makes the name by which ops share a resource unique to this graph.

    With an empty name each function would make a queue of its own, and wait for ever on the empty one. With
    the plain name two graphs in one process would share it.
    """
    if "shared_name" in node.attr:
        name = node.attr["shared_name"].s.decode() or node.name
        node.attr["shared_name"].s = f"{name}{suffix}".encode()


def keep_on_host(node: NodeDef, is_input: bool = False) -> None:
    """Places the ops of `tf.data` on the CPU, where their tensors are.

    In a function TensorFlow would place an iterator on the GPU, if there is one, and crash.

    Args:
        node: The node.
        is_input: Whether it is a part of a dataset, whatever it computes.
    """
    if is_input or "Iterator" in node.op or "Dataset" in node.op:
        node.device = _HOST


def may_wait_for_step(op_types: Iterable[str]) -> bool:
    """Returns whether functions with such operations may wait for a thread that runs steps.

    Python code waits for one if it calls a TensorFlow function, a queue if a queue runner fills it.
    """
    return any(name in op_type for op_type in op_types for name in _WAITING_OPS)


def get_next_synchronously(node: NodeDef) -> None:
    """Has the thread of the step itself wait for the next element of an iterator.

    `IteratorGetNext` has another thread wait, and waking two threads takes as long as a small step. The
    functions of a dataset run on threads of the iterator's own, so they do not need the waiting thread; where
    `may_wait_for_step` is true, they might.
    """
    if node.op == "IteratorGetNext":
        node.op = "IteratorGetNextSync"


def one_shot_iterator(node: NodeDef) -> list[NodeDef]:
    """Replaces a `OneShotIterator`, which initialises itself at first use, in every function anew.

    Returns:
        An iterator of the same name, and the nodes that initialise it. The last node must run once.
    """
    iterator = make_node("IteratorV2", node.name)
    for name in ("shared_name", "container", "output_types", "output_shapes"):
        iterator.attr[name].CopyFrom(node.attr[name])
    dataset = make_node("StatefulPartitionedCall", f"{node.name}/dataset")
    dataset.device = _HOST
    dataset.attr["f"].func.CopyFrom(node.attr["dataset_factory"].func)
    dataset.attr["Tin"].list.SetInParent()
    dataset.attr["Tout"].list.type.append(tf.variant.as_datatype_enum)
    make = make_node("MakeIterator", f"{node.name}/make", [f"{dataset.name}:0", f"{node.name}:0"])
    return [iterator, dataset, make]
