"""Checks the arguments that layers of windows share, and computes with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def tuple_argument(value: Any, size: int, name: str) -> tuple[int, ...]:
    """Returns `size` integers; a single one stands for equal ones.

    Args:
        value: An integer, or as many as `size`.
        size: How many are needed.
        name: The name of the argument, for the error.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, int):
        return (value,) * size
    values = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
    try:
        integers = tuple(int(each) for each in values)
    except (TypeError, ValueError):
        integers = ()
    if len(integers) != size:
        raise ValueError(f"The `{name}` argument must be a tuple of {size} integers. Received: {value}")
    return integers


def data_format_argument(value: str | None) -> str:
    """Returns "channels_last" or "channels_first", in lower case; raises ValueError for others.

    Args:
        value: One of these, or `None` for "channels_last".
    """
    data_format = "channels_last" if value is None else value.lower()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return data_format


def padding_argument(value: str, *more: str) -> str:
    """Returns "valid" or "same", in lower case; raises ValueError for others.

    Args:
        value: One of these.
        *more: Further values that the layer takes.
    """
    padding = value.lower()
    if padding not in ("valid", "same", *more):
        names = ", ".join(f'"{each}"' for each in ("valid", "same", *more))
        raise ValueError(f"The `padding` argument must be one of {names}. Received: {value}")
    return padding
