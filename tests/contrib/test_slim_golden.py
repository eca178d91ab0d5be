"""Scripts of slim do what they did in TensorFlow 1.15.5, as recorded by `make_slim_golden.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train.contrib import slim, training

sys.path.insert(0, str(TESTS / "golden"))
import slim_cases

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "slim.json").read_text())
tf1 = tf.compat.v1


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Returns the path of a few examples."""
    path = str(tmp_path_factory.mktemp("records") / "train-00000.tfrecord")
    slim_cases.write_records(tf1, path)
    return path


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, records: str
) -> tuple[Path, dict[str, Any], list[float]]:
    """Returns the directory of a training in a session, what was seen of it, and the loss of each step."""
    directory, losses = tmp_path_factory.mktemp("trained"), list[float]()
    return directory, slim_cases.train(tf1, slim, records, str(directory), losses), losses


def assert_same(seen: dict[str, Any], recorded: dict[str, Any]) -> None:
    for key in ("variables", "size", "checkpoint", "tags"):
        assert seen[key] == recorded[key], key
    assert lines(seen) == lines(recorded)
    np.testing.assert_allclose(seen["last"], recorded["last"], 1e-4)
    for name, value in seen["trained"].items():
        np.testing.assert_allclose(value, recorded["trained"][name], 2e-3, 2e-4, err_msg=name)


def lines(seen: dict[str, Any]) -> list[str]:
    """Returns the lines of the log, with losses to three digits."""
    return [line[:-1] if "loss" in line else line for line in seen["lines"]]


def test_a_training_gives_what_it_gave_in_tensorflow_1(
    trained: tuple[Path, dict[str, Any], list[float]],
) -> None:
    _, seen, losses = trained
    np.testing.assert_allclose(losses, RECORDED["losses"], 1e-4)
    assert_same(seen, RECORDED["train"])


def test_our_loop_gives_what_the_session_gives(
    trained: tuple[Path, dict[str, Any], list[float]], records: str, tmp_path: Path
) -> None:
    with training.our_loop():
        seen = slim_cases.train(tf1, slim, records, str(tmp_path))
    assert_same(seen, trained[1])
    assert_same(seen, RECORDED["train"])


def test_an_evaluation_gives_what_it_gave_in_tensorflow_1(
    trained: tuple[Path, dict[str, Any], list[float]], records: str, tmp_path: Path
) -> None:
    checkpoint = tf.train.latest_checkpoint(trained[0])
    seen = slim_cases.evaluate(tf1, slim, records, checkpoint, str(tmp_path))
    np.testing.assert_allclose(seen["values"], RECORDED["evaluate"]["values"], 1e-6)
    assert seen["tags"] == RECORDED["evaluate"]["tags"]


def test_handlers_make_what_they_made_in_tensorflow_1() -> None:
    seen = slim_cases.decode(tf1, slim)
    for item, (dtype, shape, static_shape, values) in RECORDED["decode"].items():
        assert seen[item][:3] == [dtype, shape, static_shape], item
        np.testing.assert_allclose(seen[item][3], values, 1e-5, err_msg=item)
