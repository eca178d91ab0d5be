"""`train` trains a graph from its file as `train()` does; `export` makes models of what came of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

import graphs
from checkpoint_helpers import data_file, flip_a_bit, write
from command_line_helpers import refusal, run_command, run_json, tree
from helpers import assert_values_equal, checkpoint_numbers, checkpoint_values, scalar_events
from keras_legacy_train import train
from keras_legacy_train.checkpoints.directory_lock import DirectoryLock
from keras_legacy_train.command_line.app import app
from keras_legacy_train.command_line.feeds import parse_feeds

v1 = tf.compat.v1
pytestmark = pytest.mark.usefixtures("eager_mode")

X = np.random.RandomState(0).randn(4, 8).astype("float32")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph with two layers, dropout and an input of its own, that collects its loss."""
    path = tmp_path_factory.mktemp("graph") / "graph.meta"
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(3)
        x, y = graphs.rows()
        x = v1.placeholder_with_default(x, [None, 8], name="x")
        keep_prob = v1.placeholder_with_default(1.0, [], name="keep_prob")
        w = v1.get_variable("net/dense/kernel", [8, 1], initializer=v1.ones_initializer())
        b = v1.get_variable("net/dense/bias", [1], initializer=v1.zeros_initializer())
        scores = tf.add(tf.matmul(x, w) * keep_prob, b, name="scores")
        loss = v1.losses.mean_squared_error(y, scores)
        graphs.minimize(v1.train.GradientDescentOptimizer(0.01), loss)
        tf.identity(loss, name="other_loss")
        v1.summary.scalar("summed", loss)
        v1.train.export_meta_graph(str(path), graph=graph)
    return path


@pytest.fixture(scope="module")
def run(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 20 steps, trained by the command, resumed half-way."""
    directory = tmp_path_factory.mktemp("trained") / "run"
    run_command("train", graph, "--output-dir", directory, "--max-steps", 10)
    run_command("train", graph, "--output-dir", directory, "--steps", 10, "--save-summaries-steps", 5)
    return directory


def test_it_trains_as_train_does(graph: Path, run: Path, tmp_path: Path) -> None:
    train(graph, tmp_path, "GradientDescent", "mean_squared_error/value", max_steps=20)
    assert_values_equal(checkpoint_values(run), checkpoint_values(tmp_path))
    assert checkpoint_numbers(run) == [0, 10, 20]
    assert {"loss", "summed"} <= scalar_events(run).keys()


def test_what_it_prints(graph: Path, tmp_path: Path) -> None:
    arguments = ["train", str(graph), "--output-dir", str(tmp_path / "run"), "--max-steps", "4", "--json"]
    options = [
        "--log-every-steps",
        "2",
        "--feed",
        "keep_prob=0.5",
        "--loss",
        "other_loss",
        "--max-window",
        "2",
    ]
    result = CliRunner().invoke(app, [*arguments, *options, "--train-op", "GradientDescent"])
    assert result.exit_code == 0, result.output
    done = json.loads(result.stdout)
    assert done["step"] == 4 and done["checkpoint"] == str(tmp_path / "run" / "model.ckpt-4")
    lines = [line for line in result.stderr.splitlines() if line.startswith("training step")]
    assert [line.split(",")[0] for line in lines] == ["training step 2", "training step 4"]
    assert f"loss = {done['loss']:.5f}" in lines[-1]
    assert "No step was left" in run_command(*arguments[:-1])


def test_a_training_that_fails(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        loss = tf.math.log(-w, name="loss")
        v1.train.GradientDescentOptimizer(0.1).minimize(loss, v1.train.get_or_create_global_step())
        v1.train.export_meta_graph(str(tmp_path / "nan.meta"))
    arguments = ["train", str(tmp_path / "nan.meta"), "--loss", "loss", "--max-steps", "4", "--output-dir"]
    result = CliRunner().invoke(app, [*arguments, str(tmp_path / "run")])
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("keras-legacy-train: NaN loss during training.")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--train-op", "absent"], "absent"),
        (["--loss", "absent"], "absent"),
        (["--loss", "net/dense/kernel"], "shape"),
        (["--global-step", "x"], "global_step"),
        (["--feed", "keep_prob"], "NAME=VALUE"),
        (["--steps", "3"], "cannot both be given"),
    ],
)
def test_options_that_cannot_be(options: list[str], message: str, graph: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert message in refusal("train", graph, "--output-dir", new, "--max-steps", 3, *options)
    assert not new.exists()


def test_graphs_that_cannot_be_trained(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        v1.train.export_meta_graph(str(tmp_path / "bare.meta"))
        loss = v1.losses.compute_weighted_loss(v1.py_func(lambda a: a, [w], tf.float32, name="python"))
        with tf.control_dependencies([loss]):
            step = v1.assign_add(v1.train.get_or_create_global_step(), 1)
        v1.add_to_collection(v1.GraphKeys.TRAIN_OP, step)
        v1.train.export_meta_graph(str(tmp_path / "python.meta"))
        v1.losses.add_loss(w)
        v1.add_to_collection(v1.GraphKeys.TRAIN_OP, w.op)
        v1.train.export_meta_graph(str(tmp_path / "several.meta"))
    before = tree(tmp_path)

    def refused(name: str, *options: str) -> str:
        return refusal("train", tmp_path / name, "--output-dir", tmp_path / "new", *options)

    assert "python (PyFunc)" in refused("python.meta") and "no file holds" in refused("python.meta")
    assert "--train-op is needed" in refused("bare.meta")
    assert "--loss is needed" in refused("bare.meta", "--train-op", "w/Assign")
    assert "--train-op is needed" in refused("several.meta")
    assert "several losses" in refused("several.meta", "--train-op", "w/Assign")
    assert "missing.meta" in refused("missing.meta")
    assert tree(tmp_path) == before


def test_directories_that_cannot_be_trained_in(graph: Path, tmp_path: Path) -> None:
    with DirectoryLock(str(tmp_path)):
        assert "trains in" in refusal("train", graph, "--output-dir", tmp_path, "--max-steps", 1)
    assert "/proc/new" in refusal("train", graph, "--output-dir", "/proc/new", "--max-steps", 1)


def test_a_saved_model(run: Path, tmp_path: Path) -> None:
    output = tmp_path / "saved"
    signatures = [
        "--signature",
        "classify(x) -> scores",
        "--signature",
        "again(rows=x:0) -> a=scores:0, b=scores",
    ]
    done = run_json("export", run, "-o", output, *signatures, "--feed", "keep_prob=0.5")
    assert done["signatures"] == ["classify", "again"] and done["checkpoint"] == str(run / "model.ckpt-20")
    values = checkpoint_values(run)
    expected = X @ values["net/dense/kernel"] * 0.5 + values["net/dense/bias"]
    loaded = tf.saved_model.load(str(output)).signatures
    np.testing.assert_allclose(loaded["classify"](x=tf.constant(X))["scores"], expected, rtol=1e-5)
    assert loaded["again"](rows=tf.constant(X)).keys() == {"a", "b"}


def test_the_newest_intact_checkpoint_is_exported(graph: Path, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    run_command("train", graph, "--output-dir", directory, "--max-steps", 2)
    flip_a_bit(data_file(directory, 2))
    done = run_json("export", directory, "-o", tmp_path / "saved", "--signature", "f(x) -> scores")
    assert done["checkpoint"] == str(directory / "model.ckpt-0")


def test_what_cannot_be_exported(
    graph: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "saved"

    def refused(*options: object) -> str:
        return refusal("export", run, "-o", output, *options)

    assert "--signature is missing" in refused()
    assert "not of the form" in refused("--signature", "x -> y")
    assert "absent" in refused("--signature", "f(absent) -> scores")
    assert "absent" in refused("--signature", "f(x) -> absent")
    assert "absent" in refused("--signature", "f(x) -> scores", "--feed", "absent=1")
    assert "absent.meta" in refused("--signature", "f(x) -> scores", "--graph", "absent.meta")
    assert "neither" in refused("--keras", "something")
    assert "no file" in refused("--keras", "absent.py:make")
    assert "No module named 'absent_module'" in refused("--keras", "absent_module:make")
    there = str(output / "missing" / "model")
    assert f"no directory {str(output / 'missing')!r}" in refusal("export", run, "-o", there)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # who is root may write to everything
    assert "cannot be written to" in refused("--signature", "f(x) -> scores")
    monkeypatch.undo()
    assert "no function" in refused("--keras", "keras:absent")
    assert "absent.json" in refused("--keras", "absent.json")
    assert "WEIGHT=NAME" in refused("--keras", "keras:Sequential", "--map", "x")
    assert "no checkpoint" in refusal("export", tmp_path, "-o", output, "--signature", "f(x) -> scores")
    assert list(tmp_path.iterdir()) == []
    output.mkdir()
    assert "exists" in refused("--signature", "f(x) -> scores")


MODEL = """
import keras

def make():
    return keras.Sequential([keras.Input([8]), keras.layers.Dense(1, name="dense")])

def other():
    return keras.Sequential([keras.Input([8]), keras.layers.Dense(1, name="top")])
"""


def test_a_keras_model(run: Path, tmp_path: Path) -> None:
    source = tmp_path / "model.py"
    source.write_text(MODEL)
    done = run_json("export", run, "-o", tmp_path / "model.keras", "--keras", f"{source}:make")
    assert done["filled"]["dense/kernel"] == ["net/dense/kernel"]
    model: Any = keras.saving.load_model(tmp_path / "model.keras")
    values = checkpoint_values(run)
    np.testing.assert_array_equal(model.get_weights()[0], values["net/dense/kernel"])

    text = run_command(
        *("export", run, "-o", tmp_path / "w.weights.h5", "--keras", f"{source}:other"),
        *("--map", "top=net/dense", "--skip", "top/bias"),
    )
    assert "top/kernel <- net/dense/kernel" in text and "Skipped" in text
    again = tmp_path / "again.weights.h5"
    run_command("export", run, "-o", again, "--keras", tmp_path / "model.keras")
    reloaded = keras.models.clone_model(model)
    reloaded.load_weights(again)
    np.testing.assert_array_equal(reloaded.get_weights()[0], values["net/dense/kernel"])
    (tmp_path / "model.json").write_text(model.to_json())
    run_command("export", run, "-o", tmp_path / "saved", "--keras", tmp_path / "model.json")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    served = loaded.serve(tf.constant(X))
    np.testing.assert_allclose(served, X @ values["net/dense/kernel"] + values["net/dense/bias"], rtol=1e-5)

    assert "no counterpart" in refusal(
        "export", run, "-o", tmp_path / "x.keras", "--keras", f"{source}:other"
    )
    assert not (tmp_path / "x.keras").exists()


def test_a_checkpoint_without_a_graph(tmp_path: Path) -> None:
    write(tmp_path, 1)
    output = ("-o", tmp_path / "saved", "--signature", "f(x) -> scores")
    message = refusal("export", tmp_path, *output)
    assert (
        message
        == f"there is no {str(tmp_path / 'model.ckpt-1.meta')!r}; name the file of the graph by --graph"
    )


def test_feeds_are_json_or_text() -> None:
    assert parse_feeds(["a=1.5", "b=[1, 2]", "c=true", "d=plain text", "e=x=y"]) == {
        "a": 1.5,
        "b": [1, 2],
        "c": True,
        "d": "plain text",
        "e": "x=y",
    }
    assert parse_feeds(None) is None
