"""`contrib.layers` does what `tf.contrib.layers` did: what `make_contrib_layer_golden.py` recorded."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train.contrib import framework, layers

sys.path.insert(0, str(TESTS / "golden"))
import contrib_layer_cases

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "contrib_layers.json").read_text())

# Cases that assign, share and branch; and more of them.
REFERENCES = ["batch_norm_in_place", "batch_norm_by_tensor", "batch_norm_zero_debiased"]
MORE_REFERENCES = ["fully_connected_shared", "batch_norm", "batch_renorm", "embedded", "inputs_of_columns"]


def observe(name: str) -> dict[str, Any]:
    kit = contrib_layer_cases.Kit(tf.compat.v1, layers, framework)
    return contrib_layer_cases.observe(kit, contrib_layer_cases.CASES[name])


@pytest.mark.parametrize("name", RECORDED)
def test_layers_do_what_they_did_in_tensorflow_1(name: str) -> None:
    assert_same(observe(name), RECORDED[name])


@pytest.mark.parametrize(
    "name", [*REFERENCES, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE_REFERENCES)]
)
def test_they_do_it_with_reference_variables(name: str) -> None:
    before = tf.compat.v1.resource_variables_enabled()
    tf.compat.v1.disable_resource_variables()
    try:
        assert_same(observe(name), RECORDED[name])
    finally:
        if before:
            tf.compat.v1.enable_resource_variables()


@pytest.mark.usefixtures("shape_version")
@pytest.mark.parametrize("name", ["normalized", "biases_and_flattening", "batch_norm_channels_first"])
def test_they_do_it_with_the_shapes_of_both_versions(name: str) -> None:
    assert_same(observe(name), RECORDED[name])


def same_op(ours: str, theirs: str) -> bool:
    """Compares names but for what depends on how variables, branches and dropout are made."""
    plain = [re.sub(r"/(mul_1|SelectV2|Merge|Identity)(_\d+)?(:\d+)?$", "", name) for name in (ours, theirs)]
    return plain[0] == plain[1] or "/cond" in theirs


def assert_same(seen: dict[str, Any], recorded: dict[str, Any]) -> None:
    for key in ("shapes", "variables", "losses"):
        assert seen[key] == recorded[key], key
    for ours, theirs in zip(seen["outputs"], recorded["outputs"], strict=True):
        assert same_op(ours, theirs)
    for key, members in recorded["collections"].items():
        for ours, theirs in zip(seen["collections"][key], members, strict=True):
            assert ours[1:] == theirs[1:], key
            assert same_op(ours[0], theirs[0]), key
    assert len(seen["update_ops"]) == len(recorded["update_ops"])
    for (name, _, _), ours, theirs in zip(
        seen["variables"], seen["initial"], recorded["initial"], strict=True
    ):
        # From the seed of a graph, TensorFlow 2 draws other seeds for random weights.
        if not name.endswith(("weights", "embeddings", "matrix", "shared", "embedding")):
            np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5)
    for key in ("values", "gradients", "training", "trained"):
        for position, (ours, theirs) in enumerate(zip(seen[key], recorded[key], strict=True)):
            np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5, err_msg=f"{key} {position}")
