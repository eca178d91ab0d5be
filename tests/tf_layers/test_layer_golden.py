"""Layers do what `tf.layers` did in TensorFlow 1.15.5, as `golden/make_layer_golden.py` recorded it."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train import tf_layers

sys.path.insert(0, str(TESTS / "golden"))
import layer_cases

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "layers.json").read_text())

# Cases whose kernels have initialisers with a seed of their own, or without one. From the seed of a graph,
# TensorFlow 2 draws other seeds for ops than TensorFlow 1 does.
SEEDED = ["dense_with_everything", "dense_in_scope"]


def plain(name: str) -> str:
    """Returns the name of an op without what depends on how variables, conditionals and dropout are made."""
    name = re.sub(r"/dropout/(mul_1|SelectV2):0$", "/dropout", name)
    name = re.sub(r"/(Merge|Identity)(_\d+)?(:\d+)?$", "", name)
    return re.sub(r"/Assign(Sub|)VariableOp$", "", name)


@pytest.fixture(scope="module", params=[True, False], ids=["resource", "reference"])
def observed(request: pytest.FixtureRequest) -> Any:
    """What is seen of each case, with variables of one kind and then of the other."""
    kinds = {True: tf.compat.v1.enable_resource_variables, False: tf.compat.v1.disable_resource_variables}
    before = tf.compat.v1.resource_variables_enabled()
    kinds[request.param]()
    yield lambda name: layer_cases.observe(
        layer_cases.Kit(tf.compat.v1, tf_layers, None), layer_cases.CASES[name]
    )
    kinds[before]()


@pytest.mark.parametrize("name", RECORDED)
def test_layers_do_what_they_did_in_tensorflow_1(name: str, observed: Any) -> None:
    recorded, seen = RECORDED[name], observed(name)
    for key in ("shapes", "variables", "losses"):
        assert seen[key] == recorded[key], key
    for key in ("outputs", "update_ops"):
        for ours, theirs in zip(seen[key], recorded[key], strict=True):
            assert plain(ours) == plain(theirs) or "/cond" in theirs, key
    for position, variable in enumerate(seen["variables"]):
        if name in SEEDED or not variable[0].endswith("kernel"):
            np.testing.assert_allclose(seen["initial"][position], recorded["initial"][position], 1e-4, 1e-5)
    for key in ("values", "gradients", "training", "trained"):
        for position, (ours, theirs) in enumerate(zip(seen[key], recorded[key], strict=True)):
            np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5, err_msg=f"{key} {position}")
