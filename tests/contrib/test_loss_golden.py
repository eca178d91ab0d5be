"""Losses and metrics do what those of TensorFlow 1.15.5 did, as `golden/make_loss_golden.py` recorded it."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train.contrib import losses, metrics

sys.path.insert(0, str(TESTS / "golden"))
import loss_cases

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "losses.json").read_text())
KIT = loss_cases.Kit(tf.compat.v1, losses, metrics)


def assert_close(ours: Any, recorded: Any) -> None:
    assert len(ours) == len(recorded)
    for position, (our, theirs) in enumerate(zip(ours, recorded, strict=True)):
        np.testing.assert_allclose(our, theirs, 1e-4, 1e-5, err_msg=str(position))


@pytest.mark.parametrize("name", loss_cases.LOSSES)
def test_losses_do_what_they_did_in_tensorflow_1(name: str) -> None:
    seen, recorded = loss_cases.observe_loss(KIT, loss_cases.LOSSES[name]), RECORDED[name]
    for key in ("dtypes", "losses"):
        assert seen[key] == recorded[key]
    for key in ("values", "gradients"):
        assert_close(seen[key], recorded[key])


@pytest.mark.parametrize("name", loss_cases.METRICS)
def test_metrics_do_what_they_did_in_tensorflow_1(name: str) -> None:
    seen, recorded = loss_cases.observe_metric(KIT, loss_cases.METRICS[name]), RECORDED[name]
    for key in ("variables", "collections"):
        assert seen[key] == recorded[key]
    assert_close(seen["values"], recorded["values"])
