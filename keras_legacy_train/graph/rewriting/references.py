"""Replaces reference variables by resource variables, node by node.

TF 1 built two kinds of variables. A *reference* variable's output is the variable's own buffer, handed from
op to op: `Assign` writes into it, any other op reads it at the moment it runs. TensorFlow's functions know
only *resource* variables, read and written by ops of their own. `References.rewrite` replaces

- an op that takes a reference by its resource twin (`Assign` → `AssignVariableOp`, `ApplyAdam` →
  `ResourceApplyAdam`, `RefSwitch` → `Switch`);
- an `Identity` of a reference by a `ReadVariableOp`. Any other reader gets one in front of it;
- a read that TF 1 did late. `w/read` shares its buffer with `w`, so an op that uses `w/read` but runs after
  an update of `w` saw the updated value. Such an op gets a read of its own that waits for the same updates.
  Moving averages depend on it. Readers not ordered against the update raced in TF 1, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import make_node, node_name, set_inputs, split_inputs

_TWINS = {
    "Assign": "AssignVariableOp",
    "AssignAdd": "AssignAddVariableOp",
    "AssignSub": "AssignSubVariableOp",
    "IsVariableInitialized": "VarIsInitializedOp",
}

# These ops forward a reference: the twin forwards the handle.
_CONTROL_FLOW = {
    "RefSwitch": "Switch",
    "RefMerge": "Merge",
    "RefEnter": "Enter",
    "RefExit": "Exit",
    "RefNextIteration": "NextIteration",
    "RefIdentity": "Identity",
}

# The output of these ops is their input's buffer.
_FORWARDING = frozenset({"Identity", "StopGradient", "PreventGradient"})


@dataclasses.dataclass(frozen=True)
class Reference:
    """Describes what a tensor that was a reference has become.

    Attributes:
        handle: Name of the tensor that holds the variable's resource handle.
        variable: Name of the variable.
        after: Nodes that a reader through this reference must run after.
    """

    handle: str
    variable: str
    after: tuple[str, ...] = ()


class References:
    """Rewrites nodes in topological order, and remembers what each reference has become.

    Attributes:
        known: The references by the names of their tensors.
    """

    def __init__(self) -> None:
        self.known: dict[str, Reference] = {}
        self._aliases: dict[str, Reference] = {}
        self._dtypes: dict[str, int] = {}
        self._bits: dict[str, int] = {}
        # For each node the variables that are updated before it runs, as bits.
        self._updated: dict[str, int] = {}

    def add_variable(self, name: str, dtype: int) -> None:
        """Adds a reference variable.

        Args:
            name: Name of its op.
            dtype: Its dtype, a `DataType` enum value.
        """
        self.known[f"{name}:0"] = Reference(f"{name}:0", name)
        self._dtypes[name] = dtype
        self._bits[name] = 1 << len(self._bits)

    def rewrite(self, node: NodeDef) -> list[NodeDef]:
        """Returns the nodes that replace a node: itself or its twin, after the reads it needs.

        Raises:
            ValueError: The op works on reference variables only.
        """
        if not self.known:
            return [node]
        data, controls = split_inputs(node)
        updated = 0
        for name in (*map(node_name, data), *controls):
            updated |= self._updated.get(name, 0)
        self._updated[node.name] = updated

        takes = self._references_taken(node, data)
        if takes:
            return self._twin(node, data, controls, takes)
        if node.op == "Identity" and data[0] in self.known:
            return [self._read_in_place(node, self.known[data[0]], controls)]
        return self._reader(node, data, controls)

    def read(self, name: str, reference: Reference, controls: Sequence[str] = ()) -> NodeDef:
        """Makes a node that reads the referenced variable after `controls`."""
        node = make_node("ReadVariableOp", name, [reference.handle], (*reference.after, *controls))
        node.attr["dtype"].type = self._dtypes[reference.variable]
        return node

    def _references_taken(self, node: NodeDef, data: Sequence[str]) -> dict[int, Reference]:
        """Returns the references that the op takes as references, by the position of the input."""
        if not any(name in self.known for name in data):
            return {}
        definition = _tensorflow.op_def(node.op)
        if definition is None:
            return {}
        is_reference: list[bool] = []
        for argument in definition.input_arg:
            count = 1
            if argument.number_attr:
                count = node.attr[argument.number_attr].i
            elif argument.type_list_attr:
                count = len(node.attr[argument.type_list_attr].list.type)
            is_reference.extend([argument.is_ref] * count)
        return {
            position: self.known[name]
            for position, (name, taken) in enumerate(zip(data, is_reference, strict=True))
            if taken and name in self.known
        }

    def _twin(
        self, node: NodeDef, data: list[str], controls: list[str], taken: dict[int, Reference]
    ) -> list[NodeDef]:
        """Replaces an op that takes references by its twin for handles, after the reads this needs."""
        forwards = node.op in _CONTROL_FLOW
        op = _CONTROL_FLOW.get(node.op) or _TWINS.get(node.op) or f"Resource{node.op}"
        definition = _tensorflow.op_def(op)
        if definition is None:
            raise ValueError(
                f"{node.name!r}: {node.op} works on reference variables only and has no form for resource"
                f" variables. Build {', '.join(r.variable for r in taken.values())} with use_resource=True."
            )
        added: list[NodeDef] = []
        others = list(data)
        for position, reference in taken.items():
            handle = reference.handle
            if forwards and reference.after:
                # A control input on the op itself would make a dead branch of a Merge kill the live one.
                ordered = make_node("Identity", f"{node.name}/ordered_{position}", [handle], reference.after)
                ordered.attr["T"].type = tf.resource.as_datatype_enum
                added.append(ordered)
                handle = f"{ordered.name}:0"
            else:
                controls = [*controls, *reference.after]
            others[position] = handle
        untaken = {i: name for i, name in enumerate(data) if i not in taken}
        for position, read in self._reads(node, untaken, controls).items():
            added.append(read)
            others[position] = f"{read.name}:0"

        twin = make_node(op, node.name, others, controls)
        twin.device = node.device
        attributes = {attribute.name for attribute in definition.attr}
        for name in attributes & set(node.attr):
            twin.attr[name].CopyFrom(node.attr[name])
        if forwards:
            twin.attr["T"].type = tf.resource.as_datatype_enum
        elif "dtype" in attributes and "T" in node.attr:
            twin.attr["dtype"].type = node.attr["T"].type

        first = next(iter(taken.values()))
        if forwards:
            outputs = 2 if op == "Switch" else 1
            for i in range(outputs):
                self.known[f"{node.name}:{i}"] = Reference(f"{node.name}:{i}", first.variable)
        else:
            if not definition.output_arg:
                self.known[f"{node.name}:0"] = Reference(first.handle, first.variable, (node.name,))
            if op != "VarIsInitializedOp":
                for reference in taken.values():
                    self._updated[node.name] |= self._bits[reference.variable]
        return [*added, twin]

    def _read_in_place(self, node: NodeDef, reference: Reference, controls: Sequence[str]) -> NodeDef:
        """Replaces an `Identity` of a reference by a read."""
        self._aliases[f"{node.name}:0"] = reference
        return self.read(node.name, reference, controls)

    def _reader(self, node: NodeDef, data: list[str], controls: list[str]) -> list[NodeDef]:
        """Gives an op that takes values the reads it needs."""
        if node.op in _FORWARDING and data and data[0] in self._aliases:
            self._aliases[f"{node.name}:0"] = self._aliases[data[0]]
        reads = self._reads(node, dict(enumerate(data)), controls)
        if reads:
            for position, read in reads.items():
                data[position] = f"{read.name}:0"
            set_inputs(node, data, controls)
        return [*reads.values(), node]

    def _reads(self, node: NodeDef, data: dict[int, str], controls: Sequence[str]) -> dict[int, NodeDef]:
        """Makes the reads that must run before the node, by the position of the input they replace."""
        reads = {}
        for position, name in data.items():
            direct = self.known.get(name)
            reference = direct or self._aliases.get(name)
            if reference is None:
                continue
            bit = self._bits[reference.variable]
            inputs = [node_name(other) for other in data.values() if other != name]
            late = [other for other in (*inputs, *controls) if self._updated.get(other, 0) & bit]
            if direct or late:
                reads[position] = self.read(f"{node.name}/read_{position}", reference, late)
        return reads
