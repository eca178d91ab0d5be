"""Exports the models of `golden/export_cases.py`, which Estimators of TensorFlow 1.15 and 2.15 exported."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train import estimator

sys.path.insert(0, str(TESTS / "golden"))
import export_cases

GOLDEN = TESTS / "golden" / "estimator_export"


def trained_model(directory: Path) -> estimator.Estimator:
    """Returns an Estimator in a new directory that TensorFlow 1.15's has trained in."""
    shutil.copytree(GOLDEN / "model", directory)
    return estimator.Estimator(export_cases.make_model_fn(estimator, str(GOLDEN / "colors.txt")), directory)


def export_all(model: estimator.Estimator, directory: Path) -> dict[str, str]:
    """Exports all cases; returns the paths of the SavedModels."""
    return {
        case: export_cases.export(estimator, model, case, directory / case) for case in export_cases.CASES
    }


def export_classifier(directory: Path) -> str:
    """Trains a canned classifier for a step, and exports it; returns the path of the SavedModel."""
    colors = tf.feature_column.categorical_column_with_hash_bucket("color", 5)
    columns = [tf.feature_column.numeric_column("x", 3), tf.feature_column.embedding_column(colors, 2)]
    model = estimator.DNNClassifier([4], columns, directory / "model", n_classes=3)
    features = {"x": export_cases.X, "color": export_cases.WORDS}
    labels = np.array([0, 1, 2, 0])
    model.train(estimator.inputs.numpy_input_fn(features, labels, shuffle=False), steps=1)
    receiver_fn = export_cases.make_receiver_fn(estimator, "parsing")
    return os.fsdecode(model.export_saved_model(directory / "export", receiver_fn))


def recorded(case: str, version: str) -> Any:
    """Returns what the original of a version exported."""
    return json.loads((GOLDEN / f"{version}.json").read_text())[case]


def assert_served(outputs: dict[str, Any], expected: dict[str, Any]) -> None:
    """Compares what all signatures answer."""
    assert outputs.keys() == expected.keys()
    for signature, values in expected.items():
        assert outputs[signature].keys() == values.keys()
        for key, value in values.items():
            if isinstance(np.ravel(value)[0], str):
                assert outputs[signature][key] == value
            else:
                np.testing.assert_allclose(outputs[signature][key], value, rtol=1e-5)
