"""Says what to use for a name of `tf.contrib` that is not here."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import NoReturn

from keras_legacy_train.compat.names import Gone, lookup

_PACKAGE = "keras_legacy_train."


def module_getattr(module: str, names: Iterable[str]) -> Callable[[str], NoReturn]:
    """Returns the `__getattr__` of a module of `contrib`, for the names that it does not have.

    Args:
        module: The module's `__name__`.
        names: The names that it has, its `__all__`.
    """
    names = list(names)

    def __getattr__(name: str) -> NoReturn:
        """Raises an error that says what to use instead of a name of the legacy module.

        Raises:
            AttributeError: Always: the module does not have the name.
        """
        raise missing_name(module, name, names)

    return __getattr__


def missing_name(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """Returns the error for a name that a module of `contrib` does not have.

    The table of names says what to use in its place.

    Args:
        module: The module's `__name__`.
        name: The name.
        names: The names that it has.
    """
    legacy = f"{module.removeprefix(_PACKAGE)}.{name}"
    entry = lookup(legacy)
    if isinstance(entry, Gone):
        return AttributeError(f"tf.{legacy} is not in keras_legacy_train. {entry.use}")
    close = difflib.get_close_matches(name, list(names), n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return AttributeError(f"module {module!r} has no attribute {name!r}.{hint}")
