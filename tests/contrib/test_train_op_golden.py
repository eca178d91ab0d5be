"""Train ops and buckets do what they did in TensorFlow 1.15.5, as recorded by `make_train_op_golden.py`."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train.contrib import training
from keras_legacy_train.contrib.slim import learning

sys.path.insert(0, str(TESTS / "golden"))
import train_op_cases as cases

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "train_ops.json").read_text())
KIT = cases.Kit(tf.compat.v1, training, learning)


@pytest.mark.parametrize("name", cases.TRAIN_OPS)
def test_train_ops_do_what_they_did_in_tensorflow_1(name: str) -> None:
    seen, recorded = cases.observe(KIT, cases.TRAIN_OPS[name]), RECORDED[name]
    for key in ("name", "variables", "scopes"):
        assert seen[key] == recorded[key]
    assert seen["collection"][-1] == recorded["collection"][-1]
    assert [tag for tag, _ in seen["tags"]] == [tag for tag, _ in recorded["tags"]]
    np.testing.assert_allclose(
        [value for _, value in seen["tags"]], [value for _, value in recorded["tags"]], 1e-4
    )
    np.testing.assert_allclose(seen["losses"], recorded["losses"], 1e-4)
    for ours, theirs in zip(seen["trained"], recorded["trained"], strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-4, 1e-5)


def test_buckets_make_the_batches_that_they_made_in_tensorflow_1() -> None:
    assert cases.bucketed(KIT) == RECORDED["bucketed"]
