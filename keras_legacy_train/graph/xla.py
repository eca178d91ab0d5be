"""What XLA would compute otherwise."""

from __future__ import annotations

from collections.abc import Iterable

from keras_legacy_train.graph.lifted import LiftedGraph

# XLA leaves out assertions, and takes an index that is out of range for the nearest one within.
_CHECKED = {
    "Assert": "an assertion",
    "CheckNumerics": "a check for NaN",
    "CheckNumericsV2": "a check for NaN",
}


def obstacle(
    lifted: LiftedGraph, feeds: Iterable[str], fetches: Iterable[str], operations: Iterable[str]
) -> str | None:
    """Why a function had better not be compiled, although perhaps it can be; `None` if nothing is known.

    Args:
        lifted: The graph.
        feeds, fetches, operations: The function; see `LiftedGraph.function`.
    """
    op_types, draws = lifted.contents(feeds, fetches, operations)
    if draws:
        return "it draws random numbers, which would be other ones"
    checks = sorted({_CHECKED[op_type] for op_type in op_types & _CHECKED.keys()})
    return f"{checks[0]} in it would have no effect" if checks else None
