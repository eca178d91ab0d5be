"""Writes a lifted graph as a SavedModel."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.nodes import VARIABLE_OPS
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.graph.tables import MutableTable, mutable_tables

_INITIALIZERS = ("InitializeTable", "LookupTableImport")
_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
# Attributes that tell the place of a table, not its kind.
_PLACES = frozenset({"container", "shared_name", "use_node_name_sharing"})


@dataclasses.dataclass(frozen=True)
class Signature:
    """Describes a function of a SavedModel.

    Attributes:
        inputs: The tensors of the graph that it is given, by the names of its arguments.
        outputs: The tensors that it returns, by the names of its results.
        constants: The values that it feeds to other tensors, by the tensors' names.
    """

    inputs: Mapping[str, tf.Tensor]
    outputs: Mapping[str, tf.Tensor]
    constants: Mapping[str, np.ndarray]


def save(session: GraphSession, directory: str, signatures: Mapping[str, Signature]) -> None:
    """Writes the graph's variables, functions over them, and the tables that these look up.

    Args:
        session: The graph's session; its variables and tables must have values.
        directory: The directory to write the SavedModel to.
        signatures: The functions by name.

    Raises:
        ValueError: A function needs a resource that lives in this process only, such as an iterator.
        tf.errors.InvalidArgumentError: A function needs a placeholder that is not among its inputs.
    """
    module = _Module(session)
    functions = {name: module.function(name, signature) for name, signature in signatures.items()}
    module.states = list(_states_by_name(session, functions.values()))
    tf.saved_model.save(module, directory, signatures=functions)


class _Module(tf.Module):
    """Holds as attributes everything that the SavedModel keeps.

    Args:
        session: The graph's session.
    """

    def __init__(self, session: GraphSession):
        super().__init__()
        variables = {**session.lifted.variables, **session.lifted.random_states}
        self.graph_variables = {name: each for name, each in variables.items() if each.initialized}
        self.tables: dict[str, ExportedTable] = {}
        self.assets: list[tf.saved_model.Asset] = []
        self._session = session
        self._mutable = {table.name: table for table in mutable_tables(session)}

    def function(self, name: str, signature: Signature) -> Any:
        """Makes the function of a signature.

        Raises:
            ValueError: It needs a resource that lives in this process only.
        """
        inputs = {key: tensor.name for key, tensor in signature.inputs.items()}
        outputs = {key: tensor.name for key, tensor in signature.outputs.items()}
        fed = [*inputs.values(), *signature.constants]
        tables = self._tables(name, signature.outputs.values(), set(fed))
        feeds = [*fed, *(f"{table}:0" for table in tables)]
        handles = [table.resource_handle for table in tables.values()]  # made here, not in the function
        computed = [tensor for tensor in outputs.values() if tensor not in fed]
        run = self._session.lifted.function(feeds, computed)

        def exported(**arguments: tf.Tensor) -> dict[str, tf.Tensor]:
            values = [arguments[key] for key in inputs]
            values += [tf.constant(value) for value in signature.constants.values()]
            values += handles
            found = {**dict(zip(feeds, values, strict=True)), **dict(zip(computed, run(values), strict=True))}
            return {key: tf.identity(found[tensor]) for key, tensor in outputs.items()}

        specs = {
            key: tf.TensorSpec(tensor.shape, tensor.dtype.base_dtype, key)
            for key, tensor in signature.inputs.items()
        }
        return tf.function(exported, autograph=False).get_concrete_function(**specs)

    def _tables(self, name: str, outputs: Iterable[tf.Tensor], fed: set[str]) -> dict[str, ExportedTable]:
        """Returns the tables that a signature looks up, by name.

        Raises:
            ValueError: The signature needs a resource that cannot be exported.
        """
        tables = {}
        for operation in needed_operations(outputs, fed):
            if operation.type == "HashTableV2" or operation.name in self._mutable:
                if operation.name not in self.tables:
                    self.tables[operation.name] = self._export_table(operation)
                tables[operation.name] = self.tables[operation.name]
            elif operation.type in _PYTHON or _is_resource(operation):
                raise ValueError(
                    f"signature {name!r}: {operation.name!r} ({operation.type}) lives in this process only"
                    " and cannot be exported. Name tensors behind it as inputs."
                )
        return tables

    def _export_table(self, operation: tf.Operation) -> ExportedTable:
        """Makes the table of the SavedModel that stands for a table of the graph."""
        if operation.name in self._mutable:
            return ExportedTable(self._session, operation, _Contents(self._mutable[operation.name]))
        consumers = operation.outputs[0].consumers()
        initializers = [each for each in consumers if each.type.startswith(_INITIALIZERS)]
        filler = _Initializer(self._session, operation, initializers)
        self.assets += filler.assets
        return ExportedTable(self._session, operation, filler)


class ExportedTable(tf.saved_model.experimental.TrackableResource):
    """Has the loader of the SavedModel make and fill a lookup table.

    Args:
        session: The session of the table's graph.
        operation: The op that makes the table.
        filler: Fills the new table, whose handle it is called with.
    """

    def __init__(self, session: GraphSession, operation: tf.Operation, filler: _Contents | _Initializer):
        super().__init__()
        self._operation = operation
        self._filler = filler
        op_def = _tensorflow.op_def(operation.type)
        inferred = {argument.type_attr for argument in op_def.input_arg}
        self._attributes = {
            attribute.name: _attribute(operation, attribute)
            for attribute in op_def.attr
            if attribute.name not in _PLACES | inferred
        }
        inputs = session.compute([tensor.name for tensor in operation.inputs]) if operation.inputs else []
        self._inputs = {
            argument.name: value for argument, value in zip(op_def.input_arg, inputs, strict=True)
        }

    def _create_resource(self) -> tf.Tensor:
        # No other graph in the loader's process has this name.
        name = f"{self._operation.name}_{uuid.uuid4()}"
        make = getattr(tf.raw_ops, self._operation.type)
        return make(**self._inputs, **self._attributes, shared_name=name)

    def _initialize(self) -> None:
        self._filler(self.resource_handle)


class _Contents:
    """Fills a table with the contents that a mutable table has now.

    Args:
        table: The mutable table.
    """

    def __init__(self, table: MutableTable):
        contents = table.export()
        self._keys = tf.constant(contents.keys.numpy(), table.keys.dtype)
        self._values = tf.constant(contents.values.numpy(), table.values.dtype)

    def __call__(self, handle: tf.Tensor) -> None:
        # The op's shape function does not know all shapes that a dense table takes.
        keys = tf.compat.v1.placeholder_with_default(self._keys, None)
        values = tf.compat.v1.placeholder_with_default(self._values, None)
        tf.raw_ops.LookupTableImportV2(table_handle=handle, keys=keys, values=values)


class _Initializer:
    """Fills a table by its own initializers, with their files among the assets.

    Args:
        session: The session of the table's graph.
        operation: The op that makes the table.
        initializers: The ops that fill it.

    Attributes:
        assets: The files.
    """

    def __init__(self, session: GraphSession, operation: tf.Operation, initializers: Sequence[tf.Operation]):
        from_files = [each for each in initializers if each.type == "InitializeTableFromTextFileV2"]
        filenames = [each.inputs[1].name for each in from_files]
        paths = session.compute(filenames) if filenames else []
        self.assets = [tf.saved_model.Asset(path.decode()) for path in paths]
        feeds = [f"{operation.name}:0", *filenames]
        self._run = session.lifted.function(feeds, (), [each.name for each in initializers])

    def __call__(self, handle: tf.Tensor) -> None:
        self._run([handle, *(asset.asset_path for asset in self.assets)])


class StateByName(tf.saved_model.experimental.TrackableResource):
    """Has the loader of the SavedModel make the state of a random op in a function body.

    The function body finds the state by its name in the runtime.

    Args:
        name: The name in the runtime.
        value: The state now.
    """

    def __init__(self, name: str, value: np.ndarray):
        super().__init__()
        self._name = name
        self._value = value

    def _create_resource(self) -> tf.Tensor:
        return tf.raw_ops.VarHandleOp(shape=self._value.shape, dtype=tf.int64, shared_name=self._name)

    def _initialize(self) -> None:
        tf.raw_ops.AssignVariableOp(resource=self.resource_handle, value=tf.constant(self._value))


def _states_by_name(session: GraphSession, functions: Iterable[Any]) -> Iterator[StateByName]:
    """Yields the random states that functions use but do not capture."""
    states = session.lifted.random_states
    found = set()
    for function in functions:
        library = function.graph.as_graph_def().library
        for node in (node for each in library.function for node in each.node_def):
            if node.op == "VarHandleOp":
                found.add(node.attr["shared_name"].s.decode())
    for name in sorted(found):
        operation = name.rpartition("/random_state")[0]
        if operation in states:
            yield StateByName(name, states[operation].numpy())


def needed_operations(tensors: Iterable[tf.Tensor], fed: set[str]) -> list[tf.Operation]:
    """Returns the operations that tensors depend on, cut off at the fed tensors."""
    found: dict[tf.Operation, None] = {}
    waiting = [tensor.op for tensor in tensors if tensor.name not in fed]
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found[operation] = None
            waiting += [tensor.op for tensor in operation.inputs if tensor.name not in fed]
            waiting += [each for each in operation.control_inputs if f"{each.name}:0" not in fed]
    return list(found)


def _is_resource(operation: tf.Operation) -> bool:
    """Returns whether an operation makes a resource that outlives a step and is not a variable."""
    if operation.type in VARIABLE_OPS or operation.inputs or not operation.op_def.is_stateful:
        return False
    kinds = {output.dtype for output in operation.outputs}
    return tf.resource in kinds or any(kind != kind.base_dtype for kind in kinds)


def _attribute(operation: tf.Operation, attribute: Any) -> Any:
    """Returns the value of an operation's attribute, in the form that `tf.raw_ops` takes."""
    value = operation.get_attr(attribute.name)
    return tf.TensorShape(value) if attribute.type == "shape" else value
