"""Checks of arguments that are plain values, before anything is touched."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np


def as_steps(name: str, value: Any) -> int | None:
    """A number of steps, `None` for no limit. Whole floats such as `1e5` are taken for what they mean."""
    return None if value is None else as_count(name, value)


def as_count(name: str, value: Any) -> int:
    """A whole number, 0 or more."""
    if not _is_whole(value) or value < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more; it is {value!r}.")
    return int(value)


def as_seconds(name: str, value: Any) -> float | None:
    """A number of seconds, `None` for never."""
    if value is None:
        return None
    if not _is_number(value) or not value >= 0:
        raise ValueError(f"{name} must be a number of seconds, 0 or more; it is {value!r}.")
    return float(value)


def as_number(name: str, value: Any) -> float:
    """A finite number."""
    if not _is_number(value) or not math.isfinite(value):
        raise ValueError(f"{name} must be a number; it is {value!r}.")
    return float(value)


def as_interval(name: str, value: Any) -> int:
    """Steps from one event to the next; zero or less means each step."""
    if not _is_whole(value):
        raise ValueError(f"{name} must be a whole number of steps; it is {value!r}.")
    return int(value)


def as_optional_interval(name: str, value: Any) -> int | None:
    """Steps from one event to the next, `None` for never."""
    return None if value is None else as_interval(name, value)


def as_positive(name: str, value: Any) -> int:
    """A whole number, 1 or more."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number, 1 or more; it is {value!r}.")
    return int(value)


def as_optional_positive(name: str, value: Any) -> int | None:
    """A whole number, 1 or more, or `None`."""
    return None if value is None else as_positive(name, value)


def as_flag(name: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False; it is {value!r}.")
    return bool(value)


def as_optional_flag(name: str, value: Any) -> bool | None:
    """True, false or `None`."""
    return None if value is None else as_flag(name, value)


def as_jit_compile(value: Any) -> bool | Literal["auto"]:
    """True, false or `"auto"`."""
    if value == "auto":
        return "auto"
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"jit_compile must be True, False or 'auto'; it is {value!r}.")
    return bool(value)


def as_path(name: str, value: Any) -> str:
    """The path as a string."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise ValueError(f"{name} must be a path; it is {value!r}.")
    if not os.fspath(value):
        raise ValueError(f"{name} must be a path; it is empty.")
    return os.fsdecode(value)


def as_optional_path(name: str, value: Any) -> str | None:
    """The path as a string, `None` for none or an empty one."""
    return None if value is None or value == "" else as_path(name, value)


def as_output_dir(output_dir: Any) -> str:
    """The path as a string; what is missing gets the message of old."""
    if output_dir is None or (
        isinstance(output_dir, (str, bytes, os.PathLike)) and not os.fspath(output_dir)
    ):
        raise ValueError(f"Output directory should be non-empty; output_dir is {output_dir!r}.")
    return as_path("output_dir", output_dir)


def as_text(name: str, value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string; it is {value!r}.")
    return value


def as_optional_text(name: str, value: Any) -> str | None:
    """A string or `None`."""
    return None if value is None else as_text(name, value)


def check_callable(name: str, value: Any) -> None:
    """A function or `None`."""
    if value is not None and not callable(value):
        raise ValueError(f"{name} must be a function; it is {value!r}.")


def check_feeds(name: str, value: Any) -> None:
    """A dict or `None`; the graph says later whether its keys are right."""
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a dict from tensors or names to values; it is {value!r}.")


def check_master(master: Any) -> None:
    """There are no clusters yet."""
    if master not in ("", "local"):
        raise ValueError(
            "supervisor_master: only '' and 'local', training in this process, are supported;"
            f" it is {master!r}."
        )


def check_methods(name: str, value: Any, *methods: str) -> None:
    """Something with these methods, or `None`."""
    missing = [method for method in methods if not callable(getattr(value, method, None))]
    if value is not None and (missing or isinstance(value, type)):
        raise ValueError(f"{name}: {value!r} lacks {', '.join(missing) or 'an instance'}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (numbers.Real, np.number)) and not isinstance(
        value, (bool, np.bool_, np.complexfloating)
    )


def _is_whole(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value) and value == int(value)
