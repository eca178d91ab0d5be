"""Finds out which input a graph is waiting for."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

import tensorflow as tf

from keras_legacy_train.graph.nodes import node_name
from keras_legacy_train.graph.session import GraphSession, Run
from keras_legacy_train.interrupts import main_thread, python_at_work

# Operations that take elements from a queue, with the place of the queue among their inputs.
_TAKES_FROM = {
    "QueueDequeueV2": 0,
    "QueueDequeueManyV2": 0,
    "QueueDequeueUpToV2": 0,
    "ReaderReadV2": 1,
    "ReaderReadUpToV2": 1,
}
_FILLS = frozenset({"QueueEnqueueV2", "QueueEnqueueManyV2"})
# Others that wait for something, of which nobody can ask how much there is.
_MAY_WAIT = {
    "IteratorGetNext": "the next element of its dataset",
    "IteratorGetNextAsOptional": "the next element of its dataset",
    "Unstage": "something that is staged",
    "MapUnstage": "something that is staged",
    "MapUnstageNoKey": "something that is staged",
    "OrderedMapUnstage": "something that is staged",
    "OrderedMapUnstageNoKey": "something that is staged",
    "BarrierTakeMany": "the elements of its barrier",
    "AccumulatorTakeGradient": "enough gradients",
    "ResourceAccumulatorTakeGradient": "enough gradients",
    "SparseAccumulatorTakeGradient": "enough gradients",
}
_HANDS_ON = frozenset({"Enter", "Identity", "Switch"})


def awaited_input(session: GraphSession, names: Sequence[str] = ()) -> str | None:
    """Says for which input a graph is waiting, or may be waiting. May be called from any thread.

    Args:
        session: The graph's session.
        names: Names of the tensors and operations that are being computed, where it is not the session that
            does so.

    Returns:
        One or more sentences that name operations of the graph; `None` if it has no input.
    """
    run = session.running.get(main_thread(), Run(names, {}))
    fetched = (session.graph.get_operation_by_name(node_name(name)) for name in run.fetches)
    operations = _ancestors(fetched, run.feeds)
    empty = list(_empty_queues(session, operations))
    at_work = [f"Python code is at work: {place}." for place in python_at_work()]
    return " ".join([*empty, *at_work]) or _what_may_wait(operations)


def _ancestors(operations: Iterable[tf.Operation], fed: Container[str] = ()) -> list[tf.Operation]:
    found: dict[str, tf.Operation] = {}
    waiting = list(operations)
    while waiting:
        operation = waiting.pop()
        if operation.name not in found:
            found[operation.name] = operation
            waiting += [tensor.op for tensor in operation.inputs if tensor.name not in fed]
            waiting += operation.control_inputs
    return list(found.values())


def _empty_queues(session: GraphSession, operations: Iterable[tf.Operation]) -> Iterator[str]:
    """Yields a sentence for each operation that asks more of a queue than there is."""
    enqueues = _enqueues(session.graph)
    seen: set[str] = set()
    waiting = list(operations)
    while waiting:
        taker = waiting.pop(0)
        if taker.name in seen:
            continue
        seen.add(taker.name)
        for queue in _queues(taker):
            size, needed = _size(session, queue), _needed(taker, queue)
            if size >= needed:
                continue
            has = "is empty" if size == 0 else f"has {size} of the {needed} elements that it needs"
            yield f"{taker.name!r} waits for the queue {queue.name!r}, which {has}."
            if queue.name in enqueues:
                waiting += _ancestors(enqueues[queue.name])  # which may be waiting for another one
            else:
                yield (
                    "No queue runner fills that queue:"
                    " add one to the graph by tf.compat.v1.train.add_queue_runner()."
                )


def _enqueues(graph: tf.Graph) -> dict[str, list[tf.Operation]]:
    """Returns what the graph's queue runners run, by the names of the queues that it fills."""
    enqueues: dict[str, list[tf.Operation]] = {}
    for runner in graph.get_collection(tf.compat.v1.GraphKeys.QUEUE_RUNNERS):
        for operation in runner.enqueue_ops:
            # It may be a group of operations, each of which fills a queue.
            fills = [each for each in _ancestors([operation]) if each.type in _FILLS]
            queues = {_source(tensor).name for each in (operation, *fills) for tensor in each.inputs}
            queues.add(runner.queue.name)
            for name in queues:
                enqueues.setdefault(name, []).append(operation)
    return enqueues


def _queues(taker: tf.Operation) -> list[tf.Operation]:
    """Returns the queues that an operation takes from, also where it does so in a function that it calls."""
    tensors = list(taker.inputs)
    if taker.type in _TAKES_FROM:
        tensors = [tensors[_TAKES_FROM[taker.type]]]
    elif not any(types.intersection(_TAKES_FROM) for types in _called(taker)):
        return []
    sources = [_source(tensor) for tensor in tensors if tensor.dtype == tf.resource]
    return [source for source in sources if source.type.endswith("QueueV2")]


def _called(operation: tf.Operation) -> Iterator[set[str]]:
    """Yields the types of the operations in each function that an operation calls."""
    attributes = list(operation.node_def.attr.values())
    names = {each.func.name for each in attributes if each.HasField("func")}
    names |= {function.name for each in attributes for function in each.list.func}
    if not names:
        return
    library = {each.signature.name: each for each in operation.graph.as_graph_def().library.function}
    waiting = list(names & library.keys())
    for name in waiting:
        nodes = library[name].node_def
        yield {node.op for node in nodes}
        called = {value.func.name for node in nodes for value in node.attr.values() if value.HasField("func")}
        waiting += [each for each in called & library.keys() if each not in waiting]


def _source(tensor: tf.Tensor) -> tf.Operation:
    """Returns the operation that made what a tensor hands on."""
    while tensor.op.type in _HANDS_ON:
        tensor = tensor.op.inputs[0]
    return tensor.op


def _size(session: GraphSession, queue: tf.Operation) -> int:
    function = session.lifted.function((), (queue.outputs[0].name,))
    with session.lifted.eager_mode():
        (handle,) = function([])
        return int(tf.raw_ops.QueueSizeV2(handle=handle))


def _needed(taker: tf.Operation, queue: tf.Operation) -> int:
    """Returns how many elements the queue must have so that the operation need not wait."""
    many = taker.type in ("QueueDequeueManyV2", "QueueDequeueUpToV2")
    count = tf.get_static_value(taker.inputs[1]) if many else None
    is_random = queue.type == "RandomShuffleQueueV2"
    return (1 if count is None else int(count)) + (queue.get_attr("min_after_dequeue") if is_random else 0)


def _what_may_wait(operations: Iterable[tf.Operation]) -> str | None:
    waits = [f"{each.name!r} for {_MAY_WAIT[each.type]}" for each in operations if each.type in _MAY_WAIT]
    return f"It may wait for input: {', '.join(waits)}." if waits else None
