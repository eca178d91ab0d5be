"""Makes functions over variables of a TF 1 graph.

    lifted = LiftedGraph(graph)
    step = lifted.function(fetches=["loss:0"], operations=["train"])
    loss, = step()

`LiftedGraph` keeps the graph's nodes, rewritten for TensorFlow 2, in a table. A function is made from the
part of the table that its fetches need. Its arguments are the fed tensors, its captures the variables. Nodes
that are added to the graph later are rewritten in the same way when the next function is made.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph import op_errors
from keras_legacy_train.graph.effects import effects
from keras_legacy_train.graph.garbage import collector_paused
from keras_legacy_train.graph.library import Library
from keras_legacy_train.graph.nodes import (
    VARIABLE_OPS,
    make_node,
    node_name,
    split_inputs,
    topologically_sorted,
    with_inputs,
)
from keras_legacy_train.graph.part import Part
from keras_legacy_train.graph.random_ops import stateful_twins
from keras_legacy_train.graph.rewriting import inputs, products
from keras_legacy_train.graph.rewriting.datasets import FILE_NAMES, DatasetNodes, Datasets
from keras_legacy_train.graph.rewriting.devices import LocalDevices
from keras_legacy_train.graph.rewriting.feeds import fed_value, with_fed_variables
from keras_legacy_train.graph.rewriting.frames import Frames
from keras_legacy_train.graph.rewriting.ordering import order_updates
from keras_legacy_train.graph.rewriting.redundant_controls import drop_redundant_controls
from keras_legacy_train.graph.rewriting.references import References
from keras_legacy_train.graph.rewriting.server_calls import ServerCalls, server_calls

_LIFTS = itertools.count()

_DROPPED_ATTRIBUTES = ("_output_shapes", "_class")

Function = Callable[[Sequence[tf.Tensor]], list[tf.Tensor]]


class LiftedGraph:
    """Holds the variables of a graph, without values at first, and makes functions over them.

    Args:
        graph: The graph. It is not changed, and may grow.
        devices: Says where its variables are, and where it runs; by default all is in this process.
        keeps_datasets: Whether datasets must stay as they are, since positions in them are saved.

    Attributes:
        graph: The graph.
        variables: The graph's variables by the names of their ops.
        random_states: The states of the random ops, `int64` vectors, by the names of the ops.
        rewrites: How often nodes lifted before have changed, so that what was built of them is out of date.
    """

    def __init__(self, graph: tf.Graph, devices: LocalDevices | None = None, *, keeps_datasets: bool = False):
        self.graph = graph
        self.variables: dict[str, _tensorflow.GraphVariable] = {}
        self.random_states: dict[str, _tensorflow.GraphVariable] = {}
        self._devices = LocalDevices() if devices is None else devices
        self._initial_random_states: dict[str, np.ndarray] = {}
        self._suffix = f"_lift{next(_LIFTS)}{self._devices.process_suffix}"
        self._nodes: dict[str, NodeDef] = {}
        self._captured: dict[str, _tensorflow.GraphVariable] = {}
        self._states: set[str] = set()
        self._shared: dict[tuple[str, str], _tensorflow.GraphVariable] = {}
        self._references = References()
        saves_positions = any(op.type == "SerializeIterator" for op in graph.get_operations())
        self._rewrites_datasets = not (keeps_datasets or saves_positions)
        self._library = Library(
            self._suffix,
            self._make_state_for_function,
            self._devices,
            self._devices.default,
            self._rewrites_datasets,
        )
        self._lifted_ops: set[str] = set()
        self._dataset_factories: set[str] = set()
        self._has_large_products = False
        self._gets_next_synchronously = True
        self.rewrites = 0
        self._version = -1
        self._frames = Frames()
        self._functions: dict[tuple[tuple[str, ...], ...], Function] = {}
        self._lock = threading.RLock()
        self.update()

    def function(
        self,
        feeds: Iterable[str] = (),
        fetches: Iterable[str] = (),
        operations: Iterable[str] = (),
    ) -> Function:
        """Returns the function that takes values for `feeds`, runs `operations` and returns `fetches`.

        A fetched variable is read after the operations have run. Functions are kept, so that the same names
        get the same function.

        Args:
            feeds: Names of tensors (`"x:0"`) that the function takes.
            fetches: Names of tensors that it returns.
            operations: Names of operations that it runs.

        Returns:
            A callable from a sequence of tensors, one for each feed, to a list of tensors, one for each
            fetch.

        Raises:
            tf.errors.InvalidArgumentError: A placeholder is needed and not fed.
        """
        key = (tuple(feeds), tuple(fetches), tuple(operations))
        if self._version == self.graph.version and key in self._functions:
            return self._functions[key]  # does not wait for a thread that makes another one
        with self._lock:
            if self._version != self.graph.version:
                self.update()
            if key not in self._functions:
                self._functions[key] = self._make_function(*key)
            return self._functions[key]

    def forget_functions(self) -> None:
        """Drops the functions made so far.

        TensorFlow folds constants in them, so a function that initializes a large variable keeps a copy.
        """
        with self._lock:
            self._functions.clear()

    def part(
        self, feeds: Iterable[str] = (), fetches: Iterable[str] = (), operations: Iterable[str] = ()
    ) -> Part:
        """Returns the nodes that `function` makes a function of; see there for arguments and errors."""
        with self._lock:
            if self._version != self.graph.version:
                self.update()
            once = tuple(dict.fromkeys(operations))  # a function runs each operation once
            return self._part(tuple(feeds), tuple(fetches), once)

    def server_calls(self, part: Part) -> ServerCalls | None:
        """Returns a part that calls the servers of its variables; `None` if it has none, or cannot."""
        return server_calls(part, self._known_spec)

    def has_drawn(self) -> bool:
        """Returns whether a random op has drawn numbers, so that it would draw others from now on."""
        with self.eager_mode():
            return any(
                not np.array_equal(state.numpy(), self._initial_random_states[name])
                for name, state in self.random_states.items()
            )

    @property
    def input_may_wait(self) -> bool:
        """Returns whether datasets call Python or read queues, so that an element may wait for the host."""
        return not self._gets_next_synchronously

    def eager_mode(self) -> contextlib.AbstractContextManager[None]:
        """Returns the context to call the graph's functions in; the last bits of results depend on it."""
        self._devices.check_servers()
        return _tensorflow.eager_mode(fuses=self._has_large_products)

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """Returns the context to make functions of parts in, which says where the graph runs."""
        return self._devices.scope()

    def shared_variables(self) -> dict[str, _tensorflow.GraphVariable]:
        """Returns the variables on servers that other processes use, too, by the names of their ops."""
        return {name: variable for name, variable in self.variables.items() if variable.is_shared}

    def find_variables_again(self) -> None:
        """Finds the shared variables again, and lets go of the functions over them.

        This process must have connected to the servers again.
        """
        with self._lock, _tensorflow.eager_mode():
            for variable in self.shared_variables().values():
                variable.find_again()
            self._functions.clear()
            self.rewrites += 1

    def delete_from_server(self) -> None:
        """Frees what a server holds for this graph alone. Nothing can be run afterwards."""
        with self.eager_mode():
            for variable in (*self.variables.values(), *self.random_states.values()):
                if not variable.is_shared:
                    variable.delete_from_server()

    def explain(self, error: tf.errors.OpError) -> tf.errors.OpError:
        """Has an error that a function over parts of the graph has raised speak of the graph; returns it."""
        variables = (*self.variables.values(), *self.random_states.values())
        runtime_names = {variable.runtime_name: variable.name.removesuffix(":0") for variable in variables}
        return op_errors.explain(error, self.graph, runtime_names, self._suffix)

    def variable(self, name: str) -> _tensorflow.GraphVariable:
        """Returns the variable of the op of that name; ops that share a variable have the same one."""
        return self._captured[name]

    def spec(self, tensor_name: str) -> tf.TensorSpec:
        """Returns the shape and dtype of what `function` takes or returns for a tensor."""
        variable = self._captured.get(node_name(tensor_name))
        tensor = self.graph.get_tensor_by_name(tensor_name) if variable is None else variable
        return tf.TensorSpec(tensor.shape, tensor.dtype.base_dtype)

    def _known_spec(self, tensor_name: str) -> tf.TensorSpec | None:
        """Returns the shape and dtype of a tensor; `None` if the graph has none of that name."""
        try:
            return self.spec(tensor_name)
        except (KeyError, ValueError):
            return None

    @collector_paused()
    def update(self) -> None:
        """Lifts the operations that were added to the graph since the last time."""
        with self._lock, _tensorflow.eager_mode(), self._devices.scope():
            self._version = self.graph.version
            new = [op for op in self.graph.get_operations() if op.name not in self._lifted_ops]
            if not self._lifted_ops or any(self._calls_unknown_function(op) for op in new):
                self._library.add(self.graph.as_graph_def().library)
            started = []
            one_shot = [op for op in new if op.type == "OneShotIterator"]
            self._dataset_factories.update(op.get_attr("dataset_factory").name for op in one_shot)
            op_types = self._library.op_types(besides=self._dataset_factories)  # these run once, here
            self._has_large_products |= products.may_be_large(op_types)
            datasets = self._datasets(new)
            if self._gets_next_synchronously and inputs.may_wait_for_step(op_types):
                self._let_other_threads_wait()
            for op in topologically_sorted(new):
                self._lifted_ops.add(op.name)
                self._has_large_products |= products.is_large(op)
                started.extend(self._lift(op, datasets))
            for enter in self._frames.serial_enter_nodes():
                self._nodes[enter].attr["parallel_iterations"].i = 1
            if started:
                self._make_function((), (), tuple(started))([])

    def _let_other_threads_wait(self) -> None:
        """Has other threads wait for iterators: these may get a dataset that needs the threads of steps."""
        self._gets_next_synchronously = False
        waiting = [node for node in self._nodes.values() if node.op == "IteratorGetNextSync"]
        for node in waiting:
            node.op = "IteratorGetNext"
        if waiting:
            self._functions.clear()
            self.rewrites += 1

    def _calls_unknown_function(self, op: tf.Operation) -> bool:
        """Returns whether an operation calls a function that is not in the library yet."""
        attributes = op.node_def.attr.values()
        names = [value.func.name for value in attributes if value.HasField("func")]
        names += [f.name for value in attributes for f in value.list.func]
        return any(name not in self._library for name in names)

    def _datasets(self, operations: Sequence[tf.Operation]) -> Datasets | None:
        """Finds the datasets among operations, which may be rewritten."""
        made = [op for op in operations if "Dataset" in op.type] if self._rewrites_datasets else []
        if not made:
            return None
        arguments: set[tf.Operation] = set()
        tensors = (tensor for op in made for tensor in op.inputs)
        waiting = [tensor.op for tensor in tensors if tensor.shape.rank == 0 or tensor.dtype == tf.string]
        while waiting:
            argument = waiting.pop()
            if argument.type in FILE_NAMES and argument not in arguments:
                arguments.add(argument)
                waiting.extend(tensor.op for tensor in argument.inputs)
        nodes = [op.node_def for op in (*made, *arguments)]
        shapes = {tensor.name: tensor.shape for op in made for tensor in op.inputs}
        return Datasets(DatasetNodes(nodes, self._library.function, shapes), self._library.add_generated)

    def _lift(self, op: tf.Operation, datasets: Datasets | None) -> list[str]:
        """Adds one operation to the table, rewritten; returns the nodes that must run once, at once."""
        node = NodeDef()
        node.CopyFrom(op.node_def)
        for attribute in _DROPPED_ATTRIBUTES:
            node.attr.pop(attribute, None)
        self._devices.check(op)
        node.device = self._devices(node.device)
        if node.op in VARIABLE_OPS:
            self._add_variable(node, op)
            return []
        self._library.rewrite(node)
        starters: list[str] = []
        for rewritten in self._references.rewrite(node):
            self._frames.add(rewritten)
            inputs.make_shared_name_unique(rewritten, self._suffix)
            if self._gets_next_synchronously:
                inputs.get_next_synchronously(rewritten)
            if rewritten.op == "OneShotIterator":
                nodes = inputs.one_shot_iterator(rewritten)
                starters.append(nodes[-1].name)
            elif datasets is not None and "Dataset" in rewritten.op:
                nodes = datasets.rewrite(rewritten)
            else:
                nodes = self._with_external_random_state(rewritten)
            is_local_input = "Dataset" in rewritten.op and not self._devices.default
            for each in nodes:
                inputs.keep_on_host(each, is_local_input)
                self._devices.place(each, calls_python=not self._gets_next_synchronously)
                self._nodes[each.name] = each
        return starters

    def _add_variable(self, node: NodeDef, op: tf.Operation) -> None:
        """Makes the variable of a variable's operation."""
        attributes = node.attr
        dtype = tf.as_dtype(attributes["dtype"].type)
        if node.op == "VarHandleOp":
            shape = tf.TensorShape(attributes["shape"].shape)
        else:
            shape = op.outputs[0].shape
            self._references.add_variable(node.name, attributes["dtype"].type)
        # Handles with the same shared name belong to the same variable.
        shared_name = attributes["shared_name"].s.decode() or node.name
        key = (attributes["container"].s.decode(), shared_name)
        if key not in self._shared:
            self._shared[key] = self._make_variable(node.name, shape, dtype, shared_name, op.node_def.device)
            self.variables[node.name] = self._shared[key]
        self._captured[node.name] = self._shared[key]

    def _make_variable(
        self, name: str, shape: tf.TensorShape, dtype: tf.DType, shared_name: str | None, graph_device: str
    ) -> _tensorflow.GraphVariable:
        """Makes a variable where the graph puts it.

        Args:
            name: Its name.
            shape: Its shape.
            dtype: Its dtype.
            shared_name: The name by which other processes know it, where it is shared.
            graph_device: Where the graph puts it.
        """
        device, is_shared = self._devices.of_variable(graph_device)
        if device is None:
            return _tensorflow.GraphVariable(name, shape, dtype)
        if not is_shared:
            shared_name = f"{name}{self._suffix}"
        return _tensorflow.GraphVariable(name, shape, dtype, shared_name, device=device, is_shared=is_shared)

    def _make_state(self, name: str, initial: np.ndarray, by_name: bool) -> _tensorflow.GraphVariable:
        """Makes the variable that holds the state of a random op.

        Args:
            name: Name of the op.
            initial: The state before the first draw.
            by_name: Whether a `VarHandleOp` must find the variable by its shared name.
        """
        state_name = f"{name}/random_state"
        shape = tf.TensorShape(initial.shape)
        device, _ = self._devices.of_variable("")
        shared_name = f"{state_name}{self._suffix}" if by_name or device is not None else None
        variable = _tensorflow.GraphVariable(state_name, shape, tf.int64, shared_name, device=device)
        variable.assign(initial)
        self.random_states[name] = variable
        self._initial_random_states[name] = initial
        self._captured[state_name] = variable
        self._states.add(state_name)
        return variable

    def _make_state_for_function(self, name: str, initial: np.ndarray) -> str:
        """Makes the state of a random op in a function body; returns the variable's shared name."""
        self._make_state(name, initial, by_name=True)
        return f"{name}/random_state{self._suffix}"

    def _with_external_random_state(self, node: NodeDef) -> list[NodeDef]:
        """Replaces a random op by nodes that keep its state in a variable; keeps any other node."""
        initial = stateful_twins.initial_state(node)
        if initial is None:
            return [node]
        in_loop = self._frames.run_serially(node.name)
        state = self._make_state(node.name, initial, by_name=in_loop)
        handle_nodes = []
        handle = f"{node.name}/random_state:0"
        if in_loop:
            # A captured handle lies outside the TF 1 while loop, so it cannot be an input inside.
            (first, *_), _ = split_inputs(node)
            handle_node = make_node("VarHandleOp", f"{node.name}/random_state_handle", (), [node_name(first)])
            handle_node.attr["dtype"].type = tf.int64.as_datatype_enum
            handle_node.attr["shape"].shape.CopyFrom(state.shape.as_proto())
            handle_node.attr["shared_name"].s = f"{node.name}/random_state{self._suffix}".encode()
            handle_nodes, handle = [handle_node], f"{handle_node.name}:0"
        twin = stateful_twins.twin(node, handle)
        self._library.add_generated(twin.functions)
        return [*twin.nodes, *handle_nodes]

    @collector_paused()
    def _make_function(
        self, feeds: tuple[str, ...], fetches: tuple[str, ...], operations: tuple[str, ...]
    ) -> Function:
        part = self._part(feeds, fetches, operations)
        signature = [self.spec(feed) for feed in feeds]

        def body(*arguments: tf.Tensor) -> list[tf.Tensor]:
            fetched, operations = part.build(arguments)
            # This output makes the function run the operations.
            with tf.control_dependencies(operations):
                return [*fetched, tf.constant(True, name="done")]

        with _tensorflow.eager_mode(), self._devices.scope():
            function = _tensorflow.wrap_function(body, signature)

        def run(arguments: Sequence[tf.Tensor]) -> list[tf.Tensor]:
            try:
                return _tensorflow.call(function, arguments)[:-1]
            except tf.errors.OpError as error:
                self.explain(error)
                raise

        return run

    @collector_paused()
    def _part(self, feeds: tuple[str, ...], fetches: tuple[str, ...], operations: tuple[str, ...]) -> Part:
        operations = tuple(effects(operations, self._nodes, frozenset(feeds), self._captured.keys()))
        fetched, extra = self._readable(fetches, operations)
        fed_variables = {name: fed_value(name) for name in feeds if node_name(name) in self._captured}
        feeds = tuple(fed_variables.get(name, name) for name in feeds)
        graph_def, captured = self._subgraph(
            {*map(node_name, fetched), *operations}, extra, set(feeds), fed_variables
        )
        return Part(
            graph_def,
            feeds,
            fetched,
            operations,
            {name: self._captured[name] for name in captured},
            draws=not self._states.isdisjoint(captured),
        )

    def _readable(
        self, fetches: Sequence[str], operations: Sequence[str]
    ) -> tuple[list[str], dict[str, NodeDef]]:
        """Returns the tensors to return for `fetches`, and the reads to add to the table's nodes for them."""
        names, extra = [], {}
        for fetch in fetches:
            read = self._late_read(fetch, operations)
            if read is not None:
                extra[read.name] = read
                fetch = f"{read.name}:0"
            names.append(fetch)
        return names, extra

    def _late_read(self, fetch: str, operations: Sequence[str]) -> NodeDef | None:
        """Makes a read that runs after the operations, if a variable or a plain read of one is fetched."""
        name = f"{node_name(fetch)}/fetched_{fetch.rpartition(':')[2]}"
        if fetch in self._references.known:
            return self._references.read(name, self._references.known[fetch], operations)
        if node_name(fetch) in self._captured:
            read = make_node("ReadVariableOp", name, [fetch], operations)
            read.attr["dtype"].type = self._captured[node_name(fetch)].dtype.as_datatype_enum
            return read
        node = self._nodes.get(node_name(fetch))
        while node is not None and node.op == "Identity" and not any(i.startswith("^") for i in node.input):
            node = self._nodes.get(node_name(node.input[0]))
        if node is None or node.op != "ReadVariableOp" or not operations:
            return None
        if node_name(node.input[0]) not in self._captured:
            return None
        data, controls = split_inputs(node)
        read = with_inputs(node, data, (*controls, *operations))
        read.name = name
        return read

    def _subgraph(
        self,
        wanted: set[str],
        extra: dict[str, NodeDef],
        feeds: set[str],
        fed_variables: Mapping[str, str],
    ) -> tuple[tf.compat.v1.GraphDef, list[str]]:
        """Returns the nodes that `wanted` need, cut off at the fed tensors, and the variables among them."""
        found: dict[str, NodeDef] = {}
        captured: dict[str, None] = {}
        waiting = list(wanted)
        while waiting:
            name = waiting.pop()
            if name in found or name in captured:
                continue
            if name in self._captured:
                captured[name] = None
                continue
            node = extra.get(name) or self._nodes[name]
            data, controls = split_inputs(node)
            kept = [c for c in controls if c not in self._captured and f"{c}:0" not in feeds]
            if len(kept) != len(controls):
                node = with_inputs(node, data, kept)
            if not fed_variables.keys().isdisjoint(data):
                node = with_fed_variables(node, fed_variables)
                data, _ = split_inputs(node)
            if node.op == "Placeholder":
                raise op_errors.unfed(self.graph, name, wanted)
            found[name] = node
            waiting.extend(node_name(tensor) for tensor in data if tensor not in feeds)
            waiting.extend(kept)
        found = {name: found[name] for name in (*self._nodes, *extra) if name in found}
        found = drop_redundant_controls(found, wanted)
        used = wanted.union(node_name(text) for node in found.values() for text in node.input)
        captured = {name: None for name in captured if name in used}
        variables = {name: self._captured[name].name for name in captured if name not in self._states}
        order_updates(found, variables, self._frames)
        graph_def = self._library.reachable(found.values())
        graph_def.versions.producer = self.graph.graph_def_versions.producer
        graph_def.node.extend(found.values())
        return graph_def, list(captured)
