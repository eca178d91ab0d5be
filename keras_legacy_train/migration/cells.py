"""Finds the recurrent cells of a model and of a checkpoint, and converts the weights of one to the other."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Iterable, Sequence

from keras_legacy_train.migration.layouts import LAYOUTS, Layout, Sizes, identify_cell
from keras_legacy_train.migration.names import Parts, normalized, split_name, without_default_model_names
from keras_legacy_train.migration.weights import Assignment, Reader, Tensor, Weight, make_assignment

_ROLES = ("kernel", "recurrent_kernel", "bias")

# Scope parts that name the kind of a cell or of its wrapper. They do not tell which cell of the model it is.
_GENERIC = re.compile(
    r"(?:basic_|simple_|multi_|stacked_|cudnn_|cudnn_compatible_|bidirectional_|stack_bidirectional_)?"
    r"(?:rnn|lstm|gru)(?:_fused)?(?:_cells?)?(?:_\d+)?|bidirectional(?:_\d+)?"
)
_DIRECTION = re.compile(r"(?:(fw|forward)|bw|backward)(?:_(\w+))?")
# A kernel with a bias may also be a dense layer. It is a cell if its scope has such a name.
_CELL_SCOPES = {
    "LSTM": re.compile(r"\w*lstm\w*cell(?:_\d+)?|lstm(?:_\d+)?"),
    "SimpleRNN": re.compile(r"(?:basic_|simple_)?rnn(?:_cell)?(?:_\d+)?"),
}
# The tensor names of `GRUBlockCell`, and those of the equivalent `GRUCell`.
_BLOCK_GRU = {
    "w_ru": "gates/kernel",
    "b_ru": "gates/bias",
    "w_c": "candidate/kernel",
    "b_c": "candidate/bias",
}


@dataclasses.dataclass(frozen=True, eq=False)
class StoredCell:
    """Describes a recurrent cell in a checkpoint.

    Attributes:
        scope: The scope of its tensors, in parts.
        layout: How its weights are stored.
        tensors: Its tensors, in the order of `layout.tensors`.
        sizes: Its sizes.
        extras: Names of other tensors below its scope, which a Keras cell does not have.
    """

    scope: Parts
    layout: Layout
    tensors: Sequence[Tensor]
    sizes: Sizes
    extras: Sequence[str]

    @property
    def parts(self) -> Parts:
        return _without_cell_parts(self.scope)

    @property
    def spellings(self) -> Sequence[Parts]:
        return _without_cell_parts(self.scope), _identifying_parts(self.scope)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(tensor.name for tensor in self.tensors)

    @property
    def kind(self) -> str:
        return self.layout.kind

    @property
    def is_certain(self) -> bool:
        """Tells whether it is surely a cell; a kernel with a bias may also be a dense layer."""
        if self.layout.tensors != ("kernel", "bias"):
            return True
        return bool(self.scope and _CELL_SCOPES[self.kind].fullmatch(self.scope[-1].lower()))

    def matches_scope(self, scope: Parts) -> bool:
        """Returns whether a scope in the user's `name_map` means this cell."""
        if normalized(scope) == normalized(self.scope):
            return True
        return self.is_certain and _identifying_parts(scope) == _identifying_parts(self.scope)


@dataclasses.dataclass(frozen=True, eq=False)
class Cell:
    """Describes a recurrent cell of the model.

    Attributes:
        scope: The path of its weights without the last part.
        kind: `"LSTM"`, `"GRU"` or `"SimpleRNN"`.
        sizes: Its sizes.
        weights: Its kernel, its recurrent kernel and, if it has one, its bias.
    """

    scope: Parts
    kind: str
    sizes: Sizes
    weights: Sequence[Weight]

    @property
    def parts(self) -> Parts:
        return _without_cell_parts(self.scope)

    @property
    def spellings(self) -> Sequence[Parts]:
        return _without_cell_parts(self.scope), _identifying_parts(self.scope)

    def could_match(self, stored: StoredCell) -> bool:
        """Returns whether a stored cell of the same name is its counterpart, whatever the sizes."""
        return stored.is_certain and stored.kind == self.kind

    def mismatch(self, stored: StoredCell) -> str | None:
        """Says why a stored cell of its kind does not fit; `None` if it fits."""
        path, name = self.weights[0].path, stored.names[0]
        if stored.sizes[:2] != self.sizes[:2]:
            ours, theirs = list(self.weights[0].shape), list(stored.tensors[0].shape)
            return (
                f"{path}: shape {ours} in the model, of {_describe(self.sizes)}, but {name} has shape"
                f" {theirs} in the checkpoint, of {_describe(stored.sizes)}"
            )
        if stored.extras:
            return (
                f"{path}: {name} is of a cell with more than a Keras {self.kind}: {', '.join(stored.extras)}"
            )
        if stored.sizes.bias != self.sizes.bias:
            return self._bias_mismatch(stored)
        problems = (weight.dtype_mismatch(tensor) for tensor in stored.tensors for weight in self.weights)
        return next(filter(None, problems), None)

    def _bias_mismatch(self, stored: StoredCell) -> str:
        ours, theirs = (
            "no bias" if sizes.bias is None else f"a bias of shape {list(sizes.bias)}"
            for sizes in (self.sizes, stored.sizes)
        )
        path, name = self.weights[0].path, stored.names[0]
        problem = f"{path}: with {ours} in the model, but {name} with {theirs} in the checkpoint"
        if self.sizes.bias is None:
            return f"{problem}; make the layer with use_bias=True"
        if self.kind == "GRU" and stored.sizes.bias is not None:
            return f"{problem}; make the layer with reset_after={len(stored.sizes.bias) == 2}"
        return problem

    def assignments(self, stored: StoredCell, read: Reader, forget_bias: float) -> list[Assignment]:
        """Returns the values for its weights, converted from a stored cell.

        Args:
            stored: The cell in the checkpoint.
            read: Reads a tensor of the checkpoint.
            forget_bias: The number that an LSTM of TensorFlow 1 added to the bias of its forget gate.

        Raises:
            OverflowError: A value is too large for the dtype of its weight.
        """
        if stored.scope and stored.scope[-1].startswith("cudnn_compatible"):
            forget_bias = 0.0
        values = stored.layout.convert([read(name) for name in stored.names], forget_bias)
        note = stored.layout.note.format(forget_bias=forget_bias)
        filled = zip(self.weights, values, strict=True)
        return [make_assignment(weight, stored.names, value, note) for weight, value in filled]


def find_cells(weights: Iterable[Weight]) -> list[Cell]:
    """Returns the recurrent cells of a model: weights of one scope whose names and shapes make a cell."""
    by_scope: dict[Parts, list[Weight]] = collections.defaultdict(list)
    for weight in weights:
        by_scope[weight.parts[:-1]].append(weight)
    cells = []
    for scope, siblings in by_scope.items():
        by_role = {weight.parts[-1]: weight for weight in siblings}
        members = [by_role[role] for role in _ROLES if role in by_role]
        if len(by_role) < len(siblings) or "recurrent_kernel" not in by_role or "kernel" not in by_role:
            continue
        found = identify_cell(*(weight.shape for weight in members))
        if found:
            cells.append(Cell(scope, *found, members))
    return cells


def find_stored_cells(tensors: Sequence[Tensor]) -> list[StoredCell]:
    """Returns all groups of tensors whose names and shapes make a cell. Some may be dense layers."""
    by_name = {_name_in_cell(tensor): tensor for tensor in tensors}
    cells = []
    for name in by_name:
        for layout in LAYOUTS:
            first = split_name(layout.tensors[0])
            scope = name[: -len(first)]
            members = [by_name.get((*scope, *split_name(tensor))) for tensor in layout.tensors]
            present = [tensor for tensor in members if tensor is not None]
            if name[-len(first) :] != first or len(present) < len(members):
                continue
            sizes = layout.sizes([tensor.shape for tensor in present])
            if sizes is not None:
                below = (tensor for tensor in tensors if tensor.parts[: len(scope)] == scope)
                extras = [tensor.name for tensor in below if tensor not in present]
                cells.append(StoredCell(scope, layout, present, sizes, extras))
    return cells


def _name_in_cell(tensor: Tensor) -> Parts:
    *scope, leaf = tensor.spelling
    return (*scope, *split_name(_BLOCK_GRU.get(leaf, leaf)))


def _describe(sizes: Sizes) -> str:
    return f"{sizes.units} units with {sizes.inputs} inputs"


def _without_cell_parts(scope: Parts) -> Parts:
    """Returns a scope without the last parts that a cell and its wrapper add: `rnn`, `basic_lstm_cell`."""
    while len(scope) > 1 and _GENERIC.fullmatch(scope[-1]) and ("_cell" in scope[-1] or scope[-1] == "rnn"):
        scope = scope[:-1]
    return scope


def _identifying_parts(scope: Parts) -> Parts:
    """Returns the parts of a scope that tell which cell it is, and in which direction it runs."""
    specific: list[str] = []
    for part in map(str.lower, without_default_model_names(scope)):
        direction = _DIRECTION.fullmatch(part)
        name = direction[2] if direction else part
        if name and not _GENERIC.fullmatch(name):
            specific.append(name)
        if direction:
            specific.append("forward" if direction[1] else "backward")
    return tuple(specific)
