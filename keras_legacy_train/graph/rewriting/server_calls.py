"""Has a step do in a few calls of servers what it does on them.

Where variables lie on servers, TensorFlow sends each value that a step reads or updates in a message of its
own, and takes part in each turn of a loop on every server. For small values, messages take nearly all of the
time. `server_calls` moves what a step does on a server into functions that run there. The worker calls them
with all that they need, and gets all that it needs in the answer.

What a step reads of a server at its beginning is read by the last call of the step before, behind that
step's updates. So a step that reads variables and updates them makes one call:

    first step         call: read the variables                       → values
    each step          compute with the values
                       call: update with gradients, read the variables → values for the next step

Calls are made by *levels*: a call of level `n` needs what comes of calls of lower levels, and of no others.
So calls never wait for each other, and one call is enough for all that a server does at a level.
"""

from __future__ import annotations

import dataclasses
import functools
import graphlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import make_constant, make_node, node_name, split_inputs, with_inputs
from keras_legacy_train.graph.part import IMPORT_SCOPE, Part

# Calls copy what they carry. From this many bytes a step on, that takes longer than messages do.
LARGEST_EXCHANGE = 4 * 2**20

_NAMES = itertools.count()
_READS = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VariableShape"})
_CONTROL_FLOW = frozenset({"Switch", "_SwitchN", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"})


@dataclasses.dataclass(frozen=True)
class ServerCalls:
    """Holds a step that calls servers.

    Attributes:
        first: Reads what the first step is given.
        step: The step. Its last feeds are what has been read for it, as many as `first` fetches. Its last
            fetches are what it has read for the next one.
        number: How many calls a step makes.
    """

    first: Part
    step: Part
    number: int


def server_calls(part: Part, spec_of: Callable[[str], tf.TensorSpec | None]) -> ServerCalls | None:
    """Makes a step call servers.

    Args:
        part: The step.
        spec_of: Returns the shape and dtype of a tensor of the graph, `None` for one that it does not have.

    Returns:
        `None` where the step uses no servers, or cannot call them: it has conditionals or loops of TF 1, or
        exchanges what has no known size or more than `LARGEST_EXCHANGE` bytes.
    """
    plan = _Plan.of(part)
    if plan is None:
        return None
    specs: dict[str, tf.TensorSpec] = {}
    size = 0
    for tensor in plan.exchanged():
        spec = plan.spec(tensor, spec_of)
        if spec is None or spec.shape.num_elements() is None or not _is_numeric(spec.dtype):
            return None
        specs[tensor] = spec
        size += spec.shape.num_elements() * spec.dtype.size
    if size > LARGEST_EXCHANGE:
        return None
    return _Writer(plan, specs).write()


def _is_numeric(dtype: tf.DType) -> bool:
    return bool(dtype.is_floating or dtype.is_integer or dtype.is_bool or dtype.is_complex)


@dataclasses.dataclass(frozen=True)
class _Call:
    """Holds a call.

    Attributes:
        server: The device that is called.
        members: The nodes that run there.
        reads_ahead: Whether it reads for the next step, too.
    """

    server: str
    members: Sequence[str]
    reads_ahead: bool


class _Plan:
    """Says which node runs where, and in which call.

    Attributes:
        part: The step.
        nodes: The nodes by name, each behind its inputs.
        servers: The devices of the nodes that run on servers.
        early: Of these, those that are read, or computed, for the next step.
        calls: The calls, each behind those that it needs.
        call_of: The call of each node on a server that is not early.
    """

    def __init__(self, part: Part, nodes: Mapping[str, NodeDef], servers: Mapping[str, str]):
        self.part = part
        self._feeds = frozenset(part.feeds)
        self._wanted = {*map(node_name, part.fetches), *part.operations}
        inputs = {
            name: [each for each in map(node_name, node.input) if each in nodes]
            for name, node in nodes.items()
        }
        self.nodes = {name: nodes[name] for name in graphlib.TopologicalSorter(inputs).static_order()}
        self.servers = dict(servers)
        self._controls = self._find_controls()
        self._users = self._find_users()
        self._computed_there = self._find_computed_there()
        self.servers.update(self._computed_there)
        levels = self._find_levels()
        self.early = self._find_early(levels)
        self.calls = self._find_calls(levels)
        self.call_of = {name: call for call in self.calls for name in call.members}

    @staticmethod
    def of(part: Part) -> _Plan | None:
        """Makes the plan of a step; returns `None` where it uses no servers or cannot call them."""
        shared = {name: each.handle.device for name, each in part.captured.items() if each.is_shared}
        nodes = {node.name: node for node in part.graph_def.node}
        if not shared or any(node.op in _CONTROL_FLOW for node in nodes.values()):
            return None
        servers: dict[str, str] = {}
        for name, node in nodes.items():
            used = set(map(node_name, split_inputs(node)[0])) & part.captured.keys()
            if not used.isdisjoint(shared):
                places = {shared.get(each) for each in used}
                server = places.pop()
                if server is None or places or _calls_functions(node):
                    return None
                servers[name] = server
        for name in servers:
            # A server has constants of its own, so what they wait for the node waits for.
            data, controls = split_inputs(nodes[name])
            constants = [
                nodes[each] for each in map(node_name, data) if each in nodes and _is_constant(nodes[each])
            ]
            controls += itertools.chain.from_iterable(split_inputs(each)[1] for each in constants)
            nodes[name] = with_inputs(nodes[name], data, controls)
        return _Plan(part, nodes, servers) if servers else None

    def data(self, name: str) -> list[str]:
        """Returns the tensors that a node takes, but for handles, and for constants that wait for nothing."""
        return [
            tensor
            for tensor in split_inputs(self.nodes[name])[0]
            if tensor in self._feeds or self._must_be_given(node_name(tensor), name)
        ]

    def controls(self, name: str) -> Sequence[str]:
        """Returns the nodes that a node waits for.

        On a server it waits for no groups, but for their members. A read that is only fetched waits for the
        updates of its variable, and for nothing else.
        """
        return self._controls[name]

    def constants(self, name: str) -> list[str]:
        """Returns the constants that a node takes."""
        data = dict.fromkeys(split_inputs(self.nodes[name])[0])
        names = [node_name(tensor) for tensor in data if tensor not in self._feeds]
        return [each for each in names if each in self.nodes and _is_constant(self.nodes[each])]

    def handles(self, name: str) -> list[str]:
        """Returns the variables that a node takes."""
        return [
            each for each in map(node_name, split_inputs(self.nodes[name])[0]) if each in self.part.captured
        ]

    def arguments(self, call: _Call) -> list[str]:
        """Returns the tensors that a call is given."""
        members = set(call.members)
        tensors = itertools.chain.from_iterable(map(self.data, call.members))
        return [
            each for each in dict.fromkeys(tensors) if each in self._feeds or node_name(each) not in members
        ]

    def waits_for(self, call: _Call) -> list[str]:
        """Returns the nodes that are not in the call, and that a member of it waits for."""
        controls = itertools.chain.from_iterable(map(self.controls, call.members))
        return [
            each
            for each in dict.fromkeys(controls)
            if each not in self.early and self.call_of.get(each) is not call
        ]

    def results(self, call: _Call) -> list[str]:
        """Returns the tensors that others need of a call, without those of the next step."""
        return self._needed_elsewhere(call.members)

    @functools.cached_property
    def carried(self) -> list[str]:
        """Returns the tensors that are read for the next step."""
        return self._needed_elsewhere(self.early)

    def exchanged(self) -> set[str]:
        """Returns the tensors that are sent or received."""
        each = (tensors for call in self.calls for tensors in (self.arguments(call), self.results(call)))
        return set(itertools.chain(self.carried, *each))

    def spec(self, tensor: str, spec_of: Callable[[str], tf.TensorSpec | None]) -> tf.TensorSpec | None:
        """Returns the shape and dtype of a tensor, `None` if it is not known."""
        node = self.nodes.get(node_name(tensor))
        if node is not None and node.op == "ReadVariableOp":
            variable = self.part.captured.get(node_name(node.input[0]))
            return None if variable is None else tf.TensorSpec(variable.shape, variable.dtype)
        return spec_of(tensor)

    def has_effect(self, name: str) -> bool:
        """Returns whether a node on a server changes something there."""
        return name not in self._computed_there and self.nodes[name].op not in _READS

    def _needed_elsewhere(self, members: Iterable[str]) -> list[str]:
        members = set(members)
        taken = {tensor for name in self.nodes if name not in members for tensor in self.data(name)}
        taken.update(self.part.fetches)
        return sorted(tensor for tensor in taken - self._feeds if node_name(tensor) in members)

    def _must_be_given(self, name: str, user: str) -> bool:
        """Returns whether a node must run for another one that takes its output."""
        node = self.nodes.get(name)  # `None` for the handle of a variable
        if node is None or (_is_constant(node) and user in self.servers):
            return False
        return bool(node.input) or not _is_constant(node)

    def _inputs(self, name: str) -> set[str]:
        """Returns the nodes that a node needs, but for constants."""
        return {
            *(node_name(tensor) for tensor in self.data(name) if tensor not in self._feeds),
            *self.controls(name),
        }

    def _find_controls(self) -> dict[str, list[str]]:
        controls = {}
        used = {node_name(text) for node in self.nodes.values() for text in node.input}
        # The updates of each variable, numbered; and for each node, as bits, those that are done when it is.
        numbers = itertools.count()
        updates: dict[str, list[tuple[int, str]]] = {}
        done: dict[str, int] = {}
        for name, node in self.nodes.items():
            data, waits_for = split_inputs(node)
            done[name] = 0
            for other in (*map(node_name, data), *waits_for):
                done[name] |= done.get(other, 0)
            if name in self.servers:
                waits_for = self._without_groups(waits_for)
                # Names of handles may stand for the same variable.
                variables = {self.part.captured[each].runtime_name for each in self.handles(name)}
                if node.op not in _READS:
                    number = next(numbers)
                    done[name] |= 1 << number
                    for each in variables:
                        updates.setdefault(each, []).append((number, name))
                elif name not in used:
                    known = itertools.chain.from_iterable(updates.get(each, ()) for each in variables)
                    waits_for = [update for number, update in known if done[name] >> number & 1]
            controls[name] = waits_for
        return controls

    def _without_groups(self, names: Iterable[str]) -> list[str]:
        """Returns nodes, and in the place of a group those that it waits for."""
        found: dict[str, None] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if _is_group(self.nodes[name]):
                waiting.extend(split_inputs(self.nodes[name])[1])
            else:
                found[name] = None
        return list(found)

    def _find_users(self) -> dict[str, set[str]]:
        """Finds the nodes that need each node. The users of a group use its members."""
        users: dict[str, set[str]] = {name: set() for name in self.nodes}
        for name, node in self.nodes.items():
            if not _is_group(node) or name in self._wanted:
                for other in self._without_groups(self._inputs(name)):
                    users[other].add(name)
        return users

    def _find_computed_there(self) -> dict[str, str]:
        """Finds nodes that only a server needs, and that need only what is there; returns their devices."""
        found: dict[str, str] = {}
        inputs: dict[str, list[str]] = {}
        for name, node in self.nodes.items():
            is_free = self._feeds.isdisjoint(self.data(name)) and name not in self._wanted
            if name not in self.servers and is_free and _is_pure(node):
                inputs[name] = self._without_groups(self._inputs(name))
                places = {self.servers.get(each) or found.get(each) for each in inputs[name]}
                place = places.pop() if len(places) == 1 else None
                if place is not None:
                    found[name] = place
        while True:
            places_of = {**self.servers, **found}
            kept = {
                name: place
                for name, place in found.items()
                if all(places_of.get(each) == place for each in (*self._users[name], *inputs[name]))
            }
            if len(kept) == len(found):
                break
            found = kept
        for name in kept:
            self._controls[name] = self._without_groups((*self._controls[name], *self.constants(name)))
        return kept

    def _find_levels(self) -> dict[str, int]:
        levels: dict[str, int] = {}
        for name in self.nodes:
            here = self.servers.get(name)
            levels[name] = max(
                (levels[each] + (self.servers.get(each) not in (None, here)) for each in self._inputs(name)),
                default=0,
            )
        # What only its own server needs is done with that which needs it.
        for name in reversed(self.nodes):
            users = self._users[name]
            is_free = name in self.servers and name not in self._wanted
            if is_free and users and all(self.servers.get(user) == self.servers[name] for user in users):
                levels[name] = min(levels[user] for user in users)
        return levels

    def _find_early(self, levels: Mapping[str, int]) -> dict[str, None]:
        """Finds what can be read before a step begins."""
        early: dict[str, None] = {}
        for name in self.nodes:
            is_read = name in self.servers and not self.has_effect(name)
            is_free = self._feeds.isdisjoint(self.data(name)) and self._inputs(name) <= early.keys()
            if is_read and is_free and not levels[name] and name not in self._wanted:
                early[name] = None
        return early

    def _find_calls(self, levels: Mapping[str, int]) -> list[_Call]:
        members: dict[tuple[int, str], list[str]] = {}
        for name, server in self.servers.items():
            if name not in self.early:
                members.setdefault((levels[name], server), []).append(name)
        read = {self.servers[name] for name in self.early}
        for server in read - {server for _, server in members}:
            members[0, server] = []
        last = {server: level for level, server in sorted(members)}
        return [
            _Call(server, tuple(members[level, server]), server in read and last[server] == level)
            for level, server in sorted(members)
        ]


class _Writer:
    """Writes the nodes and functions of a plan."""

    def __init__(self, plan: _Plan, specs: Mapping[str, tf.TensorSpec]):
        self._plan = plan
        self._specs = specs
        self._prefix = "server_call"
        while any(name.startswith(self._prefix) for name in plan.nodes):
            self._prefix += "_"
        # Where the tensors are that calls return; and for each node on a server the name of its call.
        self._tensors: dict[str, str] = {}
        self._names = {
            name: f"{self._prefix}_{plan.calls.index(call)}" for name, call in plan.call_of.items()
        }

    def write(self) -> ServerCalls:
        """Writes both parts."""
        plan, part = self._plan, self._plan.part
        first, step = tf.compat.v1.GraphDef(), tf.compat.v1.GraphDef()
        first.versions.CopyFrom(part.graph_def.versions)
        step.versions.CopyFrom(part.graph_def.versions)
        step.library.CopyFrom(part.graph_def.library)
        first_read: dict[str, str] = {}
        next_read: dict[str, str] = {}
        previous: dict[str, str] = {}
        for index, call in enumerate(plan.calls):
            name = f"{self._prefix}_{index}"
            if call.reads_ahead:
                first_read.update(self._write_call(first, name, dataclasses.replace(call, members=())))
            waits_for = [self._names.get(each, each) for each in plan.waits_for(call)]
            waits_for += [previous[call.server]] if call.server in previous else []
            previous[call.server] = name
            returned = self._write_call(step, name, call, waits_for)
            next_read.update(returned)
            self._tensors.update((tensor, returned[tensor]) for tensor in plan.results(call))
        step.node.extend(self._local(node) for name, node in plan.nodes.items() if name not in plan.servers)

        used = {node_name(text) for node in step.node for text in node.input}
        fetches = [self._tensors.get(tensor, tensor) for tensor in part.fetches]
        operations = dict.fromkeys(self._names.get(name, name) for name in part.operations)
        return ServerCalls(
            Part(first, (), [first_read[tensor] for tensor in plan.carried], (), {}, draws=False),
            Part(
                step,
                [*part.feeds, *plan.carried],
                [*fetches, *(next_read[tensor] for tensor in plan.carried)],
                list(operations),
                {name: variable for name, variable in part.captured.items() if name in used},
                draws=part.draws,
            ),
            len(plan.calls),
        )

    def _local(self, node: NodeDef) -> NodeDef:
        """Returns a node of the worker that takes what the calls return."""
        data, controls = split_inputs(node)
        return with_inputs(
            node,
            [self._tensors.get(tensor, tensor) for tensor in data],
            [self._names.get(name, name) for name in controls if name not in self._plan.early],
        )

    def _write_call(
        self,
        graph_def: tf.compat.v1.GraphDef,
        name: str,
        call: _Call,
        waits_for: Iterable[str] = (),
    ) -> dict[str, str]:
        """Adds the nodes of a call, and its function; returns where the tensors are that it returns."""
        plan, arguments = self._plan, self._plan.arguments(call)
        carried = [tensor for tensor in plan.carried if plan.servers[node_name(tensor)] == call.server]
        results = [*plan.results(call), *(carried if call.reads_ahead else ())]
        function = self._function(call, arguments, results)
        graph_def.library.function.append(function)
        server = make_constant(f"{name}/server", call.server, tf.string)
        # The operation wants an argument at least.
        given = [self._tensors.get(tensor, tensor) for tensor in arguments] or [f"{server.name}:0"]
        node = make_node("RemoteCall", name, [f"{server.name}:0", *given], waits_for)
        node.attr["Tin"].list.type.extend(each.type for each in function.signature.input_arg)
        node.attr["Tout"].list.type.extend(each.type for each in function.signature.output_arg)
        node.attr["f"].func.name = function.signature.name
        graph_def.node.extend([server, node])
        returned = {}
        for index, tensor in enumerate(results):
            result = make_node("EnsureShape", f"{name}/result_{index}", [f"{name}:{index}"])
            result.attr["T"].type = self._specs[tensor].dtype.as_datatype_enum
            result.attr["shape"].shape.CopyFrom(self._specs[tensor].shape.as_proto())
            graph_def.node.append(result)
            returned[tensor] = f"{result.name}:0"
        return returned

    def _function(self, call: _Call, arguments: Sequence[str], results: Sequence[str]) -> FunctionDef:
        """Returns the function of a call."""
        plan = self._plan
        function = FunctionDef()
        function.signature.name = f"server_call_{next(_NAMES)}"
        function.signature.is_stateful = True
        given = {tensor: f"argument_{index}" for index, tensor in enumerate(arguments)}
        for tensor, name in given.items():
            function.signature.input_arg.add(name=name, type=self._specs[tensor].dtype.as_datatype_enum)
        if not given:
            function.signature.input_arg.add(name="unused", type=tf.string.as_datatype_enum)

        early = [name for name in plan.early if plan.servers[name] == call.server and call.reads_ahead]
        effects = [_in_body(name) for name in call.members if plan.has_effect(name)]
        done = make_node("NoOp", f"{IMPORT_SCOPE}_done", (), effects)
        nodes = {done.name: done} if early and effects else {}
        for name in (*call.members, *early):
            node = plan.nodes[name]
            data, _ = split_inputs(node)
            is_early = name in plan.early
            for each in (*plan.constants(name), *plan.handles(name)):
                nodes[_in_body(each)] = self._source(each)
            siblings = early if is_early else call.members
            controls = [_in_body(each) for each in plan.controls(name) if each in siblings]
            copy = with_inputs(
                node,
                [self._in_body(tensor, {} if is_early else given) for tensor in data],
                [*controls, *(nodes.keys() & {done.name} if is_early else ())],
            )
            copy.name = _in_body(name)
            nodes[copy.name] = copy
        for node in nodes.values():
            node.device = call.server
        function.node_def.extend(nodes.values())
        for index, tensor in enumerate(results):
            output = f"result_{index}"
            function.signature.output_arg.add(name=output, type=self._specs[tensor].dtype.as_datatype_enum)
            function.ret[output] = self._in_body(tensor, {})
        function.signature.control_output.extend(effects)
        for effect in effects:
            function.control_ret[effect] = effect
        return function

    def _source(self, name: str) -> NodeDef:
        """Returns the node of a constant, or of the handle of a variable, in the body of a function."""
        if name in self._plan.nodes:
            node = with_inputs(self._plan.nodes[name], (), ())
            node.name = _in_body(name)
            return node
        variable = self._plan.part.captured[name]
        node = make_node("VarHandleOp", _in_body(name))
        node.attr["dtype"].type = variable.dtype.as_datatype_enum
        node.attr["shape"].shape.CopyFrom(variable.shape.as_proto())
        node.attr["shared_name"].s = variable.runtime_name.encode()
        return node

    def _in_body(self, tensor: str, given: Mapping[str, str]) -> str:
        """Returns how a tensor is called in the body of a function."""
        if tensor in given:
            return given[tensor]
        name, _, index = tensor.partition(":")
        node = self._plan.nodes.get(name)
        return f"{_in_body(name)}:{'resource:0' if node is None else _output(node, int(index))}"


def _in_body(name: str) -> str:
    """Returns the name of a node in the body of a function, by which errors tell it."""
    return f"{IMPORT_SCOPE}/{name}"


def _output(node: NodeDef, index: int) -> str:
    """Returns how a function's body calls an output of a node: the name in its definition, and a number."""
    for output in _tensorflow.op_def(node.op).output_arg:
        count = 1
        if output.number_attr:
            count = node.attr[output.number_attr].i
        elif output.type_list_attr:
            count = len(node.attr[output.type_list_attr].list.type)
        if index < count:
            return f"{output.name}:{index}"
        index -= count
    raise IndexError(f"{node.name} has no such output.")


def _is_constant(node: NodeDef) -> bool:
    return bool(node.op == "Const")


def _is_group(node: NodeDef) -> bool:
    """Returns whether a node does nothing but wait for others, if for any."""
    return bool(node.op == "NoOp" or _is_constant(node))


def _is_pure(node: NodeDef) -> bool:
    """Returns whether a node computes its outputs of its inputs, and does nothing else."""
    definition = _tensorflow.op_def(node.op)
    return bool(
        definition is not None
        and definition.output_arg
        and not definition.is_stateful
        and not _is_group(node)
        and not _calls_functions(node)
    )


def _calls_functions(node: NodeDef) -> bool:
    definition = _tensorflow.op_def(node.op)
    return definition is None or any("func" in attribute.type for attribute in definition.attr)
