"""`rnn`, `legacy_seq2seq` and `crf` do what they did in TensorFlow 1.15.5, see `make_rnn_golden.py`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train.contrib import crf, legacy_seq2seq, rnn

sys.path.insert(0, str(TESTS / "golden"))
import layer_cases
import rnn_cases

v1 = tf.compat.v1

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "rnn.json").read_text())

# Cases with branches, with variables that are made within loops, and with all that asks for sizes.
VERSION_1 = [
    *["attention_decoder", "block_gru", "convolutional_lstm", "crf", "crf_of_one_step"],
    *["embedding_attention_seq2seq", "fused_lstm", "independent_cells", "phased_lstm"],
]

# Those that take longest to build.
SLOW = [
    *["attention_wrapper", "basic_seq2seq", "buckets", "coupled_lstm", "embedding"],
    *["embedding_attention_seq2seq", "embedding_rnn_seq2seq", "embedding_tied_rnn_seq2seq", "fused_adaptor"],
    *["gated_cells", "highway", "layer_norm_lstm", "nas", "one2many_seq2seq", "phased_lstm", "projections"],
    *["stacked_bidirectional", "stacked_bidirectional_unrolled"],
]


def marked(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in names]


def observe(name: str) -> dict[str, Any]:
    kit = rnn_cases.Kit(v1, rnn, legacy_seq2seq, crf)
    seen: dict[str, Any] = layer_cases.observe(kit, rnn_cases.CASES[name])
    return seen


def test_every_case_is_recorded() -> None:
    assert list(RECORDED) == list(rnn_cases.CASES)


@pytest.mark.parametrize("name", marked(RECORDED))
def test_they_do_what_they_did_in_tensorflow_1(name: str) -> None:
    assert_same(observe(name), RECORDED[name])


@pytest.mark.parametrize("name", marked(VERSION_1))
def test_they_do_it_with_the_behavior_of_version_1(name: str) -> None:
    switches = [
        (v1.resource_variables_enabled(), v1.disable_resource_variables, v1.enable_resource_variables),
        (v1.control_flow_v2_enabled(), v1.disable_control_flow_v2, v1.enable_control_flow_v2),
        (isinstance(tf.TensorShape([1])[0], int), v1.disable_v2_tensorshape, v1.enable_v2_tensorshape),
    ]
    for _, disable, _ in switches:
        disable()
    try:
        assert_same(observe(name), RECORDED[name])
    finally:
        for enabled, _, enable in switches:
            if enabled:
                enable()


def assert_same(seen: dict[str, Any], recorded: dict[str, Any]) -> None:
    for key in ("shapes", "variables"):
        assert seen[key] == recorded[key], key
    for key in ("values", "gradients", "training", "trained"):
        for position, (ours, theirs) in enumerate(zip(seen[key], recorded[key], strict=True)):
            np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5, err_msg=f"{key} {position}")
