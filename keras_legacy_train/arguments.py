"""Checks arguments that are plain values, before anything is touched.

Functions called `as_…` return the value in its proper type, those called `check_…` return nothing. `name` is
always the argument that gave the value, for the message of the error.
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np


def as_steps(name: str, value: Any) -> int | None:
    """Returns a number of steps; `None` means no limit.

    Raises:
        ValueError: It is not a whole number, 0 or more. Whole floats such as `1e5` are accepted.
    """
    return None if value is None else as_count(name, value)


def as_count(name: str, value: Any) -> int:
    """Returns a whole number, 0 or more.

    Raises:
        ValueError: It is not one. Whole floats such as `1e5` are accepted.
    """
    if not _is_whole(value) or value < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more; it is {value!r}.")
    return int(value)


def as_seconds(name: str, value: Any) -> float | None:
    """Returns a number of seconds; `None` means never.

    Raises:
        ValueError: It is not a number, 0 or more.
    """
    if value is None:
        return None
    if not _is_number(value) or not value >= 0:
        raise ValueError(f"{name} must be a number of seconds, 0 or more; it is {value!r}.")
    return float(value)


def as_timeout(name: str, value: Any) -> float:
    """Returns a number of seconds to wait.

    Raises:
        ValueError: It is not a number, more than 0.
    """
    if not _is_number(value) or not value > 0:
        raise ValueError(f"{name} must be a number of seconds, more than 0; it is {value!r}.")
    return float(value)


def as_number(name: str, value: Any) -> float:
    """Returns a finite number.

    Raises:
        ValueError: It is not one.
    """
    if not _is_number(value) or not math.isfinite(value):
        raise ValueError(f"{name} must be a number; it is {value!r}.")
    return float(value)


def as_interval(name: str, value: Any) -> int:
    """Returns the number of steps from one event to the next; zero or less means every step.

    Raises:
        ValueError: It is not a whole number.
    """
    if not _is_whole(value):
        raise ValueError(f"{name} must be a whole number of steps; it is {value!r}.")
    return int(value)


def as_optional_interval(name: str, value: Any) -> int | None:
    """Returns the number of steps from one event to the next; `None` means never.

    Raises:
        ValueError: It is neither a whole number nor `None`.
    """
    return None if value is None else as_interval(name, value)


def as_positive(name: str, value: Any) -> int:
    """Returns a whole number, 1 or more.

    Raises:
        ValueError: It is not one. Floats are not accepted.
    """
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number, 1 or more; it is {value!r}.")
    return int(value)


def as_optional_positive(name: str, value: Any) -> int | None:
    """Returns a whole number, 1 or more, or `None`.

    Raises:
        ValueError: It is neither. Floats are not accepted.
    """
    return None if value is None else as_positive(name, value)


def as_flag(name: str, value: Any) -> bool:
    """Returns True or False.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False; it is {value!r}.")
    return bool(value)


def as_optional_flag(name: str, value: Any) -> bool | None:
    """Returns True, False or `None`.

    Raises:
        ValueError: It is none of these.
    """
    return None if value is None else as_flag(name, value)


def as_jit_compile(value: Any) -> bool | Literal["auto"]:
    """Returns True, False or `"auto"`.

    Raises:
        ValueError: It is none of these.
    """
    if value == "auto":
        return "auto"
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"jit_compile must be True, False or 'auto'; it is {value!r}.")
    return bool(value)


def as_path(name: str, value: Any) -> str:
    """Returns a path as a string.

    Raises:
        ValueError: It is not a path, or empty.
    """
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise ValueError(f"{name} must be a path; it is {value!r}.")
    if not os.fspath(value):
        raise ValueError(f"{name} must be a path; it is empty.")
    return os.fsdecode(value)


def as_optional_path(name: str, value: Any) -> str | None:
    """Returns a path as a string; `None` if it is `None` or empty.

    Raises:
        ValueError: It is not a path.
    """
    return None if value is None or value == "" else as_path(name, value)


def as_output_dir(output_dir: Any) -> str:
    """Returns the path of `output_dir` as a string.

    Raises:
        ValueError: It is not a path, or empty. For `None` and empty paths the message is the original's.
    """
    if output_dir is None or (
        isinstance(output_dir, (str, bytes, os.PathLike)) and not os.fspath(output_dir)
    ):
        raise ValueError(f"Output directory should be non-empty; output_dir is {output_dir!r}.")
    return as_path("output_dir", output_dir)


def as_text(name: str, value: Any) -> str:
    """Returns a string.

    Raises:
        ValueError: It is not one.
    """
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a string; it is {value!r}.")
    return value


def as_optional_text(name: str, value: Any) -> str | None:
    """Returns a string or `None`.

    Raises:
        ValueError: It is neither.
    """
    return None if value is None else as_text(name, value)


def check_callable(name: str, value: Any) -> None:
    """Checks a function or `None`.

    Raises:
        ValueError: It is neither.
    """
    if value is not None and not callable(value):
        raise ValueError(f"{name} must be a function; it is {value!r}.")


def check_feeds(name: str, value: Any) -> None:
    """Checks a `feed_dict` or `None`. The keys and values are checked later, with the graph.

    Raises:
        ValueError: It is neither a dict nor `None`.
    """
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a dict from tensors or names to values; it is {value!r}.")


def check_no_cluster(cluster: Any, master: Any) -> None:
    """Checks that no servers are named for what cannot be spread over them: a Keras model, or functions.

    Raises:
        ValueError: `cluster` or `supervisor_master` names some.
    """
    if cluster is not None or master not in ("", "local", None):
        name = "supervisor_master" if cluster is None else "cluster"
        raise ValueError(f"{name} is for graphs; for a Keras model or functions pass strategy.")


def check_master(master: Any) -> None:
    """Checks the `supervisor_master` of what runs in this process only.

    Raises:
        ValueError: It is neither `""` nor `"local"`.
    """
    if master not in ("", "local"):
        raise ValueError(
            "supervisor_master: only '' and 'local', this process, are supported here; `train` alone takes a"
            f" server. It is {master!r}."
        )


def check_methods(name: str, value: Any, *methods: str) -> None:
    """Checks that an object has some methods, or is `None`.

    Raises:
        ValueError: A method is missing, or it is a class and not an instance.
    """
    missing = [method for method in methods if not callable(getattr(value, method, None))]
    if value is not None and (missing or isinstance(value, type)):
        raise ValueError(f"{name}: {value!r} lacks {', '.join(missing) or 'an instance'}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (numbers.Real, np.number)) and not isinstance(
        value, (bool, np.bool_, np.complexfloating)
    )


def _is_whole(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value) and value == int(value)
