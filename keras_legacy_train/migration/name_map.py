"""Applies the user's `name_map` and `skip`: TF 1 names of weights, and weights to leave as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from keras_legacy_train.migration.weights import Weight

NameMap = Mapping[str, str] | Callable[[str], str | None]


class NameLookup:
    """Looks up the TF 1 names that the user gives to weights.

    Args:
        name_map: A dict from paths of weights or layers to names in the checkpoint; a function from a
            weight's path to its name or `None`; or `None`.

    Attributes:
        unknown: The keys of the dict that have matched no weight yet.

    Raises:
        TypeError: It is neither a dict nor a function, or a key or value is not a string.
    """

    def __init__(self, name_map: NameMap | None):
        self._function = name_map if callable(name_map) else None
        self._names = {} if name_map is None or callable(name_map) else dict(_as_mapping(name_map))
        for path, name in self._names.items():
            _check_string("a path in name_map", path)
            _check_string(f"name_map[{path!r}]", name)
        self.unknown = set(self._names)

    def __call__(self, weight: Weight) -> str | None:
        """Returns the name for a weight; `None` if the user gives none.

        Raises:
            TypeError: The user's function returns something else.
        """
        if self._function is not None:
            name = self._function(weight.path)
            if name is not None:
                _check_string(f"name_map({weight.path!r})", name)
            return name
        keys = [key for key in self._names if _relative_to(weight, key) is not None]
        if not keys:
            return None
        self.unknown -= set(keys)
        key = max(keys, key=len)
        return "/".join(filter(None, [self._names[key], _relative_to(weight, key)]))


class SkipRule:
    """Selects the weights to leave as they are.

    Args:
        paths: Paths of weights or layers; or a single path.

    Attributes:
        unknown: The paths that have matched no weight yet.

    Raises:
        TypeError: A path is not a string.
    """

    def __init__(self, paths: str | Iterable[str]):
        if not isinstance(paths, Iterable):
            raise TypeError(f"skip must be a path or a list of them; it is {paths!r}.")
        self._paths = [paths] if isinstance(paths, str) else list(paths)
        for path in self._paths:
            _check_string("a path in skip", path)
        self.unknown = set(self._paths)

    def __call__(self, weight: Weight) -> bool:
        """Returns whether to leave a weight as it is."""
        found = {path for path in self._paths if _relative_to(weight, path) is not None}
        self.unknown -= found
        return bool(found)


def _relative_to(weight: Weight, path: str) -> str | None:
    """Returns the weight's path relative to a path; `None` if it does not begin with that."""
    for whole in (weight.path, weight.variable.path):
        if path in ("", whole):
            return whole if path == "" else ""
        if whole.startswith(f"{path}/"):
            return whole[len(path) + 1 :]
    return None


def _as_mapping(name_map: object) -> Mapping[str, str]:
    if not isinstance(name_map, Mapping):
        raise TypeError(f"name_map must be a dict or a function; it is {name_map!r}.")
    return name_map


def _check_string(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string; it is {value!r}.")
