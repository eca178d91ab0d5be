"""Makes arrays of rows of several lengths, as NumPy did before version 1.24."""

from __future__ import annotations

from typing import Any

import numpy as np


def array(object: Any, dtype: Any = None, **options: Any) -> np.ndarray:
    """Returns an array; one of Python objects where rows have several lengths.

    Stands for `numpy.array`.

    Args:
        object: Numbers, or nested sequences of them.
        dtype: The dtype; only without one, rows may have several lengths.
        **options: The other arguments of `numpy.array`.

    Raises:
        ValueError: NumPy refuses the object for another reason.
    """
    return _ragged(np.array, object, dtype, options)


def asarray(a: Any, dtype: Any = None, *order: Any, **options: Any) -> np.ndarray:
    """Returns an array, `a` itself if it is one; one of Python objects where rows have several lengths.

    Stands for `numpy.asarray`.

    Args:
        a: Numbers, or nested sequences of them.
        dtype: The dtype; only without one, rows may have several lengths.
        *order: The memory layout.
        **options: The other arguments of `numpy.asarray`.

    Raises:
        ValueError: NumPy refuses the object for another reason.
    """
    return _ragged(np.asarray, a, dtype, dict(zip(["order"], order, strict=False)) | options)


def _ragged(make: Any, value: Any, dtype: Any, options: dict[str, Any]) -> np.ndarray:
    try:
        made: np.ndarray = make(value, dtype, **options)
    except ValueError as error:
        if dtype is not None or "inhomogeneous" not in str(error):
            raise
        made = make(value, object, **options)
    return made
