"""Sequences come in the segments of TensorFlow 1.15.5, see `golden/make_state_saver_golden.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS, Recorder, Silent
from keras_legacy_train import rnn_cell, train
from keras_legacy_train.contrib import training

sys.path.insert(0, str(TESTS / "golden"))
import state_saver_cases as cases

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "state_saver.json").read_text())
KIT = cases.Kit(tf.compat.v1, training, rnn_cell)


def assert_same_steps(seen: list[dict[str, Any]], recorded: list[dict[str, Any]]) -> None:
    assert len(seen) == len(recorded)
    for ours, theirs in zip(seen, recorded, strict=True):
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():
            if value and isinstance(np.ravel(value)[0], str):
                assert ours[key] == value
            else:
                np.testing.assert_allclose(ours[key], value, 1e-4, 1e-6, err_msg=key)


@pytest.mark.parametrize("name", cases.CASES)
def test_segments_are_those_of_tensorflow_1(name: str) -> None:
    seen, recorded = cases.observe(KIT, *cases.CASES[name]), RECORDED[name]
    assert seen["names"] == recorded["names"]
    assert_same_steps(seen["steps"], recorded["steps"])
    for ours, theirs in zip(seen["trained"], recorded["trained"], strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-4, 1e-6)


@pytest.mark.parametrize("name", ["rnn_by_two", pytest.param("lstm_sparse", marks=pytest.mark.slow)])
def test_train_sees_the_same_segments(name: str, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        network = cases.build(KIT, *cases.CASES[name])
        fetches = cases.fetches(network)
        variables = [each.op.name for each in tf.compat.v1.trainable_variables()]
    recorder = Recorder(*fetches.values())
    for kind, monitor in (("windows", Silent()), ("steps", recorder)):
        train(graph, tmp_path / kind, network.train_op, network.loss, monitors=[monitor])
        reader = tf.train.load_checkpoint(str(tmp_path / kind))
        for variable, value in zip(variables, RECORDED[name]["trained"], strict=True):
            np.testing.assert_allclose(reader.get_tensor(variable).ravel(), value, 1e-4, 1e-6)
    steps = [{key: cases.plain(step[fetches[key]]) for key in fetches} for step in recorder.outputs.values()]
    assert_same_steps(steps, RECORDED[name]["steps"])
