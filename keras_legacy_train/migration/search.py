"""Searches a checkpoint for the counterparts of weights, first by the user's `name_map`, then by rules."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from keras_legacy_train.migration.cells import Cell, StoredCell, find_cells, find_stored_cells
from keras_legacy_train.migration.matching import match
from keras_legacy_train.migration.names import normalized, split_name, with_keras_leaf
from keras_legacy_train.migration.weights import Tensor, Weight

_SUGGESTIONS = 3


class Search:
    """Searches the counterparts of weights.

    Args:
        weights: The weights to fill.
        tensors: The weights in the checkpoint.
        others: The tensors of optimizers and the like, which are found only if the user names them.

    Attributes:
        found: The source of each weight; or of each recurrent cell, for all its weights together.
        problems: For each counterpart that cannot be used, a line that says why.
    """

    def __init__(self, weights: Sequence[Weight], tensors: Sequence[Tensor], others: Sequence[Tensor]):
        self.found: dict[Weight | Cell, Tensor | StoredCell] = {}
        self.problems: list[str] = []
        cells = find_cells(weights)
        in_cells = {weight for cell in cells for weight in cell.weights}
        self._unmatched: list[Weight | Cell] = [
            *cells,
            *(weight for weight in weights if weight not in in_cells),
        ]
        self._order = [weight.path for weight in weights]
        self._tensors = tensors
        self._by_name = {tensor.name: tensor for tensor in (*tensors, *others)}
        self._stored_cells = find_stored_cells(tensors)

    def apply_name_map(self, name_of: Callable[[Weight], str | None]) -> None:
        """Finds the counterparts that the user names. For a recurrent cell one weight or its scope is enough.

        Args:
            name_of: Returns the name that the user gives to a weight, or `None`.
        """
        for target in list(self._unmatched):
            weights = target.weights if isinstance(target, Cell) else [target]
            names = {weight: name for weight in weights if (name := name_of(weight)) is not None}
            if not names:
                continue
            stored = self._named_cell(target, list(names.values())) if isinstance(target, Cell) else None
            if stored is not None:
                self._pair(target, stored)
                continue
            self._unmatched.remove(target)
            self._unmatched += [weight for weight in weights if weight not in names]
            for weight, name in names.items():
                self._pair_named(weight, name)

    def apply_rules(self) -> None:
        """Finds counterparts of the same name and shape; then of the same name, to report the mismatch."""
        for kind, sources in ((Cell, self._stored_cells), (Weight, self._tensors)):
            self._match(kind, sources, lambda t, s: t.could_match(s) and t.mismatch(s) is None)
            self._match(kind, sources, lambda t, s: t.could_match(s))

    def unfilled(self) -> dict[str, list[str]]:
        """Returns the paths of the weights without a counterpart, and suggestions for each."""
        suggestions = {
            weight.path: self._suggestions(target)
            for target in self._unmatched
            for weight in (target.weights if isinstance(target, Cell) else [target])
        }
        return {path: suggestions[path] for path in self._order if path in suggestions}

    def _match(self, kind: type, sources: Sequence[Any], fits: Callable[[Any, Any], bool]) -> None:
        targets = [target for target in self._unmatched if isinstance(target, kind)]
        pairs = match(targets, self._unused(sources), fits)
        for target in targets:
            if target in pairs:
                self._pair(target, pairs[target])

    def _pair(self, target: Any, source: Any) -> None:
        """Notes that a weight or cell is filled from a source, or why it cannot be."""
        if target in self._unmatched:
            self._unmatched.remove(target)
        problem = target.mismatch(source)
        if problem is None:
            self.found[target] = source
        else:
            self.problems.append(problem)

    def _named_cell(self, cell: Cell, names: Sequence[str]) -> StoredCell | None:
        """Returns the one stored cell in whose scope all these names are; `None` if there is none."""
        scopes = {split_name(name)[:-1] for name in names}
        if len(scopes) > 1:
            return None
        (scope,) = scopes
        named = [
            stored
            for stored in self._stored_cells
            if stored.kind == cell.kind and stored.matches_scope(scope)
        ]
        return named[0] if len(named) == 1 else None

    def _pair_named(self, weight: Weight, name: str) -> None:
        name = name.removesuffix(":0")
        wanted = normalized(with_keras_leaf(split_name(name)))
        alike = [tensor for tensor in self._tensors if normalized(tensor.spelling) == wanted]
        if name in self._by_name:
            self._pair(weight, self._by_name[name])
        elif len(alike) == 1:
            self._pair(weight, alike[0])
        else:
            close = difflib.get_close_matches(name, self._by_name, _SUGGESTIONS)
            hint = f"; is it {' or '.join(close)}?" if close else ""
            self.problems.append(
                f"{weight.path}: name_map says {name!r}, which is not in the checkpoint{hint}"
            )

    def _unused(self, sources: Sequence[Any]) -> list[Any]:
        used = {name for source in self.found.values() for name in source.names}
        return [source for source in sources if used.isdisjoint(source.names)]

    def _suggestions(self, target: Weight | Cell) -> list[str]:
        """Returns names of unused tensors of the same shape, the likeliest first."""
        sources = self._unused(self._stored_cells if isinstance(target, Cell) else self._tensors)
        name = normalized(target.spellings[0] or ())

        def likeness(source: Tensor | StoredCell) -> float:
            return difflib.SequenceMatcher(None, name, normalized(source.spellings[0])).ratio()

        fitting = [s for s in sources if target.could_match(s) and target.mismatch(s) is None]
        return [source.names[0] for source in sorted(fitting, key=likeness, reverse=True)[:_SUGGESTIONS]]
