"""Pairs the names of two lists, each name with at most one of the other list.

A name may lie in a scope that its counterpart does not have. An ambiguous name is left without a pair.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from keras_legacy_train.migration.names import Parts, normalized


class Matchable(Protocol):
    """Has names by which it can be matched.

    Attributes:
        parts: Its exact name, in parts.
        spellings: The names by which it can be found, the strictest first; `None` where there is none.
    """

    @property
    def parts(self) -> Parts: ...

    @property
    def spellings(self) -> Sequence[Parts | None]: ...


Target = TypeVar("Target", bound=Matchable)
Source = TypeVar("Source", bound=Matchable)


def match(
    targets: Iterable[Target], sources: Iterable[Source], fits: Callable[[Target, Source], bool]
) -> dict[Target, Source]:
    """Pairs targets and sources of the same name. A scope around one of the two does not count.

    If a single scope holds a name for everything that is found in any scope, only that scope counts.
    Otherwise a name must be the only one with its ending.

    Args:
        targets: The objects to find a source for. Hashable, like the sources.
        sources: The objects to choose from.
        fits: Returns whether a source may be paired with a target, whatever their names.

    Returns:
        The sources by target, for the targets that have one. No source occurs twice.
    """
    left, unused = list(targets), list(sources)
    found: dict[Target, Source] = {}
    for level in range(len(left[0].spellings) if left else 0):
        edges = [edge for edge in _edges(left, unused, level) if fits(edge.short, edge.long)]
        found |= _pairs(edges)
        # An ambiguous target is not tried again under a looser name.
        seen = {edge.short for edge in edges}
        left = [target for target in left if target not in seen]
        unused = [source for source in unused if source not in found.values()]

        edges = [edge for edge in _edges(unused, left, level) if fits(edge.long, edge.short)]
        found |= {target: source for source, target in _pairs(edges).items()}
        seen = {edge.long for edge in edges}
        left = [target for target in left if target not in seen]
        unused = [source for source in unused if source not in found.values()]
    return found


class _Edge(NamedTuple):
    """Connects a name with a longer one that ends with it; `scope` is the rest of the longer one."""

    short: Any
    long: Any
    scope: Parts

    def is_exact(self) -> bool:
        """Returns whether the names agree letter by letter, too."""
        return bool(self.long.parts[-len(self.short.parts) :] == self.short.parts)


def _edges(shorts: Sequence[Matchable], longs: Sequence[Matchable], level: int) -> list[_Edge]:
    by_name: dict[str, list[Matchable]] = collections.defaultdict(list)
    for short in shorts:
        spelling = short.spellings[level]
        if spelling is not None:
            by_name[normalized(spelling)].append(short)
    return [
        _Edge(short, long, spelling[:start])
        for long in longs
        if (spelling := long.spellings[level]) is not None
        for start in range(len(spelling) + 1)
        for short in by_name.get(normalized(spelling[start:]), ())
    ]


def _pairs(edges: Sequence[_Edge]) -> dict[Any, Any]:
    """Returns the long name of each short one that has one in the common scope, or a single one in all."""
    scope = _common_scope(edges)
    inside = [edge for edge in edges if edge.scope == scope]
    pairs = _only_choices([edge for edge in inside if edge.is_exact()])
    pairs |= _only_choices(_without(inside, pairs))
    return pairs | _only_choices(_without(edges, pairs))


def _common_scope(edges: Sequence[_Edge]) -> Parts | None:
    """Returns the scope that holds a name for everything that is found in any scope.

    If several do, it is the empty one, if that is among them, and otherwise `None`.
    """
    found: dict[Parts, set[Matchable]] = collections.defaultdict(set)
    for edge in edges:
        found[edge.scope].add(edge.short)
    everything = {edge.short for edge in edges}
    complete = [scope for scope, shorts in found.items() if shorts == everything]
    if () in complete:
        return ()
    return complete[0] if len(complete) == 1 else None


def _without(edges: Iterable[_Edge], pairs: dict[Any, Any]) -> list[_Edge]:
    """Returns the edges whose two names have no partner yet."""
    taken = set(pairs.values())
    return [edge for edge in edges if edge.short not in pairs and edge.long not in taken]


def _only_choices(edges: Sequence[_Edge]) -> dict[Any, Any]:
    """Returns the pairs whose two names have a single edge each."""
    shorts = collections.Counter(edge.short for edge in edges)
    longs = collections.Counter(edge.long for edge in edges)
    return {edge.short: edge.long for edge in edges if shorts[edge.short] == longs[edge.long] == 1}
