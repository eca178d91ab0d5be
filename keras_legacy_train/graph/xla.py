"""Finds reasons not to compile a part of a graph by XLA."""

from __future__ import annotations

from keras_legacy_train.graph.part import Part

# XLA drops these ops, and clamps an index that is out of range.
_CHECKED = {
    "Assert": "an assertion",
    "CheckNumerics": "a check for NaN",
    "CheckNumericsV2": "a check for NaN",
}


def reason_not_to_compile(part: Part) -> str | None:
    """Returns why a part should not be compiled, even if it can be; `None` if no reason is known."""
    if part.draws:
        return "it draws random numbers, which would be other ones"
    checks = sorted({_CHECKED[op_type] for op_type in part.op_types() & _CHECKED.keys()})
    return f"{checks[0]} in it would have no effect" if checks else None
