"""Hyperparameters keep their types, whatever overrides them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from keras_legacy_train.contrib.training import HParams, parse_values


def new() -> HParams:
    return HParams(rate=0.5, units=[3, 4], name="adam", steps=10, nesterov=False)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("rate=1", "rate", 1.0),
        ("rate = 1e-3, steps=7", "rate", 0.001),
        ("units=[8]", "units", [8]),
        ("units=[8, 9,10]", "units", [8, 9, 10]),
        ("name=a b/c", "name", "a b/c"),
        ("name=", "name", ""),
        ("nesterov=true", "nesterov", True),
        ("nesterov=0", "nesterov", False),
    ],
)
def test_a_string_overrides_values_in_their_types(text: str, name: str, value: Any) -> None:
    hparams = new()
    assert hparams.parse(text) is hparams
    assert getattr(hparams, name) == value
    assert type(getattr(hparams, name)) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate", "Malformed"),
        ("rate=[", "Malformed"),
        ("momentum=1", "Unknown hyperparameter type for momentum"),
        ("steps=1.5", "'steps' of type 'int' with value '1.5'"),
        ("nesterov=maybe", "'nesterov' of type 'bool' with value 'maybe'"),
        ("rate=1,rate=2", "Multiple assignments to variable 'rate'"),
        ("units=3", "Must pass a list"),
        ("rate=[3]", "Must not pass a list"),
        ("units[0]=[3]", "list index"),
    ],
)
def test_a_string_that_does_not_fit_is_an_error_that_says_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        new().parse(text)


def test_elements_of_lists_are_parsed_by_their_index() -> None:
    types = {"a": int, "b": str}
    assert parse_values("a[1]=2,a[0]=3,b=x,c=4", types, ignore_unknown=True) == {"a": {1: 2, 0: 3}, "b": "x"}
    for text in ("a=1,a[0]=2", "a[0]=1,a=2", "a[0]=1,a[0]=2"):
        with pytest.raises(ValueError, match="Multiple assignments"):
            parse_values(text, types)


def test_values_that_lose_nothing_are_cast() -> None:
    hparams = HParams(rate=0.5, steps=10, name="a", nothing=None)
    hparams.set_hparam("rate", 2)
    hparams.set_hparam("nothing", "x")
    assert type(hparams.rate) is float and hparams.nothing == "x"
    for name, value in (("steps", 1.5), ("steps", True), ("name", 3), ("rate", "0.5"), ("rate", False)):
        with pytest.raises(ValueError, match=f"Could not cast hparam '{name}'"):
            hparams.set_hparam(name, value)
    with pytest.raises(KeyError):
        hparams.set_hparam("momentum", 1)


def test_names_are_added_and_removed() -> None:
    hparams = HParams()
    hparams.add_hparam("size", 3)
    assert "size" in hparams and hparams.get("size") == 3
    for name in ("size", "values"):
        with pytest.raises(ValueError, match=f"reserved: {name}"):
            hparams.add_hparam(name, 1)
    with pytest.raises(ValueError, match="cannot be empty: list"):
        hparams.add_hparam("list", [])
    hparams.del_hparam("size")
    assert "size" not in hparams and hparams.values() == {}
    with pytest.raises(AttributeError, match="no attribute 'size'"):
        _ = hparams.size
    assert hparams.get("size", 7) == 7


def test_a_default_must_have_the_type_of_the_value() -> None:
    hparams = new()
    assert hparams.get("rate", 3) == 0.5
    for name, default in (("rate", "a"), ("rate", [0.1]), ("units", 3), ("units", ["a"])):
        with pytest.raises(ValueError, match=f"Hparam '{name}' of type .* is incompatible with default"):
            hparams.get(name, default)


def test_values_go_through_json_and_copies() -> None:
    hparams = new()
    assert hparams.to_json(sort_keys=True).startswith('{"name": "adam", "nesterov": false')
    other = HParams(rate=0.1, units=[1], name="", steps=0, nesterov=True)
    assert other.parse_json(hparams.to_json()).values() == hparams.values()
    assert copy.deepcopy(hparams).values() == hparams.values()
    assert other.override_from_dict({"rate": 3.0}) is other.set_from_map({"steps": 4})
    assert str(HParams(b=1, a=[2])) == "b=1,a=[2]"
    assert repr(HParams(b=1, a=[2])) == "HParams([('a', [2]), ('b', 1)])"


def test_a_model_structure_is_kept() -> None:
    hparams = HParams(None, "structure")
    assert hparams.get_model_structure() == "structure"
    hparams.set_model_structure(3)
    assert hparams.get_model_structure() == 3 and hparams.values() == {}


def test_the_protocol_buffer_of_before_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"hparam_def .* parse_json"):
        HParams(hparam_def=object())
