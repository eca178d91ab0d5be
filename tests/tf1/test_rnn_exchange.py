"""The real TensorFlow 1.15.5 reads checkpoints of networks of `contrib.rnn`, and they read its.

Run as `test_exchange.py` is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from test_exchange import run_original

from keras_legacy_train.contrib import crf, legacy_seq2seq, rnn

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))

import rnn_cases

pytestmark = pytest.mark.tf1

v1 = tf.compat.v1

CASES = ["block_lstm", "layer_norm_lstm", "multi_rnn_of_char_rnn", "embedding_attention_seq2seq", "crf"]


def outputs(name: str, path: Path, save: bool) -> list[Any]:
    with tf.Graph().as_default(), v1.Session() as session:
        kit = rnn_cases.Kit(v1, rnn, legacy_seq2seq, crf)
        tensors = rnn_cases.CASES[name](kit)
        saver = v1.train.Saver()
        if save:
            session.run(v1.global_variables_initializer())
            saver.save(session, str(path))
        else:
            saver.restore(session, str(path))
        values: list[Any] = session.run(tensors, kit.feeds)
        return values


def assert_written(path: Path, values: list[Any]) -> None:
    written = np.load(path.with_suffix(".npz"))
    for number, value in enumerate(values):
        np.testing.assert_allclose(value, written[f"arr_{number}"], 1e-4, 1e-6)


def test_we_read_checkpoints_of_tensorflow_1(tmp_path: Path) -> None:
    run_original("save", tmp_path, *CASES, script="rnn_original.py")
    for name in CASES:
        path = tmp_path / f"{name}.ckpt"
        assert_written(path, outputs(name, path, save=False))


def test_tensorflow_1_reads_our_checkpoints(tmp_path: Path) -> None:
    seen = {name: outputs(name, tmp_path / f"{name}.ckpt", save=True) for name in CASES}
    run_original("restore", tmp_path, *CASES, script="rnn_original.py")
    for name, values in seen.items():
        assert_written(tmp_path / f"{name}.ckpt", values)
