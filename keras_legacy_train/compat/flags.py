"""Has `tf.flags.FLAGS` with what it had before TensorFlow 1.5, when it became that of absl."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

_today: Any = tf.compat.v1.flags.FLAGS

# Flags that these packages define are no flags of a script.
_LIBRARIES = frozenset({"absl", "tensorflow"})


class Flags:
    """The flags of TensorFlow, with the private parts that scripts of before 1.5 use.

    - `_parse_flags()` reads the command line. From then on `__flags` is a dict of values, as it was then. A
      script that does not call it is newer, and gets the dict of `Flag` objects.
    - `__parsed` tells whether the command line is read.
    - A value can be set for a name that is no flag.

    Everything else is that of `tf.compat.v1.flags.FLAGS`.
    """

    def _parse_flags(self, args: Sequence[str] | None = None) -> list[str]:
        """Reads the flags, and returns the arguments that are none.

        Args:
            args: The arguments; by default those of the script.

        Raises:
            SystemExit: The arguments ask for help.
        """
        arguments = sys.argv[1:] if args is None else list(args)
        unparsed: list[str] = _today([sys.argv[0], *arguments], known_only=True)
        others = unparsed[1:]
        if {"-h", "--help"}.intersection(others):
            print("\n\n".join(map(_today.module_help, _script_flags())))
            raise SystemExit(0)
        flags = itertools.chain.from_iterable(_script_flags().values())
        vars(self)["__flags"] = {flag.name: flag.value for flag in flags}
        return others

    def __getattr__(self, name: str) -> Any:
        if name == "__parsed":
            return _today.is_parsed()
        return getattr(_today, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _today:
            setattr(_today, name, value)
            if "__flags" in vars(self):
                vars(self)["__flags"][name] = getattr(_today, name)
        else:
            vars(self)[name] = value

    def __delattr__(self, name: str) -> None:
        delattr(_today, name)

    def __getitem__(self, name: str) -> Any:
        return _today[name]

    def __setitem__(self, name: str, flag: Any) -> None:
        _today[name] = flag

    def __contains__(self, name: object) -> bool:
        return name in _today

    def __iter__(self) -> Iterator[str]:
        return iter(_today)

    def __len__(self) -> int:
        return len(_today)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _today(*args, **kwargs)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(_today)})

    def __str__(self) -> str:
        return str(_today)


def _script_flags() -> dict[str, list[Any]]:
    """Returns the `Flag` objects of the script, by the modules that define them."""
    modules: dict[str, list[Any]] = _today.flags_by_module_dict()
    return {name: flags for name, flags in modules.items() if name.partition(".")[0] not in _LIBRARIES}


FLAGS = Flags()
