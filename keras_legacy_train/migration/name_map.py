"""What the user says about names: which TF 1 name a weight had, and which weights to leave alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from keras_legacy_train.migration.weights import Weight

NameMap = Mapping[str, str] | Callable[[str], str | None]


class Names:
    """The TF 1 names of weights, as far as the user gives them.

    Args:
        name_map: A dict from paths, of weights or of what they are in, to names in the checkpoint; or a
            function from a weight's path to its name, or `None`.

    Attributes:
        unknown: The keys of the dict that no weight has asked for yet.

    Raises:
        TypeError: It is neither, or has something else than strings in it.
    """

    def __init__(self, name_map: NameMap | None):
        self._function = name_map if callable(name_map) else None
        self._names = {} if name_map is None or callable(name_map) else dict(_as_mapping(name_map))
        for path, name in self._names.items():
            _check_string("a path in name_map", path)
            _check_string(f"name_map[{path!r}]", name)
        self.unknown = set(self._names)

    def __call__(self, weight: Weight) -> str | None:
        """The name for a weight, `None` if the user does not tell."""
        if self._function is not None:
            name = self._function(weight.path)
            if name is not None:
                _check_string(f"name_map({weight.path!r})", name)
            return name
        keys = [key for key in self._names if _rest(weight, key) is not None]
        if not keys:
            return None
        self.unknown -= set(keys)
        key = max(keys, key=len)
        return "/".join(filter(None, [self._names[key], _rest(weight, key)]))


class Skipped:
    """The weights that are to be left alone.

    Args:
        paths: Paths of weights, or of what they are in; or one of them.

    Attributes:
        unknown: Those of the paths that no weight has matched yet.

    Raises:
        TypeError: Something is no string.
    """

    def __init__(self, paths: str | Iterable[str]):
        if not isinstance(paths, Iterable):
            raise TypeError(f"skip must be a path or a list of them; it is {paths!r}.")
        self._paths = [paths] if isinstance(paths, str) else list(paths)
        for path in self._paths:
            _check_string("a path in skip", path)
        self.unknown = set(self._paths)

    def __call__(self, weight: Weight) -> bool:
        """Whether a weight is one of them."""
        found = {path for path in self._paths if _rest(weight, path) is not None}
        self.unknown -= found
        return bool(found)


def _rest(weight: Weight, path: str) -> str | None:
    """What follows a path in that of a weight; `None` if the weight's does not begin with it."""
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
