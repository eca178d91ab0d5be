"""Makes the `tensorflow` that old scripts see: the names of TensorFlow 1, looked up when they are asked for.

`legacy_module()` is the module itself, `legacy_module("contrib.layers")` one of its modules. A name is found
by the table of `names.py`, and without a row in `tf.compat.v1`. Nothing is loaded before it is asked for.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import types
from collections.abc import Callable
from typing import Any

from keras_legacy_train.compat.calls import as_before
from keras_legacy_train.compat.names import NAMES, Gone, Moved, lookup

# Folders of TensorFlow that scripts import by their path; what they need of them is often still there.
_FOLDERS = frozenset({"core", "python", "tools"})

# What a module has whose attributes are those of another one.
_FORWARDED = frozenset({"__compiler_version__", "__file__", "__git_version__", "__version__"})

# What has again what it had before, for scripts alone: most migrated scripts have no need of it.
_OBJECTS = {
    **dict.fromkeys(
        ("app.flags.FLAGS", "flags.FLAGS", "python.platform.flags.FLAGS"),
        "keras_legacy_train.compat.flags.FLAGS",
    ),
    **dict.fromkeys(
        ("nn.conv2d_transpose", "nn.deconv2d"), "keras_legacy_train.compat.shapes.conv2d_transpose"
    ),
}

# Names that have rows below them.
_NAMESPACES = {"compat", *_FOLDERS}
for _name in NAMES:
    while (_name := _name.rpartition(".")[0]) and _name not in _NAMESPACES:
        _NAMESPACES.add(_name)
_NAMESPACES.difference_update(_OBJECTS)


class LegacyModule(types.ModuleType):
    """Stands for a module of TensorFlow 1, and finds each of its names when it is asked for.

    Args:
        path: Dotted name without the leading module, empty for `tensorflow` itself.
    """

    _legacy_path: str

    def __init__(self, path: str) -> None:
        name = f"tensorflow.{path}" if path else "tensorflow"
        super().__init__(name, f"Stands for `{name}` of TensorFlow 1.")
        self.__package__ = name
        self.__path__: list[str] = []
        self._legacy_path = path
        # Scripts walk through the `__dict__` of a module of contrib, too. So its names are there at once.
        today = _today(path) if isinstance(lookup(path), Moved) else None
        for public in getattr(today, "__all__", ()):
            name = f"{path}.{public}"
            if name not in NAMES and name not in _NAMESPACES:
                vars(self)[public] = getattr(today, public)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [public for public in dir(self) if not public.startswith("_")]
        if name.startswith("__") and name not in _FORWARDED:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        path = f"{self._legacy_path}.{name}" if self._legacy_path else name
        try:
            value = legacy_module(path) if path in _NAMESPACES else _find(path)
        except _Missing as error:
            import difflib

            close = difflib.get_close_matches(name, dir(self), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            # With an object of its own the error gets no second hint from Python.
            raise AttributeError(f"{error}.{hint}", name=name, obj=None) from None
        # The next time, Python finds it by itself.
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        names = set(super().__dir__())
        names.update(dir(_today(self._legacy_path)))
        start = f"{self._legacy_path}." if self._legacy_path else ""
        below = (row[len(start) :] for row, entry in NAMES.items() if row.startswith(start))
        names.update(row.partition(".")[0] for row in below)
        gone = {name for name in names if isinstance(lookup(start + name), Gone)} - _NAMESPACES
        return sorted(names - gone)

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} of TensorFlow 1, by keras_legacy_train>"

    def __reduce__(self) -> tuple[Callable[..., LegacyModule], tuple[str]]:
        return legacy_module, (self._legacy_path,)


class _Missing(AttributeError):
    """Raised for a name that TensorFlow 1 did not have, or that is in no row."""


@functools.cache
def legacy_module(path: str = "") -> LegacyModule:
    """Returns the module that stands for one of TensorFlow 1, each time the same.

    Args:
        path: Dotted name without the leading module, empty for `tensorflow` itself.
    """
    return LegacyModule(path)


def legacy_import(name: str) -> Any:
    """Returns the module of TensorFlow 1 that an import statement names.

    Args:
        name: Dotted name: `"tensorflow.contrib.layers"`.

    Raises:
        ModuleNotFoundError: There is none. The error says what to use instead.
    """
    module: Any = legacy_module()
    for part in name.split(".")[1:]:
        try:
            module = _attribute(module, part)
        except AttributeError as error:
            raise ModuleNotFoundError(str(error), name=name) from None
    return module


def _find(path: str) -> Any:
    """Returns what stands for a name of TensorFlow 1.

    Raises:
        AttributeError: Nothing does. The error says what to use instead.
    """
    if path == "compat.v1":
        # Scripts that were moved half-way find here what they find above.
        return legacy_module()
    if path in _OBJECTS:
        return follow(_OBJECTS[path])
    entry = lookup(path)
    if isinstance(entry, Gone):
        raise AttributeError(f"{_spoken(path)} is not in keras_legacy_train. {entry.use}")
    try:
        value = follow(_target(path))
    except ModuleNotFoundError as error:
        package = _target(path).partition(".")[0]
        if error.name != package:
            raise
        raise AttributeError(
            f"{_spoken(path)} is in the package {package}, which is not installed: pip install {package}"
        ) from None
    except AttributeError as error:
        # The modules of this package say themselves what to use.
        if isinstance(entry, Moved) and entry.to.startswith("keras_legacy_train."):
            raise
        raise _Missing(f"{_spoken(path)} is neither in tf.compat.v1 nor in keras_legacy_train") from error
    if not isinstance(entry, Moved):
        return value
    return as_before(value, entry, follow(entry.with_shape) if entry.with_shape else None)


def _spoken(path: str) -> str:
    """Returns a name as people write it."""
    return f"tensorflow.{path}" if path.partition(".")[0] in _FOLDERS else f"tf.{path}"


def _target(path: str) -> str:
    """Returns the path where a name without a `Gone` row is looked for today."""
    entry = lookup(path)
    if isinstance(entry, Moved):
        return entry.to
    if path.partition(".")[0] in {"compat", *_FOLDERS, *_FORWARDED}:
        return f"tensorflow.{path}"
    return f"tensorflow.compat.v1.{path}" if path else "tensorflow.compat.v1"


def _today(path: str) -> object:
    """Returns the module that has most of the names below a path, or a module without names."""
    if not isinstance(lookup(path), Gone):
        try:
            return follow(_target(path))
        except (AttributeError, ImportError):
            pass
    return types.SimpleNamespace()


def follow(path: str) -> Any:
    """Returns what is at a dotted path, and loads the modules on the way.

    Args:
        path: The path, from the package: `"tensorflow.compat.v1.multiply"`.

    Raises:
        AttributeError: There is nothing.
        ModuleNotFoundError: The package is not installed.
    """
    first, *rest = path.split(".")
    value: Any = importlib.import_module(first)
    for part in rest:
        value = _attribute(value, part)
    return value


def _attribute(value: Any, name: str) -> Any:
    """Returns an attribute, which may be a module of a package that is not loaded yet."""
    try:
        return getattr(value, name)
    except AttributeError:
        module = f"{getattr(value, '__name__', '')}.{name}"
        if isinstance(value, LegacyModule) or not hasattr(value, "__path__"):
            raise
        if importlib.util.find_spec(module) is None:
            raise
        return importlib.import_module(module)
