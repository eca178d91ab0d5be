"""Input ops: iterators, queues, readers and tables that outlive a function call."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train.graph.nodes import NodeDef, make_node

_HOST = "/device:CPU:0"
# Parts of the names of operations that wait for what others do.
_WAITING_OPS = ("PyFunc", "Queue", "Stage", "Unstage", "Barrier", "Accumulator")


def isolate(node: NodeDef, suffix: str) -> None:
    """Gives a resource that ops share by name a name of this graph's own.

    With an empty name each function would make a queue of its own and wait for ever on the empty one; with
    the plain name two graphs in one process would share it.
    """
    if "shared_name" in node.attr:
        name = node.attr["shared_name"].s.decode() or node.name
        node.attr["shared_name"].s = f"{name}{suffix}".encode()


def keep_on_host(node: NodeDef) -> None:
    """Places what belongs to `tf.data` on the CPU, where its tensors are.

    In a function TensorFlow would place an iterator on the GPU, if there is one, and crash.
    """
    if "Iterator" in node.op or "Dataset" in node.op:
        node.device = _HOST


def may_need_step(op_types: Iterable[str]) -> bool:
    """Whether functions with such operations may wait for a thread that runs steps.

    Python waits for one where it calls a function of TensorFlow's, a queue where a queue runner fills it.
    """
    return any(name in op_type for op_type in op_types for name in _WAITING_OPS)


def wait_in_place(node: NodeDef) -> None:
    """Lets the step itself wait for the next element of an iterator.

    `IteratorGetNext` has another thread wait, and to wake two threads takes as long as a small step. The
    functions of a dataset run on threads of the iterator's own, so they do not need the one that waits here,
    but if `may_need_step`.
    """
    if node.op == "IteratorGetNext":
        node.op = "IteratorGetNextSync"


def one_shot_iterator(node: NodeDef) -> list[NodeDef]:
    """An iterator of the same name, and the nodes that set it up; the last one must run once.

    A `OneShotIterator` sets itself up at first use, in every function anew.
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
