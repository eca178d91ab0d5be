"""Makes Python 3 of Python 2, with `fissix`: lib2to3, which Python 3.13 does not have any more.

Needs the extra `py2`. Nothing else imports this module before it is asked for.
"""

from __future__ import annotations

import logging
from typing import Any

from fissix.fixes.fix_dict import FixDict
from fissix.fixes.fix_xrange import FixXrange
from fissix.pgen2.parse import ParseError
from fissix.pgen2.tokenize import TokenError
from fissix.refactor import RefactoringTool, get_fixers_from_package

from .syntax import check_syntax

# These change names that only Python 2 has. Others, like that of `print`, would change Python 3, too.
_NAMES = (
    "basestring",
    "execfile",
    "getcwdu",
    "has_key",
    "imports",
    "imports2",
    "intern",
    "itertools",
    "itertools_imports",
    "long",
    "next",
    "raw_input",
    "reduce",
    "standarderror",
    "unicode",
    "urllib",
    "xreadlines",
)


class _FixIterators(FixDict):
    """Leaves `keys()`, which Python 3 has, too."""

    PATTERN = FixDict.PATTERN.replace("'keys'|'items'|'values'|", "")


class _FixXrange(FixXrange):
    """Leaves `range()`, which Python 3 has, too."""

    PATTERN = FixXrange.PATTERN.replace("name='range'|", "")


class _NamesTool(RefactoringTool):
    def get_fixers(self) -> tuple[list[Any], list[Any]]:
        before, after = super().get_fixers()
        return before, [*after, *(fix(self.options, self.fixer_log) for fix in (_FixIterators, _FixXrange))]


def to_python_3(code: str) -> str:
    """Makes Python 3 of Python 2. Of what is Python 3 already only names change that Python 3 does not have.

    Args:
        code: A module.

    Returns:
        The module for Python 3; the same text if it was that.

    Raises:
        SyntaxError: If it is neither, or is so much Python 2 that a person has to make Python 3 of it.
    """
    try:
        check_syntax(code)
    except SyntaxError:
        new = _refactored(RefactoringTool(get_fixers_from_package("fissix.fixes")), code)
        check_syntax(new)
        return new
    names = [f"fissix.fixes.fix_{name}" for name in _NAMES]
    return _refactored(_NamesTool(names, {"print_function": True}), code)


def _refactored(tool: Any, code: str) -> str:
    # It wants a last newline.
    end = "" if code.endswith("\n") else "\n"
    logging.getLogger("RefactoringTool").setLevel(logging.ERROR)
    logging.getLogger("fissix").setLevel(logging.ERROR)
    try:
        new = str(tool.refactor_string(code + end, "<module>"))
    except ParseError as error:
        line = error.context[1][0] if error.context else None
        raise SyntaxError(f"neither Python 3 nor 2 ({error.value!r})", ("", line, None, None)) from None
    except TokenError as error:
        raise SyntaxError(error.args[0], ("", error.args[1][0], None, None)) from None
    return new.removesuffix(end)
