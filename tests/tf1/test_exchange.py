"""The real TensorFlow 1.15.5 goes on from our directories, and we go on from its.

Run by `make test-tf1`, or with a Python 3.7 that has tensorflow==1.15.5, protobuf<3.21 and numpy<1.19:

    KLT_TF1_PYTHON=/path/to/python3.7 python -m pytest -m tf1
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from exchange_graphs import OPTIMIZERS, build, build_objects

from export_helpers import (
    assert_served,
    export_all,
    export_cases,
    export_classifier,
    recorded,
    trained_model,
)
from helpers import Recorder, Silent, assert_values_close, checkpoint_values, newest_checkpoint
from keras_legacy_train import estimator, learn, train

sys.path.insert(0, str(Path(__file__).parents[1] / "golden" / "estimators"))
sys.path.insert(0, str(Path(__file__).parents[1] / "golden" / "learn"))

import estimator_cases
import learn_cases

pytestmark = pytest.mark.tf1

TOLERANCE = {"rtol": 1e-4, "atol": 1e-6}


def run_original(*arguments: object, script: str = "original.py") -> None:
    """Runs a script under TensorFlow 1.15.5."""
    python = os.environ.get("KLT_TF1_PYTHON")
    if not python:
        pytest.fail("KLT_TF1_PYTHON must name a Python that has TensorFlow 1.15.5")
    ours_only = {"PYTHONPATH", "TF2_BEHAVIOR"}  # TensorFlow 2 sets the second when it is imported
    environment = {name: value for name, value in os.environ.items() if name not in ours_only}
    ended = subprocess.run(
        [python, script, *map(str, arguments)],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def train_ours(optimizer: str, kind: str, output_dir: Path, steps: int) -> None:
    with tf.Graph().as_default() as graph:
        train_op, loss = build(optimizer, kind == "resource")
    train(graph, output_dir, train_op, loss, steps=steps, monitors=[Silent()])


@pytest.mark.parametrize(
    "turns",
    [["ours", "original", "ours"], ["original", "ours", "original"]],
    ids=["ours-original-ours", "original-ours-original"],
)
@pytest.mark.parametrize("kind", ["reference", "resource"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_turns_equal_30_straight_steps(optimizer: str, kind: str, turns: list[str], tmp_path: Path) -> None:
    straight, shared = tmp_path / "straight", tmp_path / "shared"
    run_original("train", optimizer, kind, straight, 30)
    for turn, last in zip(turns, (10, 20, 30), strict=True):
        if turn == "ours":
            train_ours(optimizer, kind, shared, 10)
        else:
            run_original("train", optimizer, kind, shared, 10)
        assert newest_checkpoint(shared) == f"model.ckpt-{last}"
    assert_values_close(checkpoint_values(shared), checkpoint_values(straight), **TOLERANCE)


@pytest.mark.parametrize("kind", ["reference", "resource"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_original_opens_our_checkpoint(optimizer: str, kind: str, tmp_path: Path) -> None:
    train_ours(optimizer, kind, tmp_path, 10)
    run_original("read", tmp_path, tmp_path / "values.npz")
    values = dict(np.load(tmp_path / "values.npz"))
    ours = checkpoint_values(tmp_path)
    by_name = {
        name.removeprefix("load/"): value for name, value in values.items() if name.startswith("load/")
    }
    assert {"w", "table", "global_step", "w/ExponentialMovingAverage"} <= set(by_name)
    assert_values_close(by_name, ours)
    restored = {
        name.removeprefix("restored/"): value
        for name, value in values.items()
        if name.startswith("restored/")
    }
    table = np.concatenate([restored.pop(f"table/part_{part}") for part in range(3)])
    np.testing.assert_array_equal(table, ours["table"])
    whole = {name: value for name, value in restored.items() if "part_" not in name}
    assert_values_close(ours, whole)


def train_objects_ours(kind: str, output_dir: Path, steps: int, with_iterator: bool = False) -> list[float]:
    with tf.Graph().as_default() as graph:
        train_op, loss = build_objects(kind == "resource")
        if with_iterator:
            iterator = tf.compat.v1.data.make_one_shot_iterator(tf.data.Dataset.range(9).shuffle(3))
            position = tf.data.experimental.make_saveable_from_iterator(iterator)
            graph.add_to_collection(tf.compat.v1.GraphKeys.SAVEABLE_OBJECTS, position)
    recorder = Recorder(loss)
    train(graph, output_dir, train_op, loss, steps=steps, monitors=[recorder])
    return recorder.values(loss)


@pytest.mark.parametrize("kind", ["reference", "resource"])
def test_saveable_objects_in_turns(kind: str, tmp_path: Path) -> None:
    straight = train_objects_ours(kind, tmp_path / "straight", 12)
    run_original("train_objects", kind, tmp_path / "shared", 4)
    losses = train_objects_ours(kind, tmp_path / "shared", 4)
    run_original("train_objects", kind, tmp_path / "shared", 2)
    losses += train_objects_ours(kind, tmp_path / "shared", 2)
    assert newest_checkpoint(tmp_path / "shared") == "model.ckpt-12"
    np.testing.assert_allclose(losses, straight[4:8] + straight[10:], **TOLERANCE)


@pytest.mark.parametrize("kind", ["reference", "resource"])
def test_original_restores_saveable_objects_by_our_meta_graph(kind: str, tmp_path: Path) -> None:
    straight = train_objects_ours(kind, tmp_path / "straight", 8)
    train_objects_ours(kind, tmp_path / "ours", 4, with_iterator=True)
    run_original("run_objects", kind, tmp_path / "ours", 4, tmp_path / "losses.npy")
    np.testing.assert_allclose(np.load(tmp_path / "losses.npy"), straight[4:], **TOLERANCE)


def test_the_original_estimator_goes_on_from_our_directory(tmp_path: Path) -> None:
    ours = tmp_path / "model"
    model = estimator_cases.make(estimator, str(ours), [])
    before = estimator_cases.train(model, steps=6)
    run_original(ours, tmp_path / "losses.json", script="estimator_original.py")
    losses = before + json.loads((tmp_path / "losses.json").read_text())
    straight = estimator_cases.make(estimator, str(tmp_path / "straight"), [])
    # Each training begins with the first batch.
    expected = estimator_cases.train(straight, steps=6) + estimator_cases.train(straight, max_steps=10)
    np.testing.assert_allclose(losses, expected, **TOLERANCE)
    for name in straight.get_variable_names():
        np.testing.assert_allclose(
            model.get_variable_value(name), straight.get_variable_value(name), **TOLERANCE
        )


def test_original_serves_our_classifier(tmp_path: Path) -> None:
    path = export_classifier(tmp_path)
    run_original("serve", path, tmp_path / "outputs.json")
    assert_served(json.loads((tmp_path / "outputs.json").read_text()), export_cases.serve(path))


def test_original_serves_our_saved_models(tmp_path: Path) -> None:
    exported = export_all(trained_model(tmp_path / "model"), tmp_path)
    for case, path in exported.items():
        outputs = tmp_path / f"{case}.json"
        run_original("serve", path, outputs)
        assert_served(json.loads(outputs.read_text()), recorded(case, "2.15")["outputs"])


@pytest.mark.parametrize("name", ["dnn_classifier", "linear_classifier", "combined_classifier"])
def test_the_original_learn_goes_on_from_our_directory(name: str, tmp_path: Path) -> None:
    ours = learn_cases.CASES[name][0](learn, str(tmp_path / "model"))
    learn_cases.fit(ours, name, 3)
    straight = learn_cases.CASES[name][0](learn, shutil.copytree(ours.model_dir, tmp_path / "straight"))
    learn_cases.fit(straight, name, 2)
    expected = learn_cases.observe(learn, straight, name)["results"]
    run_original(name, ours.model_dir, tmp_path / "observed.json", script="learn_original.py")
    observed = json.loads((tmp_path / "observed.json").read_text())
    for found, wanted in zip(observed, expected, strict=True):
        assert found == pytest.approx(wanted, rel=1e-4)
