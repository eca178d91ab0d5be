"""Hyperparameters: values with a type, which a command line can override."""

from __future__ import annotations

import json
import numbers
import re
from collections.abc import Callable, Mapping
from typing import Any

_ASSIGNMENT = re.compile(
    r"""
    (?P<name>[a-zA-Z][\w.]*)
    (\[\s*(?P<index>\d+)\s*\])?
    \s*=\s*
    (\[(?P<list>[^\]]*)\] | (?P<scalar>[^,\[]*))
    ($|,\s*)
    """,
    re.VERBOSE,
)
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}


def parse_values(values: str, type_map: Mapping[str, type], ignore_unknown: bool = False) -> dict[str, Any]:
    """Reads assignments such as `"rate=0.1,layers=[8,4]"`; stands for `tf.contrib.training.parse_values`.

    Args:
        values: The assignments, with commas between them. A list has brackets; `a[1]=2` assigns to one of its
            elements.
        type_map: The type of each name, of a list that of its elements.
        ignore_unknown: Whether names without a type are skipped.

    Returns:
        The values by name: a value, a list, or for assignments to elements a dict from index to value.

    Raises:
        ValueError: The string is malformed, a name has no type or is assigned twice, or a value does not fit.
    """
    parsed: dict[str, Any] = {}
    position = 0
    while position < len(values):
        match = _ASSIGNMENT.match(values, position)
        if match is None:
            raise ValueError(f"Malformed hyperparameter value: {values[position:]}")
        position = match.end()
        name, index = match["name"], match["index"]
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}")
        parse = _parser(name, type_map[name], values)
        if match["list"] is not None:
            if index is not None:
                raise ValueError(f"Assignment of a list to a list index: {match[0]}")
            value: Any = [parse(each) for each in re.split("[ ,]", match["list"]) if each]
        else:
            value = parse(match["scalar"])
        elements = parsed.setdefault(name, {}) if index is not None else parsed
        key: Any = name if index is None else int(index)
        if not isinstance(elements, dict) or key in elements:
            label = name if index is None else f"{name}[{index}]"
            raise ValueError(f"Multiple assignments to variable '{label}' in {values}")
        elements[key] = value
    return parsed


def _parser(name: str, kind: type, values: str) -> Callable[[str], Any]:
    """Returns what reads a value of a type."""

    def parse(text: str) -> Any:
        try:
            if kind is bool:
                return _BOOLEANS[text] if text in _BOOLEANS else bool(int(text))
            return kind(text)
        except ValueError as error:
            raise ValueError(
                f"Could not parse hparam '{name}' of type '{kind.__name__}' with value '{text}' in {values}"
            ) from error

    return parse


def _as_type(name: str, kind: type, value: Any) -> Any:
    """Returns a value as the type of a hyperparameter.

    Raises:
        ValueError: It is of a type that does not turn into it without loss.
    """
    if type(value) is kind or kind is type(None):
        return value
    fits = (
        (not issubclass(kind, (str, bytes)) or isinstance(value, (str, bytes)))
        and issubclass(kind, bool) == isinstance(value, bool)
        and (not issubclass(kind, numbers.Integral) or isinstance(value, numbers.Integral))
        and (not issubclass(kind, numbers.Number) or isinstance(value, numbers.Number))
    )
    if not fits:
        raise ValueError(f"Could not cast hparam '{name}' of type '{kind}' from value {value!r}")
    return kind(value)


class HParams:
    """Holds hyperparameters as attributes; stands for `tf.contrib.training.HParams`.

    The type of a hyperparameter is that of its first value.

    ```python
    hparams = HParams(learning_rate=0.1, num_hidden_units=[100, 50], activation="relu")
    hparams.parse("learning_rate=0.3,num_hidden_units=[30]")
    assert hparams.learning_rate == 0.3 and hparams.num_hidden_units == [30]
    ```

    Args:
        hparam_def: Must be `None`: the protocol buffer `HParamDef` is not here. Use `parse_json`.
        model_structure: Any object, which `get_model_structure` returns.
        **kwargs: The hyperparameters. A list or tuple makes one of several values, all of one type.

    Raises:
        ValueError: A name is taken by a method, a list is empty, or `hparam_def` is given.
    """

    _HAS_DYNAMIC_ATTRIBUTES = True  # tells pytype of them

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any):
        if hparam_def is not None:
            raise ValueError(
                "hparam_def is not supported: the protocol buffer HParamDef is gone. Write the values by"
                " to_json() and read them by parse_json()."
            )
        self._hparam_types: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def __getattr__(self, name: str) -> Any:
        """Raises the usual error; type checkers see that there are attributes of any name.

        Raises:
            AttributeError: Always: there is no such hyperparameter.
        """
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds a hyperparameter.

        Args:
            name: Its name.
            value: Its value; a list or tuple for several.

        Raises:
            ValueError: The name is taken, or the list is empty.
        """
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        is_list = isinstance(value, (list, tuple))
        if is_list and not value:
            raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
        self._hparam_types[name] = (type(value[0] if is_list else value), is_list)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Sets a hyperparameter that is there.

        Args:
            name: Its name.
            value: Its value, of its type; a list if it has several.

        Raises:
            KeyError: There is no such hyperparameter.
            ValueError: The value has another type.
        """
        kind, is_list = self._hparam_types[name]
        if isinstance(value, list) != is_list:
            needed = "Must pass" if is_list else "Must not pass"
            number = "multi-valued" if is_list else "single-valued"
            raise ValueError(f"{needed} a list for {number} parameter: {name}")
        value = [_as_type(name, kind, each) for each in value] if is_list else _as_type(name, kind, value)
        setattr(self, name, value)

    def del_hparam(self, name: str) -> None:
        """Removes a hyperparameter, if it is there.

        Args:
            name: Its name.
        """
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values: str) -> HParams:
        """Overrides hyperparameters by a string; see `parse_values`.

        Args:
            values: Assignments with commas between them, such as `"rate=0.1,layers=[8,4]"`.

        Returns:
            The object itself.

        Raises:
            ValueError: The string is malformed, or does not fit the hyperparameters.
        """
        types = {name: kind for name, (kind, _) in self._hparam_types.items()}
        return self.override_from_dict(parse_values(values, types))

    def override_from_dict(self, values_dict: Mapping[str, Any]) -> HParams:
        """Overrides hyperparameters by a dict.

        Args:
            values_dict: The values by name.

        Returns:
            The object itself.

        Raises:
            KeyError: There is no such hyperparameter.
            ValueError: A value has another type.
        """
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def set_from_map(self, values_map: Mapping[str, Any]) -> HParams:
        """Overrides hyperparameters by a dict: the older name of `override_from_dict`.

        Args:
            values_map: The values by name.

        Returns:
            The object itself.

        Raises:
            KeyError: There is no such hyperparameter.
            ValueError: A value has another type.
        """
        return self.override_from_dict(values_map)

    def set_model_structure(self, model_structure: Any) -> None:
        """Sets what `get_model_structure` returns.

        Args:
            model_structure: Any object.
        """
        self._model_structure = model_structure

    def get_model_structure(self) -> Any:
        """Returns the model structure that was set."""
        return self._model_structure

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """Writes the hyperparameters as JSON.

        Args:
            indent: See `json.dumps`, also for the other arguments.
            separators: The separators.
            sort_keys: Whether names are in alphabetical order.
        """
        return json.dumps(self.values(), indent=indent, separators=separators, sort_keys=sort_keys)

    def parse_json(self, values_json: str) -> HParams:
        """Overrides hyperparameters by JSON.

        Args:
            values_json: An object of values by name.

        Returns:
            The object itself.

        Raises:
            KeyError: There is no such hyperparameter.
            ValueError: It is no JSON, or a value has another type.
        """
        return self.override_from_dict(json.loads(values_json))

    def values(self) -> dict[str, Any]:
        """Returns the hyperparameters, values by name."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key: str, default: Any = None) -> Any:
        """Returns a hyperparameter.

        Args:
            key: Its name.
            default: What to return if there is none of that name; must be of its type if there is.

        Raises:
            ValueError: `default` has another type.
        """
        if key not in self._hparam_types:
            return default
        if default is not None:
            kind, is_list = self._hparam_types[key]
            label = f"list<{kind}>" if is_list else f"{kind}"
            message = f"Hparam '{key}' of type '{label}' is incompatible with default={default}"
            if isinstance(default, list) != is_list:
                raise ValueError(message)
            try:
                for each in default if is_list else [default]:
                    _as_type(key, kind, each)
            except ValueError as error:
                raise ValueError(f"{message}. {error}") from error
        return getattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self._hparam_types

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.values().items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(self.values().items())})"
