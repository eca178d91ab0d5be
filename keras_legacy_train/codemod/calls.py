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
        values: Today's value of each argument that gets one, by its position in the call.
        joined: The first and the last of arguments that become one list.
        dropped: The positions of arguments that are left out.
        problem: Why a person has to look at the call; empty if nobody has to.
        doubt: What to look for in a module of before 1.0, where the call may be one of before or of today.
            Then nothing is changed.
    """

    keywords: dict[int, str] = dataclasses.field(default_factory=dict)
    values: dict[int, cst.BaseExpression] = dataclasses.field(default_factory=dict)
    joined: tuple[int, int] | None = None
    dropped: tuple[int, ...] = ()
    problem: str = ""
    doubt: str = ""

    @property
    def has_changes(self) -> bool:
        """Returns whether the call changes."""
        return bool(self.keywords or self.values or self.joined or self.dropped)

    def apply(self, call: cst.Call) -> cst.Call:
        """Returns the call with these arguments.

        Args:
            call: The call, as far as it was changed already.

        Returns:
            A call with its arguments in the order in which they were.
        """
        arguments: list[cst.Arg | None] = list(call.args)
        for i, value in self.values.items():
            arguments[i] = call.args[i].with_changes(value=value)
        if self.joined is not None:
            first, last = self.joined
            joined = call.args[first : last + 1]
            elements = [cst.Element(argument.value, argument.comma) for argument in joined]
            elements[-1] = cst.Element(joined[-1].value)
            arguments[first] = joined[0].with_changes(value=cst.List(elements), comma=joined[-1].comma)
            arguments[first + 1 : last + 1] = [None] * (last - first)
        for i, keyword in self.keywords.items():
            argument = arguments[i]
            assert argument is not None
            if argument.keyword is None:
                equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
                arguments[i] = argument.with_changes(keyword=cst.Name(keyword), equal=equal)
            else:
                arguments[i] = argument.with_changes(keyword=argument.keyword.with_changes(value=keyword))
        for i in self.dropped:
            arguments[i] = None
        kept = [argument for argument in arguments if argument is not None]
        if len(call.args) - 1 in self.dropped and kept:
            kept[-1] = kept[-1].with_changes(
                comma=call.args[-1].comma, whitespace_after_arg=call.args[-1].whitespace_after_arg
            )
        return call.with_changes(args=kept)


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
    dropped = tuple(i for i, name in enumerate(given) if name in row.dropped)
    keywords = {
        i: new for i, name in enumerate(given) if name and i not in dropped and (new := _renamed(name, row))
    }
    positional = [a for a in call.args if a.keyword is None and a.star != "**"]
    names = row.order[: len(positional)]
    doubt = ""
    if names and list(names) != _positional(row.to)[: len(positional)]:
        new_names = {keywords.get(i, name) for i, name in enumerate(given)}
        is_old = _has_old_order([a.value for a in positional], new_names, row)
        if is_old and (len(names) < len(positional) or any(a.star for a in positional)):
            return Arguments(
                problem=f"The arguments had another order: {', '.join(row.order)}. Pass them by name."
            )
        if is_old:
            keywords.update(enumerate(names))
        elif is_old is None:
            doubt = _doubt(names, row)
    arguments = _checked(given, Arguments(keywords, dropped=dropped, doubt=doubt))
    if row.joined and not arguments.problem:
        arguments = _joined(call, arguments, row)
    if row.flags and not arguments.problem:
        arguments = _with_axes(call, arguments, row)
    return arguments


def has_shape(call: cst.Call) -> bool | None:
    """Returns whether the first argument of a call is a shape.

    Args:
        call: The call.

    Returns:
        Whether it is, `None` if the text does not show it.
    """
    if not call.args:
        return False
    first = call.args[0]
    if first.keyword is not None:
        return first.keyword.value == "shape"
    if isinstance(first.value, (cst.List, cst.Tuple, cst.Integer)):
        return True
    # The types of TensorFlow are attributes.
    return False if isinstance(first.value, cst.Attribute) else None


def with_method(call: cst.CSTNode, name: str) -> cst.Call:
    """Returns a call of another method of the same object.

    Args:
        call: A call of a method.
        name: The other method.

    Returns:
        The call.
    """
    call = cst.ensure_type(call, cst.Call)
    method = cst.ensure_type(call.func, cst.Attribute)
    return call.with_changes(func=method.with_changes(attr=cst.Name(name)))


def outline(call: cst.Call, with_values: bool = False) -> str:
    """Returns the arguments of a call: `"…, axis=…"`.

    Args:
        call: The call.
        with_values: Whether their values are shown.

    Returns:
        The text.
    """
    if with_values:
        bare = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in call.args]
        return ", ".join(" ".join(cst.Module([]).code_for_node(a).split()) for a in bare)
    return ", ".join(f"{a.star}…" if a.keyword is None else f"{a.keyword.value}=…" for a in call.args)


def _renamed(keyword: str, row: Moved) -> str | None:
    """Returns the name that an argument has today, `None` if it is the same."""
    new = _DEPRECATED.get(keyword)
    if new is not None and {keyword, new}.issubset(_positional(row.to)):
        return new
    return row.renamed.get(keyword)


def _checked(given: list[str | None], arguments: Arguments) -> Arguments:
    new = [arguments.keywords.get(i, n) for i, n in enumerate(given) if i not in arguments.dropped]
    for name in new:
        if name is not None and new.count(name) > 1:
            return Arguments(problem=f"Today `{name}` would be given twice.")
    return arguments


def _has_old_order(values: list[cst.BaseExpression], names: set[str | None], row: Moved) -> bool | None:
    """Returns whether positional arguments have the order of before, `None` if the text does not show it."""
    match row.order_when:
        case "always":
            return True
        case "first is int":
            return True if _is_int(values[0]) else _may_be_int(values)
        case "second is scalar":
            if _is_int(values[1]):
                return True
            has_height = len(values) > 2 and not _is_resize_method(values[2])
            return None if has_height and not isinstance(values[1], (cst.List, cst.Tuple)) else False
        case "first is trained" if len(values) == 1:
            return row.order[1] in names
    return None


def _doubt(names: tuple[str, ...], row: Moved) -> str:
    if row.order_when == "first is int":
        return "Before TensorFlow 1.0 the axis came first. If it is so here, pass the arguments by name."
    remedy = "pass the arguments by name"
    for before in row.joined.values():
        remedy = f"pass [{', '.join(before)}]"
    return f"Before TensorFlow 1.0 the order was {', '.join(names)}. If it is so here, {remedy}."


def _joined(call: cst.Call, arguments: Arguments, row: Moved) -> Arguments:
    """Says which arguments become one list."""
    ((name, before),) = row.joined.items()
    names = [a.keyword.value if a.keyword is not None else None for a in call.args]
    names = [arguments.keywords.get(i, given) for i, given in enumerate(names)]
    found = [i for i, given in enumerate(names) if given in before]
    if not found:
        return arguments
    first, last = found[0], found[-1]
    given = [names[i] for i in range(first, last + 1)]
    if given != list(before) or len({call.args[i].keyword is None for i in found}) > 1:
        return Arguments(problem=f"Today `{name}` is [{', '.join(before)}].")
    keywords = {i: keyword for i, keyword in arguments.keywords.items() if i not in found}
    keywords[first] = name
    places = [keywords.get(i, n) for i, n in enumerate(names) if i not in found[1:]]
    positional = [i for i, a in enumerate(call.args) if a.keyword is None and i not in found[1:]]
    if places[: len(positional)] == _positional(row.to)[: len(positional)]:
        keywords = {i: keyword for i, keyword in keywords.items() if i not in positional}
    return dataclasses.replace(arguments, keywords=keywords, joined=(first, last))


def _with_axes(call: cst.Call, arguments: Arguments, row: Moved) -> Arguments:
    """Says which axes are meant by a bool for each of them."""
    place = row.order.index(row.flags)
    for i, argument in enumerate(call.args):
        by_name = argument.keyword is not None and argument.keyword.value
        if argument.star or not (by_name in {row.flags, *row.renamed} if by_name else i == place):
            continue
        value = argument.value
        if isinstance(value, (cst.List, cst.Tuple)):
            flags = [each.value.value for each in value.elements if isinstance(each.value, cst.Name)]
            axes = [axis for axis, flag in enumerate(flags) if flag == "True"]
            if not {"True", "False"}.intersection(flags):
                return arguments
            if axes and len(flags) == len(value.elements) and {"True", "False"}.issuperset(flags):
                elements = [cst.Element(cst.Integer(str(axis))) for axis in axes]
                values: dict[int, cst.BaseExpression] = {i: value.with_changes(elements=elements)}
                return dataclasses.replace(arguments, values=values)
        elif not by_name:
            doubt = (
                f"Before TensorFlow 1.0 `{row.flags}` was a bool for each axis. "
                "If it is so here, pass a list of the axes."
            )
            return dataclasses.replace(arguments, doubt=doubt)
        elif by_name == row.flags:
            return arguments
        return Arguments(problem=f"It was a bool for each axis. Today `{row.flags}` lists the axes.")
    return arguments


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


def _may_be_int(values: list[cst.BaseExpression]) -> bool | None:
    """Returns `None` if the first of the values may be an axis, as far as the text shows it."""
    if len(values) < 2 or any(map(_is_int, values[1:])):
        return False
    return None if isinstance(values[0], (cst.Name, cst.Attribute, cst.BinaryOperation)) else False


def _is_resize_method(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Attribute) and isinstance(value.value, cst.Attribute):
        return value.value.attr.value == "ResizeMethod"
    return _is_int(value)
