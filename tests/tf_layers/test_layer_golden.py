"""Layers and cells do what those of TensorFlow 1.15.5 did, as `golden/make_layer_golden.py` recorded it."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train import rnn_cell, tf_layers

sys.path.insert(0, str(TESTS / "golden"))
import layer_cases

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "layers.json").read_text())

# Cases whose kernels have initialisers with a seed of their own, or without one. From the seed of a graph,
# TensorFlow 2 draws other seeds for ops than TensorFlow 1 does.
SEEDED = ["dense_with_everything", "dense_in_scope"]

# Cases that assign, share and split variables, and read them in loops and branches.
REFERENCES = [
    *["dense_shared", "dense_in_scope", "batch_normalization_by_tensor", "batch_renormalization"],
    *["conv2d", "cell_of_a_user"],
]


def plain(name: str) -> str:
    """Returns the name of an op without what depends on how variables, loops and dropout are made."""
    name = re.sub(r"(dropout\w*)/(mul_1|SelectV2):0$", r"\1", name)
    name = re.sub(r"/(Merge|Identity|Exit)(_\d+)?(:\d+)?$", "", name)
    return re.sub(r"/Assign(Sub|)VariableOp$", "", name)


def observe(name: str) -> dict[str, Any]:
    kit = layer_cases.Kit(tf.compat.v1, tf_layers, rnn_cell)
    seen: dict[str, Any] = layer_cases.observe(kit, layer_cases.CASES[name])
    return seen


@pytest.mark.parametrize("name", RECORDED)
def test_layers_and_cells_do_what_they_did_in_tensorflow_1(name: str) -> None:
    assert_same(name, observe(name), RECORDED[name])


@pytest.mark.parametrize("name", REFERENCES)
def test_they_do_it_with_reference_variables(name: str) -> None:
    before = tf.compat.v1.resource_variables_enabled()
    tf.compat.v1.disable_resource_variables()
    try:
        assert_same(name, observe(name), RECORDED[name])
    finally:
        if before:
            tf.compat.v1.enable_resource_variables()


def assert_same(name: str, seen: dict[str, Any], recorded: dict[str, Any]) -> None:
    for key in ("shapes", "variables", "losses"):
        assert seen[key] == recorded[key], key
    for key in ("outputs", "update_ops"):
        for ours, theirs in zip(seen[key], recorded[key], strict=True):
            assert plain(ours) == plain(theirs) or "/cond" in theirs, key
    for position, variable in enumerate(seen["variables"]):
        if name in SEEDED or "kernel" not in variable[0]:
            np.testing.assert_allclose(seen["initial"][position], recorded["initial"][position], 1e-4, 1e-5)
    for key in ("values", "gradients", "training", "trained"):
        for position, (ours, theirs) in enumerate(zip(seen[key], recorded[key], strict=True)):
            np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5, err_msg=f"{key} {position}")
