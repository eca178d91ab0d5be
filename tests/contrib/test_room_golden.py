"""Optimizers, tables and images of `contrib` do what those of TensorFlow 1.15.5 did.

`golden/make_room_golden.py` recorded it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train.contrib import image, lookup, opt

sys.path.insert(0, str(TESTS / "golden"))
import room_cases

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "rooms.json").read_text())
ROOMS = room_cases.Rooms(tf.compat.v1, opt, lookup, image)


def check_optimizer(name: str) -> None:
    seen, recorded = room_cases.trained(ROOMS, name), RECORDED["optimizers"][name]
    assert seen["variables"].keys() == recorded["variables"].keys()
    assert seen["slots"] == recorded["slots"]
    for key, value in recorded["variables"].items():
        np.testing.assert_allclose(seen["variables"][key], value, 1e-4, 1e-5, err_msg=key)


@pytest.mark.parametrize("name", RECORDED["optimizers"])
def test_optimizers_update_as_in_tensorflow_1(name: str) -> None:
    check_optimizer(name)


@pytest.mark.slow
def test_they_do_it_with_reference_variables() -> None:
    before = tf.compat.v1.resource_variables_enabled()
    tf.compat.v1.disable_resource_variables()
    try:
        for name in RECORDED["optimizers"]:
            check_optimizer(name)
    finally:
        if before:
            tf.compat.v1.enable_resource_variables()


def test_tables_have_the_numbers_of_tensorflow_1() -> None:
    with tf.Graph().as_default():
        numbers, names = room_cases.tables(ROOMS, str(TESTS / "golden" / "estimator_export" / "colors.txt"))
    assert [numbers, names] == RECORDED["tables"]


def test_images_are_moved_as_in_tensorflow_1() -> None:
    with tf.Graph().as_default():
        seen = room_cases.images(ROOMS)
    for ours, theirs in zip(seen, RECORDED["images"], strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5)
