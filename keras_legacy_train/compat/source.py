"""Compiles the modules of old scripts, some of whose calls get back what they meant."""

from __future__ import annotations

import re
import types
from typing import Any

from keras_legacy_train.compat.names import METHODS

# Built-in functions, and the names that they have in the compiled code. No script can use such a name.
_CONVERSIONS = {"float": "<float>", "int": "<int>"}

# To compile a tree takes longer than to compile a text, and its code is in no cache. So few modules are:
# those with such a method, or with a number that is made of what a function of NumPy returns.
_OLD_CALL = re.compile(
    rf"\.(?:{'|'.join(METHODS)})\(\s*\)|\b(?:{'|'.join(_CONVERSIONS)})\((?:np|numpy)\.".encode()
)


def has_old_calls(source: bytes) -> bool:
    """Returns whether a module may have calls that mean something else today.

    Args:
        source: The text of the module.
    """
    return _OLD_CALL.search(source) is not None


def compile_source(source: bytes, path: str) -> types.CodeType:
    """Compiles a module, in which methods have the names of `METHODS`, and numbers are made of arrays again.

    Args:
        source: The text of the module.
        path: Path of its file.

    Raises:
        SyntaxError: It is no Python.
    """
    if not has_old_calls(source):
        return compile(source, path, "exec", dont_inherit=True)
    import ast

    tree = ast.parse(source, path)
    conversions = []
    bound = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) as method, args=[], keywords=[]):
                method.attr = METHODS.get(name, name)
            case ast.Call(func=ast.Name(id="float" | "int") as function, args=[_], keywords=[]):
                conversions.append(function)
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                bound.add(name)
    for function in conversions:
        if function.id not in bound:
            function.id = _CONVERSIONS[function.id]
    return compile(tree, path, "exec", dont_inherit=True)


def _as_before(convert: type) -> Any:
    def converted(value: Any) -> Any:
        try:
            return convert(value)
        except TypeError:
            if getattr(value, "size", None) != 1 or not hasattr(value, "item"):
                raise
            return convert(value.item())

    return converted


# NumPy of before 2.4 made numbers of arrays that hold one number, of whatever rank.
CONVERSIONS = {_CONVERSIONS[each.__name__]: _as_before(each) for each in (float, int)}
