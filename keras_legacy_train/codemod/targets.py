"""Says where a name of TensorFlow 1 is today, by the table and by asking the modules themselves."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import types

from keras_legacy_train.compat.names import NAMES, Gone, Moved, lookup

V1 = "tensorflow.compat.v1"
# The table has its parts, since not all of them are there.
_CONTRIB = "keras_legacy_train.contrib"
# Parts of TensorFlow that are no API, and have the places they had.
_PRIVATE = ("core", "python", "tools")


@dataclasses.dataclass(frozen=True)
class Target:
    """Says where a name is today.

    Attributes:
        path: Dotted path: `"keras_legacy_train.contrib.layers.conv2d"`.
        imported: The part of it that an import brings in: `"keras_legacy_train.contrib.layers"`.
        old: The part of the old name that this stands for: `"contrib.layers"`.
        row: The row of the table for exactly this name.
    """

    path: str
    imported: str
    old: str
    row: Moved | None = None

    @property
    def is_in_this_package(self) -> bool:
        """Returns whether this package has it."""
        return self.path.partition(".")[0] == "keras_legacy_train"

    @property
    def is_renamed_in_v1(self) -> bool:
        """Returns whether TensorFlow 1 itself has come to call it by another name."""
        return self.path.startswith(f"{V1}.") and _missing(_home(self.old)) is not None


@dataclasses.dataclass(frozen=True)
class Missing:
    """Says why a name is nowhere.

    Attributes:
        reason: What to use, or what is missing.
    """

    reason: str


def legacy_name(path: str) -> str | None:
    """Returns the name that the table has for a path.

    Args:
        path: Dotted path from the package: `"tensorflow.contrib.slim"`, `"tensorflow.compat.v1.mul"`.

    Returns:
        The name, `"contrib.slim"`, or `""` for all of TensorFlow. `None` if the path is not of TensorFlow 1.
    """
    root, *parts = path.split(".")
    if root != "tensorflow":
        return None
    if parts[:2] == ["compat", "v1"]:
        parts = parts[2:]
    elif parts[:1] == ["compat"] and parts[1:2] in (["v2"], []):
        return None
    return ".".join(parts)


@functools.cache
def find(name: str) -> Target | Missing:
    """Finds where a name of TensorFlow 1 is today.

    Args:
        name: The name without the leading module: `"contrib.layers.conv2d"`.

    Returns:
        Its place, or why it has none.
    """
    if not name:
        return Target(V1, V1, "")
    if name == "contrib":
        return Target(_CONTRIB, _CONTRIB, name)
    old, row = _row(name)
    if isinstance(row, Gone):
        return Missing(row.use)
    if isinstance(row, Moved):
        to = _in_v1(row.to)
        path = to + name[len(old) :]
        exact = row if old == name else None
        room, above = _row(name.rpartition(".")[0])
        if isinstance(above, Moved) and _above(above.to + name[len(room) :]) == _above(path):
            old, to = room, above.to  # the name is in the room that all names around it are in
        return _missing(path) or Target(path, to, old, exact)
    path = _home(name)
    if _missing(path):
        shown = f"{'tensorflow' if name.partition('.')[0] in _PRIVATE else 'tf'}.{name}"
        version = importlib.import_module("tensorflow").__version__
        return Missing(f"TensorFlow {version} has no {shown}.")
    return Target(path, path, name)


def _home(name: str) -> str:
    """Returns the path of a name that the table does not have."""
    return f"{'tensorflow' if name.partition('.')[0] in _PRIVATE else V1}.{name}"


def _above(path: str) -> str:
    return path.rpartition(".")[0]


def _in_v1(path: str) -> str:
    """Returns the same path in `tf.compat.v1`, to which a second migration would lead, if it is there."""
    name = legacy_name(path)
    if name is None or name.partition(".")[0] in _PRIVATE or _missing(f"{V1}.{name}"):
        return path
    return f"{V1}.{name}"


def is_in_tensorflow_2(name: str) -> bool:
    """Returns whether TensorFlow 2 has, or had, something by that name.

    Args:
        name: The name without the leading module.

    Returns:
        Whether it does.
    """
    return name.partition(".")[0] == "estimator" or _missing(f"tensorflow.{name}") is None


def _row(name: str) -> tuple[str, Moved | Gone | None]:
    if lookup(name) is None:
        return "", None
    old = name
    while old not in NAMES:
        old = old.rpartition(".")[0]
    return old, NAMES[old]


def _missing(path: str) -> Missing | None:
    """Returns why there is nothing at the path; `None` if there is, or if that cannot be told here."""
    module, *parts = path.split(".")
    try:
        value: object = importlib.import_module(module)
    except ImportError:
        return None  # an extra, which the program needs and this command does not
    for part in parts:
        if not isinstance(value, types.ModuleType):
            break  # what an object has is no name of the table
        module = f"{module}.{part}"
        try:
            value = getattr(value, part)
        except AttributeError as error:
            try:
                value = importlib.import_module(module)
            except ImportError:
                return Missing(str(error))
        except ImportError:
            return None  # an extra, as above
    return None
