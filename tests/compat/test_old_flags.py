"""`tf.flags.FLAGS` of old scripts has what it had before TensorFlow 1.5."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import tensorflow as tf2

from keras_legacy_train.compat.tensorflow import legacy_import, legacy_module

TODAY: Any = tf2.compat.v1.flags.FLAGS


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Returns FLAGS with two flags, for a command line that has one of them and something else."""
    monkeypatch.setattr(sys, "argv", ["eval.py", "--old_batch_size=3", "--not_a_flag", "rest"])
    tf = legacy_module()
    tf.flags.DEFINE_integer("old_batch_size", 64, "Batch size.")
    tf.app.flags.DEFINE_string("old_data", "here", docstring="Data.")
    vars(tf.flags.FLAGS).clear()
    TODAY.unparse_flags()
    yield tf.flags.FLAGS
    for name in ("old_batch_size", "old_data"):
        delattr(TODAY, name)
    TODAY.unparse_flags()


def test_the_command_line_is_read_as_before(flags: Any) -> None:
    assert not flags.__parsed
    assert flags._parse_flags() == ["--not_a_flag", "rest"]
    assert flags.__parsed
    assert (flags.old_batch_size, flags.old_data) == (3, "here") == (TODAY.old_batch_size, TODAY.old_data)
    assert flags._parse_flags(args=["--old_data", "there"]) == []
    assert flags.old_data == "there"


def test_flags_are_a_dict_of_values_then(flags: Any) -> None:
    flags._parse_flags()
    assert sorted(flags.__flags.items()) == [("old_batch_size", 3), ("old_data", "here")]
    flags.old_batch_size = 5
    assert flags.__dict__["__flags"] == {"old_batch_size": 5, "old_data": "here"}


def test_newer_scripts_get_the_dict_of_today(flags: Any) -> None:
    assert flags.__flags["old_data"].value == "here"
    assert flags.flag_values_dict()["old_data"] == "here"


def test_a_value_may_be_set_for_what_is_no_flag(flags: Any) -> None:
    flags._parse_flags()
    flags.vocabulary_size = 7
    assert flags.vocabulary_size == 7
    with pytest.raises(AttributeError, match="not_there"):
        _ = flags.not_there


def test_help_is_printed(flags: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        flags._parse_flags(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "--old_batch_size: Batch size." in text
    assert "alsologtostderr" not in text


def test_it_is_the_same_wherever_it_is_looked_for(flags: Any) -> None:
    assert flags is legacy_module("app").flags.FLAGS
    assert flags is legacy_import("tensorflow.python.platform.flags").FLAGS
    assert "old_data" in flags and "old_data" in dir(flags) and "old_data" in set(flags)
    assert len(flags) == len(TODAY)
    assert flags["old_data"] is TODAY["old_data"]
    assert str(flags) == str(TODAY)


def test_flags_are_looked_up_set_and_deleted_as_those_of_absl(flags: Any) -> None:
    assert flags(["eval.py", "--old_batch_size=5", "rest"]) == ["eval.py", "rest"]
    assert flags.old_batch_size == flags["old_batch_size"].value == 5
    flags["old_alias"] = TODAY["old_batch_size"]
    assert "old_alias" in flags and "old_alias" in list(flags) and flags.old_alias == 5
    count = len(flags)
    del flags.old_alias
    assert "old_alias" not in flags and len(flags) == count - 1
    assert "old_data" in dir(flags) and "--old_data" in str(flags)
