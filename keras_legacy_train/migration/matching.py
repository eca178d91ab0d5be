"""Which of two lists of names mean the same: to each name of one list at most one of the other.

A name may lie in a scope that its counterpart does not have. What could mean two things means nothing: no
pair is made of it.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from keras_legacy_train.migration.names import Parts, folded


class Named(Protocol):
    """What is matched.

    Attributes:
        parts: Its name as it is, in parts.
        spellings: The names by which it can be found, the strictest first; `None` for none.
    """

    @property
    def parts(self) -> Parts: ...

    @property
    def spellings(self) -> Sequence[Parts | None]: ...


T = TypeVar("T", bound=Named)
S = TypeVar("S", bound=Named)


def match(targets: Iterable[T], sources: Iterable[S], fits: Callable[[T, S], bool]) -> dict[T, S]:
    """Pairs targets and sources that have one name, apart from a scope around one of the two.

    If one scope has all that is found in any, what is found in the others does not count. Otherwise a name
    must be the only one that ends so.

    Args:
        targets: What is looked for. Hashable, like the sources.
        sources: Where it is looked for.
        fits: Whether a source would do for a target, whatever their names.

    Returns:
        The source of each target that has one. No source is in there twice.
    """
    left, unused = list(targets), list(sources)
    found: dict[T, S] = {}
    for level in range(len(left[0].spellings) if left else 0):
        edges = [edge for edge in _edges(left, unused, level) if fits(edge.short, edge.long)]
        found |= _pairs(edges)
        # What could be two things is not looked for again under a looser name.
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
    """A name, another one that ends with it, and the scope that the other has more."""

    short: Any
    long: Any
    scope: Parts

    def is_exact(self) -> bool:
        """Whether the names agree letter by letter, too."""
        return self.long.parts[-len(self.short.parts) :] == self.short.parts


def _edges(shorts: Sequence[Named], longs: Sequence[Named], level: int) -> list[_Edge]:
    by_name: dict[str, list[Named]] = collections.defaultdict(list)
    for short in shorts:
        spelling = short.spellings[level]
        if spelling is not None:
            by_name[folded(spelling)].append(short)
    return [
        _Edge(short, long, spelling[:start])
        for long in longs
        if (spelling := long.spellings[level]) is not None
        for start in range(len(spelling) + 1)
        for short in by_name.get(folded(spelling[start:]), ())
    ]


def _pairs(edges: Sequence[_Edge]) -> dict[Any, Any]:
    """The long name of each short one that has a single one, or one in the common scope."""
    scope = _common_scope(edges)
    inside = [edge for edge in edges if edge.scope == scope]
    pairs = _only_choices([edge for edge in inside if edge.is_exact()])
    pairs |= _only_choices(_without(inside, pairs))
    return pairs | _only_choices(_without(edges, pairs))


def _common_scope(edges: Sequence[_Edge]) -> Parts | None:
    """The scope that has all that is found in any; if several have, the empty one, or none."""
    found: dict[Parts, set[Named]] = collections.defaultdict(set)
    for edge in edges:
        found[edge.scope].add(edge.short)
    everything = {edge.short for edge in edges}
    complete = [scope for scope, shorts in found.items() if shorts == everything]
    if () in complete:
        return ()
    return complete[0] if len(complete) == 1 else None


def _without(edges: Iterable[_Edge], pairs: dict[Any, Any]) -> list[_Edge]:
    """The edges between what has no partner yet."""
    taken = set(pairs.values())
    return [edge for edge in edges if edge.short not in pairs and edge.long not in taken]


def _only_choices(edges: Sequence[_Edge]) -> dict[Any, Any]:
    """The pairs that can be made in one way only."""
    shorts = collections.Counter(edge.short for edge in edges)
    longs = collections.Counter(edge.long for edge in edges)
    return {edge.short: edge.long for edge in edges if shorts[edge.short] == longs[edge.long] == 1}
