"""Orders the reads and updates of a variable, where the graph leaves their order open.

In TF 1 an op that reads a variable and one that updates it, neither waiting for the other, race. As a rule
the read wins, since it has nothing to wait for, while the update waits for its new value. Inside a function,
and more so in a loop around it, either may win. `order_updates` settles the race: of the ops that are ready,
those that update a variable run last, in the order they were built. So a step is the same step in every
function. Mutable tables are treated the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterator, Mapping

from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import make_node, node_name, split_inputs, with_inputs

_TABLES = frozenset({"MutableHashTableV2", "MutableHashTableOfTensorsV2", "MutableDenseHashTableV2"})
_FORWARDING = frozenset({"Identity", "Switch", "Merge", "Enter", "Exit", "NextIteration"})
_READS = frozenset(
    {
        "ReadVariableOp",
        "ResourceGather",
        "ResourceGatherNd",
        "VarIsInitializedOp",
        "VariableShape",
        "LookupTableFindV2",
        "LookupTableSizeV2",
        "LookupTableExportV2",
    }
)


def order_updates(nodes: dict[str, NodeDef], variables: Mapping[str, str], loops: Container[str]) -> None:
    """Adds the control inputs that order reads and updates of the same variable.

    Nodes in a loop of TF 1 are left alone. No node waits for one in a branch, which may not run.

    Args:
        nodes: The nodes of a function by name, as they were built. Those that get an input are replaced by
            copies.
        variables: The names of variables, by the names of the nodes that hold their handles. These nodes are
            not among `nodes`.
        loops: Contains the names of the nodes that are in a loop of TF 1.
    """
    held = {name: {variable} for name, variable in variables.items()}
    held.update((name, {name}) for name, node in nodes.items() if node.op in _TABLES)
    branches: dict[str, int] = {}
    reads: dict[str, list[str]] = {}
    last_update: dict[str, str] = {}
    first_read: dict[str, str] = {}
    for name in _schedule(nodes, held):
        node = nodes[name]
        branches[name] = _branches(node, branches, name in loops)
        used = _used(node, held)
        if not used or name in loops:
            continue
        if node.op == "ReadVariableOp" and len(node.input) == 1 and node_name(node.input[0]) in variables:
            # It waits for nothing, so all such reads read the same value, and one is enough. With thousands,
            # the optimizer takes long to find out for which of them an update need not wait.
            first = first_read.setdefault(used[0], name)
            if first != name:
                nodes[name] = _same_as(first, node)
                continue
        earlier = [last_update[variable] for variable in used if variable in last_update]
        if node.op not in _READS:
            earlier += [read for variable in used for read in reads.pop(variable, ())]
        if earlier:
            data, controls = split_inputs(node)
            nodes[name] = with_inputs(node, data, [*controls, *earlier])
        if not branches[name]:
            for variable in used:
                if node.op in _READS:
                    reads.setdefault(variable, []).append(name)
                else:
                    last_update[variable] = name


def _same_as(other: str, read: NodeDef) -> NodeDef:
    """Makes the node that replaces a read of a variable by the value that another node has read."""
    node = make_node("Identity", read.name, [f"{other}:0"])
    node.device = read.device
    node.attr["T"].CopyFrom(read.attr["dtype"])
    return node


def _schedule(nodes: dict[str, NodeDef], held: dict[str, set[str]]) -> Iterator[str]:
    """Yields the nodes' names, each after its inputs, updates as late as possible.

    Args:
        nodes: The nodes of a function by name.
        held: The variables whose handles a node holds, by the node's name. Nodes that forward handles are
            added on the way.
    """
    missing: dict[str, int] = {}
    users: dict[str, list[str]] = {}
    for name, node in nodes.items():
        inputs = {node_name(text) for text in node.input} & nodes.keys()
        if node.op == "Merge":
            inputs = {other for other in inputs if nodes[other].op != "NextIteration"}
        missing[name] = len(inputs)
        for other in inputs:
            users.setdefault(other, []).append(name)
    built = {name: index for index, name in enumerate(nodes)}
    ready: list[tuple[bool, int, str]] = []

    def enter(name: str) -> None:
        node = nodes[name]
        updates = node.op not in _READS and bool(_used(node, held))
        heapq.heappush(ready, (updates, built[name], name))

    for name, count in missing.items():
        if not count:
            enter(name)
    while ready:
        _, _, name = heapq.heappop(ready)
        if nodes[name].op in _FORWARDING:
            held[name] = set().union(*(held.get(node_name(text), ()) for text in nodes[name].input))
        yield name
        for user in users.get(name, ()):
            missing[user] -= 1
            if not missing[user]:
                enter(user)


def _used(node: NodeDef, held: dict[str, set[str]]) -> list[str]:
    """Returns the variables that the node reads or updates."""
    if node.op in _FORWARDING:
        return []
    data = (node_name(text) for text in node.input if not text.startswith("^"))
    return sorted(set().union(*(held.get(name, ()) for name in data)))


def _branches(node: NodeDef, branches: dict[str, int], in_loop: bool) -> int:
    """Returns how many conditionals of TF 1 the node is in, loops not counted."""
    around = max((branches.get(node_name(text), 0) for text in node.input), default=0)
    if in_loop:
        return around
    return around + {"Switch": 1, "Merge": -1}.get(node.op, 0)
