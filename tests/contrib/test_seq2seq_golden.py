"""Decoders do what those of TensorFlow 1.15.5 did, as `golden/make_seq2seq_golden.py` recorded it."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import SCRIPTS, TESTS, run_python
from keras_legacy_train import rnn_cell, tf_layers
from keras_legacy_train.contrib import seq2seq

sys.path.insert(0, str(TESTS / "golden"))
import layer_cases
import seq2seq_cases

# Variants of others, which the default run leaves out.
SLOW = [
    *["luong", "layer_of_attention", "bahdanau_monotonic", "luong_monotonic", "two_mechanisms", "time_major"],
    *["scheduled_outputs", "scheduled_outputs_as_inputs", "beams"],
]

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "seq2seq.json").read_text())


def observe(name: str) -> dict[str, Any]:
    kit = layer_cases.Kit(tf.compat.v1, tf_layers, rnn_cell)
    kit.seq2seq = seq2seq
    seen: dict[str, Any] = seq2seq_cases.observe(kit, seq2seq_cases.CASES[name])
    return seen


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in RECORDED]
)
def test_decoders_do_what_they_did_in_tensorflow_1(name: str) -> None:
    assert_same(observe(name), RECORDED[name])


@pytest.mark.slow
def test_they_do_it_with_the_behaviour_of_tensorflow_1() -> None:
    seen = json.loads(run_python(SCRIPTS / "legacy_decoders.py", *RECORDED).stdout)
    for name, recorded in RECORDED.items():
        assert_same(seen[name], recorded)


def assert_same(seen: dict[str, Any], recorded: dict[str, Any]) -> None:
    assert seen["variables"] == recorded["variables"]
    assert seen["shapes"].keys() == recorded["shapes"].keys()
    for key, shape in recorded["shapes"].items():
        assert tf.TensorShape(seen["shapes"][key]).is_subtype_of(tf.TensorShape(shape)), key
    for key, values in recorded["values"].items():
        np.testing.assert_allclose(seen["values"][key], values, 1e-4, 1e-5, err_msg=key)
    for key in ("gradients", "training"):
        for position, (ours, theirs) in enumerate(zip(seen.get(key, []), recorded.get(key, []), strict=True)):
            np.testing.assert_allclose(ours, theirs, 1e-3, 1e-5, err_msg=f"{key} {position}")
