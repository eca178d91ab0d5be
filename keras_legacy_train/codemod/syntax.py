"""Checks that code is Python 3."""

from __future__ import annotations

import ast
import warnings


def check_syntax(code: str) -> str:
    """Returns code that is Python 3.

    Args:
        code: A module.

    Returns:
        The same text.

    Raises:
        SyntaxError: If it is not what this Python reads.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that are none
        try:
            ast.parse(code)
        except ValueError as error:  # null bytes, on Python 3.10 and 3.11
            raise SyntaxError(str(error)) from None
    return code
