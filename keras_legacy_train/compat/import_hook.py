"""Lets the modules of a user import TensorFlow 1, while all others go on to import TensorFlow 2.

A module of the user is executed with an `__import__` of its own among its builtins. So its source and its
line numbers are what they were, and nothing in `sys.modules` is replaced. The user's modules are those that
lie neither in the standard library, nor among the installed packages, nor in this package.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

from keras_legacy_train.compat.names import LIBRARY_NAMES
from keras_legacy_train.compat.source import CONVERSIONS, compile_source, has_old_calls
from keras_legacy_train.compat.tensorflow import follow, legacy_import

# Modules with a row for one of their names, and those that have the two ways to import.
_WITH_OLD_NAMES = {name.rpartition(".")[0] for name in LIBRARY_NAMES} | {"builtins", "importlib"}
_REPLACED = {name.partition(".")[0] for name in _WITH_OLD_NAMES} | {"tensorflow"}


class UserModuleFinder:
    """Finds modules as `importlib.machinery.PathFinder` does, and has the user's import TensorFlow 1.

    Args:
        folders: Folders whose modules are the user's, although they lie among the installed packages.
    """

    def __init__(self, folders: Sequence[str] = ()) -> None:
        self._users = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        self._is_users = functools.cache(self._find_out_whether_users)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Returns the spec of a module, or `None` if there is no such file.

        Args:
            fullname: Dotted name of the module.
            path: Where to look, `sys.path` if `None`.
            target: The module that is loaded again.
        """
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader:
            file = spec.loader.path
            if self.is_users(file):
                spec.loader = _UserModuleLoader(fullname, file)
        return spec

    def is_users(self, file: str) -> bool:
        """Tells whether a source file is the user's.

        Args:
            file: Path of the file.
        """
        # Nearly all modules are installed ones. To follow links for each of their folders takes long.
        if not self._users and (_is_installed(file) or file.startswith(_others())):
            return False
        return self._is_users(os.path.dirname(file))

    def _find_out_whether_users(self, folder: str) -> bool:
        folder = os.path.join(os.path.realpath(folder), "")
        if folder.startswith(self._users):
            return True
        return not (_is_installed(folder) or folder.startswith(_others()))


class _UserModuleLoader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> types.CodeType | None:
        source = self.get_data(self.path)
        # What is compiled otherwise is not in the cache that Python itself keeps.
        return compile_source(source, self.path) if has_old_calls(source) else super().get_code(fullname)

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module)["__builtins__"] = user_builtins()
        super().exec_module(module)


def _is_installed(path: str) -> bool:
    """Tells whether a file or folder lies where packages are installed."""
    return f"{os.sep}site-packages{os.sep}" in path or f"{os.sep}dist-packages{os.sep}" in path


@functools.cache
def _others() -> tuple[str, ...]:
    """Returns the folders whose modules are not the user's."""
    folders = [os.path.dirname(os.__file__), os.path.dirname(os.path.dirname(__file__))]
    # Packages can be installed into any folder. All that lie beside TensorFlow are not the user's.
    spec = importlib.util.find_spec("tensorflow")
    if spec is not None and spec.origin is not None:
        folders.append(os.path.dirname(os.path.dirname(spec.origin)))
    return tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)


def install(folders: Sequence[str] = ()) -> UserModuleFinder:
    """Lets the modules of the user that are imported from now on see TensorFlow 1.

    The first of them that imports `tensorflow` calls `tf.compat.v1.disable_v2_behavior()` by that.

    Args:
        folders: Folders whose modules are the user's, although they lie among the installed packages.

    Returns:
        The finder. It stands in `sys.meta_path` before Python's own.
    """
    _others()  # looks for modules itself
    finder = UserModuleFinder(folders)
    sys.meta_path.insert(sys.meta_path.index(importlib.machinery.PathFinder), finder)
    return finder


@functools.cache
def user_builtins() -> dict[str, Any]:
    """Returns the builtins of the user's modules: those of Python, but for `__import__`, and conversions."""
    return vars(_library("builtins"))


def _user_import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    """Does what `__import__` does, for the user's modules."""
    package = name.partition(".")[0]
    if level > 0 or package not in _REPLACED:
        return builtins.__import__(name, globals, locals, fromlist, level)
    fromlist = fromlist or ()
    if package == "tensorflow":
        _use_graphs()
        module = legacy_import(name)
        for attribute in fromlist:
            _check_attribute(module, attribute)
        return module if fromlist else legacy_import(package)
    if name not in LIBRARY_NAMES:
        todays = [attribute for attribute in fromlist if f"{name}.{attribute}" not in LIBRARY_NAMES]
        builtins.__import__(name, globals, locals, todays)
    return _library(name if fromlist else package)


def _import_module(name: str, package: str | None = None) -> Any:
    """Does what `importlib.import_module` does, for the user's modules."""
    if name.partition(".")[0] not in _REPLACED:
        return importlib.import_module(name, package)
    return _user_import(name, fromlist=["__name__"])


def _check_attribute(module: types.ModuleType, name: str) -> None:
    """Loads a name that is imported from a module.

    Raises:
        ImportError: There is no such name. Python's own error would not say what to use instead.
    """
    if name != "*":
        try:
            getattr(module, name)
        except AttributeError as error:
            raise ImportError(str(error), name=module.__name__) from None


@functools.cache
def _library(name: str) -> types.ModuleType:
    """Returns a module of another package as the user's modules see it."""
    if name in LIBRARY_NAMES:
        old: types.ModuleType = follow(LIBRARY_NAMES[name].to)
        return old
    module = importlib.import_module(name)
    return _Library(module) if name in _WITH_OLD_NAMES else module


class _Library(types.ModuleType):
    """Has the names of a module, and those that it had before.

    What is set here is set there. Nobody else sees the old names, but scripts can change a library as before.
    """

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(module.__name__)
        names = vars(self)
        names.update(vars(module))
        for name in list(names):
            if name in {"__getattr__", "__dir__"} or f"{module.__name__}.{name}" in LIBRARY_NAMES:
                del names[name]
        if module is builtins:
            names["__import__"] = _user_import
            names.update(CONVERSIONS)
        elif module is importlib:
            names["import_module"] = _import_module

    def __getattr__(self, name: str) -> Any:
        full_name = f"{self.__name__}.{name}"
        if full_name in LIBRARY_NAMES:
            with contextlib.suppress(AttributeError):  # an older library has the old name still
                return follow(LIBRARY_NAMES[full_name].to)
        return getattr(sys.modules[self.__name__], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(sys.modules[self.__name__], name, value)
        vars(self)[name] = value

    def __dir__(self) -> list[str]:
        start = f"{self.__name__}."
        old = (name[len(start) :] for name in LIBRARY_NAMES if name.startswith(start))
        return sorted({*dir(sys.modules[self.__name__]), *old})


@functools.cache
def _use_graphs() -> None:
    """Has TensorFlow behave as TensorFlow 1 did. Scripts that want eager execution switch it on."""
    import tensorflow as tf

    verbosity = tf.compat.v1.logging.get_verbosity()
    # It warns of what is the purpose here.
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    tf.compat.v1.disable_v2_behavior()
    tf.compat.v1.logging.set_verbosity(verbosity)
