"""Gives the arguments of a call today's names."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect

import libcst as cst

from keras_legacy_train.compat.names import Moved

# Names of arguments that functions of tf.compat.v1 take beside those of today, and warn of.
_DEPRECATED = {
    "batch_dim": "batch_axis",
    "concat_dim": "axis",
    "dim": "axis",
    "dimension": "axis",
    "keep_dims": "keepdims",
    "reduction_indices": "axis",
    "seq_dim": "seq_axis",
    "split_dim": "axis",
    "squeeze_dims": "axis",
}


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Says how the arguments of a call change.

    Attributes:
        keywords: Today's keyword of each argument that gets one, by its position in the call.
        problem: Why a person has to look at the call; empty if nobody has to.
        doubt: What the order was before, if the call may have that one or today's. Then nothing is changed.
    """

    keywords: dict[int, str] = dataclasses.field(default_factory=dict)
    problem: str = ""
    doubt: str = ""

    def apply(self, call: cst.Call) -> cst.Call:
        """Returns the call with these keywords.

        Args:
            call: The call, as far as it was changed already.

        Returns:
            A call with the same arguments in the same places.
        """
        arguments = list(call.args)
        for i, keyword in self.keywords.items():
            argument = arguments[i]
            if argument.keyword is None:
                equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
                arguments[i] = argument.with_changes(keyword=cst.Name(keyword), equal=equal)
            else:
                arguments[i] = argument.with_changes(keyword=argument.keyword.with_changes(value=keyword))
        return call.with_changes(args=arguments)


def today(call: cst.Call, row: Moved) -> Arguments:
    """Says what today's call of a function is.

    Arguments whose order has changed become keyword arguments: their values are computed in the order of
    before, and a second look finds nothing more to change.

    Args:
        call: A call of the function.
        row: Its row in the table, or one that says no more than where it is.

    Returns:
        The changes.
    """
    given = [a.keyword.value if a.keyword is not None else None for a in call.args]
    keywords = {i: new for i, name in enumerate(given) if name and (new := _renamed(name, row))}
    positional = [a for a in call.args if a.keyword is None and a.star != "**"]
    names = row.order[: len(positional)]
    if not names or list(names) == _positional(row.to)[: len(positional)]:
        return _checked(given, keywords)
    if row.order_when == "first is int" and not _is_int(positional[0].value):
        doubt = "Before TensorFlow 1.0 the axis came first." if _may_be_int(positional) else ""
        return dataclasses.replace(_checked(given, keywords), doubt=doubt)
    if row.order_when.endswith("float"):
        doubt = f"Before TensorFlow 1.0 the order was {', '.join(names)}." if "inputs" in names else ""
        return dataclasses.replace(_checked(given, keywords), doubt=doubt)
    if len(names) < len(positional) or any(a.star for a in positional):
        return Arguments(
            problem=f"The arguments had another order: {', '.join(row.order)}. Pass them by name."
        )
    return _checked(given, {**keywords, **dict(enumerate(names))})


def outline(call: cst.Call) -> str:
    """Returns the arguments of a call without their values: `"…, axis=…"`.

    Args:
        call: The call.

    Returns:
        The text.
    """
    return ", ".join(f"{a.star}…" if a.keyword is None else f"{a.keyword.value}=…" for a in call.args)


def _renamed(keyword: str, row: Moved) -> str | None:
    """Returns the name that an argument has today, `None` if it is the same."""
    new = _DEPRECATED.get(keyword)
    if new is not None and {keyword, new}.issubset(_positional(row.to)):
        return new
    return row.renamed.get(keyword)


def _checked(given: list[str | None], keywords: dict[int, str]) -> Arguments:
    new = [keywords.get(i, name) for i, name in enumerate(given)]
    for name in new:
        if name is not None and new.count(name) > 1:
            return Arguments(problem=f"Today `{name}` would be given twice.")
    return Arguments(keywords)


@functools.cache
def _positional(path: str) -> list[str]:
    """Returns the names of a function's positional parameters today, none if it cannot be asked."""
    module, *parts = path.split(".")
    try:
        function = importlib.import_module(module)
        for part in parts:
            function = getattr(function, part)
        parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    except (ImportError, AttributeError, TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in kinds]


def _is_int(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus):
        value = value.expression
    return isinstance(value, cst.Integer)


def _may_be_int(positional: list[cst.Arg]) -> bool:
    """Returns whether the first of the arguments may be an axis, as far as the text shows it."""
    if len(positional) < 2 or any(_is_int(a.value) for a in positional[1:]):
        return False
    return isinstance(positional[0].value, (cst.Name, cst.Attribute, cst.BinaryOperation))
