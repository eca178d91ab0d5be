"""Recurrent cells of a model, and those of a checkpoint they are filled from."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Iterable, Sequence

import keras
import numpy as np

from keras_legacy_train.migration.layouts import LAYOUTS, Layout, Sizes, kind_and_sizes
from keras_legacy_train.migration.names import Parts, folded, split, without_nameless_models
from keras_legacy_train.migration.report import FilledWeight
from keras_legacy_train.migration.weights import Reader, Tensor, Weight, with_value

_ROLES = ("kernel", "recurrent_kernel", "bias")

# Names that tell the kind of a cell, or what runs it, and not which one it is.
_GENERIC = re.compile(
    r"(?:basic_|simple_|multi_|stacked_|cudnn_|cudnn_compatible_|bidirectional_|stack_bidirectional_)?"
    r"(?:rnn|lstm|gru)(?:_fused)?(?:_cells?)?(?:_\d+)?|bidirectional(?:_\d+)?"
)
_DIRECTION = re.compile(r"(?:(fw|forward)|bw|backward)(?:_(\w+))?")
# A kernel with a bias may be that of a dense layer: what the scope of a cell is called.
_CALLED = {
    "LSTM": re.compile(r"\w*lstm\w*cell(?:_\d+)?|lstm(?:_\d+)?"),
    "SimpleRNN": re.compile(r"(?:basic_|simple_)?rnn(?:_cell)?(?:_\d+)?"),
}
# What `GRUBlockCell` called its tensors.
_BLOCK_GRU = {
    "w_ru": "gates/kernel",
    "b_ru": "gates/bias",
    "w_c": "candidate/kernel",
    "b_c": "candidate/bias",
}


@dataclasses.dataclass(frozen=True, eq=False)
class StoredCell:
    """A cell in a checkpoint.

    Attributes:
        scope: The scope of its tensors.
        layout: How its weights are kept.
        tensors: Its tensors, as the layout lists them.
        sizes: Its sizes.
        extras: Names of other tensors below its scope, which the cell of Keras has not.
    """

    scope: Parts
    layout: Layout
    tensors: Sequence[Tensor]
    sizes: Sizes
    extras: Sequence[str]

    @property
    def parts(self) -> Parts:
        return _without_cell(self.scope)

    @property
    def spellings(self) -> Sequence[Parts]:
        return _without_cell(self.scope), _specific(self.scope)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(tensor.name for tensor in self.tensors)

    @property
    def kind(self) -> str:
        return self.layout.kind

    @property
    def is_called_so(self) -> bool:
        """Whether it is a cell for certain; a kernel and a bias may be a dense layer if not named so."""
        if self.layout.tensors != ("kernel", "bias"):
            return True
        return bool(self.scope and _CALLED[self.kind].fullmatch(self.scope[-1].lower()))

    def is_at(self, scope: Parts) -> bool:
        """Whether a user means this cell who names that scope."""
        if folded(scope) == folded(self.scope):
            return True
        return self.is_called_so and _specific(scope) == _specific(self.scope)


@dataclasses.dataclass(frozen=True, eq=False)
class Cell:
    """A recurrent cell of the model.

    Attributes:
        scope: The path of its weights without their last part.
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
        return _without_cell(self.scope)

    @property
    def spellings(self) -> Sequence[Parts]:
        return _without_cell(self.scope), _specific(self.scope)

    def is_like(self, stored: StoredCell) -> bool:
        """Whether a stored cell of its name would be its counterpart, if only it fitted."""
        return stored.is_called_so and stored.kind == self.kind

    def problem(self, stored: StoredCell) -> str | None:
        """Why it cannot be filled from a stored cell of its kind, or `None` if it can."""
        path, name = self.weights[0].path, stored.names[0]
        if stored.sizes[:2] != self.sizes[:2]:
            ours, theirs = list(self.weights[0].shape), list(stored.tensors[0].shape)
            return (
                f"{path}: shape {ours} in the model, of {_in_words(self.sizes)}, but {name} has shape"
                f" {theirs} in the checkpoint, of {_in_words(stored.sizes)}"
            )
        if stored.extras:
            return (
                f"{path}: {name} is of a cell with more than a Keras {self.kind}: {', '.join(stored.extras)}"
            )
        if stored.sizes.bias != self.sizes.bias:
            return self._bias_problem(stored)
        problems = (weight.dtype_problem(tensor) for tensor in stored.tensors for weight in self.weights)
        return next(filter(None, problems), None)

    def _bias_problem(self, stored: StoredCell) -> str:
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

    def filled(
        self, stored: StoredCell, read: Reader, forget_bias: float
    ) -> list[tuple[FilledWeight, keras.Variable, np.ndarray]]:
        """What goes into its weights from a stored cell.

        Args:
            stored: The cell in the checkpoint.
            read: Reads one of its tensors.
            forget_bias: What an LSTM added to its forget gate while it ran.
        """
        if stored.scope and stored.scope[-1].startswith("cudnn_compatible"):
            forget_bias = 0.0
        values = stored.layout.convert([read(name) for name in stored.names], forget_bias)
        note = stored.layout.note.format(forget_bias=forget_bias)
        filled = zip(self.weights, values, strict=True)
        return [with_value(weight, stored.names, value, note) for weight, value in filled]


def cells_of(weights: Iterable[Weight]) -> list[Cell]:
    """The recurrent cells among the weights of a model: each weight whose siblings make one with it."""
    by_scope: dict[Parts, list[Weight]] = collections.defaultdict(list)
    for weight in weights:
        by_scope[weight.parts[:-1]].append(weight)
    cells = []
    for scope, siblings in by_scope.items():
        by_role = {weight.parts[-1]: weight for weight in siblings}
        members = [by_role[role] for role in _ROLES if role in by_role]
        if len(by_role) < len(siblings) or "recurrent_kernel" not in by_role or "kernel" not in by_role:
            continue
        found = kind_and_sizes(*(weight.shape for weight in members))
        if found:
            cells.append(Cell(scope, *found, members))
    return cells


def stored_cells(tensors: Sequence[Tensor]) -> list[StoredCell]:
    """All that could be a cell, going by names and shapes of tensors; a dense layer, too."""
    by_name = {_name_in_cell(tensor): tensor for tensor in tensors}
    cells = []
    for name in by_name:
        for layout in LAYOUTS:
            first = split(layout.tensors[0])
            scope = name[: -len(first)]
            members = [by_name.get((*scope, *split(tensor))) for tensor in layout.tensors]
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
    return (*scope, *split(_BLOCK_GRU.get(leaf, leaf)))


def _in_words(sizes: Sizes) -> str:
    return f"{sizes.units} units with {sizes.inputs} inputs"


def _without_cell(scope: Parts) -> Parts:
    """A scope without the parts that a cell itself, and what runs it, adds to one."""
    while len(scope) > 1 and _GENERIC.fullmatch(scope[-1]) and ("_cell" in scope[-1] or scope[-1] == "rnn"):
        scope = scope[:-1]
    return scope


def _specific(scope: Parts) -> Parts:
    """The parts of a scope that tell which cell it is, and in which direction it runs."""
    specific: list[str] = []
    for part in map(str.lower, without_nameless_models(scope)):
        direction = _DIRECTION.fullmatch(part)
        name = direction[2] if direction else part
        if name and not _GENERIC.fullmatch(name):
            specific.append(name)
        if direction:
            specific.append("forward" if direction[1] else "backward")
    return tuple(specific)
