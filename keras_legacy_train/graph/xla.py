"""What XLA would compute otherwise."""

from __future__ import annotations

from keras_legacy_train.graph.part import Part

# XLA leaves out assertions, and takes an index that is out of range for the nearest one within.
_CHECKED = {
    "Assert": "an assertion",
    "CheckNumerics": "a check for NaN",
    "CheckNumericsV2": "a check for NaN",
}


def obstacle(part: Part) -> str | None:
    """Why a part had better not be compiled, although perhaps it can be; `None` if nothing is known."""
    if part.draws:
        return "it draws random numbers, which would be other ones"
    checks = sorted({_CHECKED[op_type] for op_type in part.op_types() & _CHECKED.keys()})
    return f"{checks[0]} in it would have no effect" if checks else None
