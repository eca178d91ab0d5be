"""The search for the counterparts of weights in a checkpoint: by what the user says, and by rules."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from keras_legacy_train.migration.cells import Cell, StoredCell, cells_of, stored_cells
from keras_legacy_train.migration.matching import match
from keras_legacy_train.migration.names import folded, split, with_keras_leaf
from keras_legacy_train.migration.weights import Tensor, Weight

_SUGGESTIONS = 3


class Search:
    """Looks for the counterparts of weights.

    Args:
        weights: The weights to fill.
        tensors: Tensors of the checkpoint, without those of optimizers and the like.
        others: Those; they are found only if the user names them.

    Attributes:
        found: What each weight is filled from, or all weights of a recurrent cell together.
        problems: Why something that was found or named cannot be used, a line for each.
    """

    def __init__(self, weights: Sequence[Weight], tensors: Sequence[Tensor], others: Sequence[Tensor]):
        self.found: dict[Weight | Cell, Tensor | StoredCell] = {}
        self.problems: list[str] = []
        cells = cells_of(weights)
        in_cells = {weight for cell in cells for weight in cell.weights}
        self._left: list[Weight | Cell] = [*cells, *(weight for weight in weights if weight not in in_cells)]
        self._order = [weight.path for weight in weights]
        self._tensors = tensors
        self._by_name = {tensor.name: tensor for tensor in (*tensors, *others)}
        self._stored_cells = stored_cells(tensors)

    def by_name_map(self, name_of: Callable[[Weight], str | None]) -> None:
        """Finds what the user names. Of a recurrent cell it is enough to name one weight, or its scope."""
        for target in list(self._left):
            weights = target.weights if isinstance(target, Cell) else [target]
            names = {weight: name for weight in weights if (name := name_of(weight)) is not None}
            if not names:
                continue
            stored = self._named_cell(target, list(names.values())) if isinstance(target, Cell) else None
            if stored is not None:
                self._take(target, stored)
                continue
            self._left.remove(target)
            self._left += [weight for weight in weights if weight not in names]
            for weight, name in names.items():
                self._take_named(weight, name)

    def by_rules(self) -> None:
        """Finds what has one name, here and there, and the same shape; and what has only the name."""
        for kind, sources in ((Cell, self._stored_cells), (Weight, self._tensors)):
            self._match(kind, sources, lambda t, s: t.is_like(s) and t.problem(s) is None)
            self._match(kind, sources, lambda t, s: t.is_like(s))

    def unfilled(self) -> dict[str, list[str]]:
        """The paths of the weights that nothing was found for, and what each could be."""
        suggestions = {
            weight.path: self._suggestions(target)
            for target in self._left
            for weight in (target.weights if isinstance(target, Cell) else [target])
        }
        return {path: suggestions[path] for path in self._order if path in suggestions}

    def _match(self, kind: type, sources: Sequence[Any], fits: Callable[[Any, Any], bool]) -> None:
        targets = [target for target in self._left if isinstance(target, kind)]
        pairs = match(targets, self._unused(sources), fits)
        for target in targets:
            if target in pairs:
                self._take(target, pairs[target])

    def _take(self, target: Any, source: Any) -> None:
        if target in self._left:
            self._left.remove(target)
        problem = target.problem(source)
        if problem is None:
            self.found[target] = source
        else:
            self.problems.append(problem)

    def _named_cell(self, cell: Cell, names: Sequence[str]) -> StoredCell | None:
        """The cell in whose scope all these names are."""
        scopes = {split(name)[:-1] for name in names}
        if len(scopes) > 1:
            return None
        (scope,) = scopes
        named = [stored for stored in self._stored_cells if stored.kind == cell.kind and stored.is_at(scope)]
        return named[0] if len(named) == 1 else None

    def _take_named(self, weight: Weight, name: str) -> None:
        name = name.removesuffix(":0")
        wanted = folded(with_keras_leaf(split(name)))
        alike = [tensor for tensor in self._tensors if folded(tensor.spelling) == wanted]
        if name in self._by_name:
            self._take(weight, self._by_name[name])
        elif len(alike) == 1:
            self._take(weight, alike[0])
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
        """Names of what is of the same shape, the likeliest first."""
        sources = self._unused(self._stored_cells if isinstance(target, Cell) else self._tensors)
        name = folded(target.spellings[0] or ())

        def likeness(source: Tensor | StoredCell) -> float:
            return difflib.SequenceMatcher(None, name, folded(source.spellings[0])).ratio()

        fitting = [s for s in sources if target.is_like(s) and target.problem(s) is None]
        return [source.names[0] for source in sorted(fitting, key=likeness, reverse=True)[:_SUGGESTIONS]]
