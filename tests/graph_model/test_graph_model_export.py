"""`GraphModel.export` writes a SavedModel that needs nothing of the process that wrote it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from graph_model_helpers import X, Y, counting, line_model, predictions, trained
from helpers import SCRIPTS, run_python
from keras_legacy_train.graph_model import GraphModel

v1 = tf.compat.v1


@dataclasses.dataclass
class Exported:
    """A SavedModel, and what one of its signatures is to be given and to return."""

    inputs: dict[str, Any]
    outputs: dict[str, Any]
    signature: str = "serving_default"


def own_signature(directory: Path) -> Exported:
    model = trained(eval_feed_dict={"scale": 2.0})
    model.export(directory)
    return Exported({"x": X[:4]}, {"prediction": model.predict(X[:4], verbose=0)})


def further_signature(directory: Path) -> Exported:
    model = trained(eval_feed_dict={"scale": 2.0})
    model.export(directory, {"loss": (["x", "y", "scale"], {"value": "loss"})})
    loss = np.mean((predictions(model) - Y) ** 2)
    return Exported({"x": X, "y": Y, "scale": np.float32(1)}, {"value": loss}, "loss")


def names_with_slashes(directory: Path) -> Exported:
    with tf.Graph().as_default() as graph, v1.name_scope("in"):
        tf.square(v1.placeholder(tf.float32, [None], name="x"), name="square")
    GraphModel(graph, "in/x", "in/square").export(directory)
    return Exported({"in_x": np.float32([3])}, {"in/square": [9]})


def partitioned_and_text_variables(directory: Path) -> Exported:
    with tf.Graph().as_default() as graph:
        ids = v1.placeholder(tf.int64, [None], name="ids")
        parts = v1.get_variable("table", [5, 2], partitioner=v1.fixed_size_partitioner(2))
        rows = v1.nn.embedding_lookup(parts, ids, partition_strategy="div")
        text = v1.get_variable("text", initializer="hello")
        model = GraphModel(graph, ids, {"rows": rows, "text": tf.fill(tf.shape(ids), text)})
    model.export(directory)
    values = np.concatenate(model.get_weights())
    return Exported({"ids": np.arange(5)}, {"rows": values, "text": [b"hello"] * 5})


def tables_and_their_files(directory: Path) -> Exported:
    vocabulary = directory.parent / "words.txt"
    vocabulary.write_text("red\ngreen\nblue\n", encoding="utf-8")
    lookup = tf.lookup
    with tf.Graph().as_default() as graph:
        words = v1.placeholder(tf.string, [None], name="words")
        columns = lookup.TextFileIndex
        from_file = lookup.TextFileInitializer(
            str(vocabulary), tf.string, columns.WHOLE_LINE, tf.int64, columns.LINE_NUMBER
        )
        index = lookup.StaticVocabularyTable(from_file, 1).lookup(words)
        prices = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["red", "blue"], [1.5, 2.5]), 0.0)
        stock = lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        rank = lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, -1, -2, initial_num_buckets=8)
        outputs = {
            "index": index,
            "price": v1.cond(tf.size(words) > 0, lambda: prices.lookup(words), lambda: tf.zeros([0])),
            "stock": stock.lookup(words),
            "rank": rank.lookup(index),
        }
        fill = [
            stock.insert(tf.constant(["green"]), tf.constant([7], tf.int64)),
            rank.insert(tf.constant([2], tf.int64), tf.constant([9], tf.int64)),
        ]
    model = GraphModel(graph, words, outputs)
    model.session.run(fill)
    model.export(directory)
    vocabulary.unlink()
    assert (directory / "assets" / "words.txt").exists()
    return Exported(
        {"words": np.array(["blue", "green", "?"])},
        {"index": [2, 1, 3], "price": [2.5, 0, 0], "stock": [0, 7, 0], "rank": [9, -1, -1]},
    )


def random_numbers(directory: Path, in_loop: bool, v2: bool) -> Exported:
    """They go on where they were when the model was exported."""
    with graphs.control_flow(v2), tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [], name="x")

        def draw(i: Any, total: tf.Tensor) -> tuple[Any, tf.Tensor]:
            return i + 1, total + v1.random_uniform([], seed=3)

        drawn = tf.while_loop(lambda i, _: i < 2, draw, [0, x]) if in_loop else draw(0, x)
        tf.identity(drawn[1], name="drawn")
    model = GraphModel(graph, "x", "drawn")
    model.predict_on_batch(np.float32(0))
    model.export(directory)
    return Exported({"x": np.float32(0)}, {"drawn": model.predict_on_batch(np.float32(0))})


CASES: dict[str, Callable[[Path], Exported]] = {
    "own_signature": own_signature,
    "further_signature": further_signature,
    "names_with_slashes": names_with_slashes,
    "partitioned_and_text_variables": partitioned_and_text_variables,
    "tables_and_their_files": tables_and_their_files,
    "random_numbers": lambda directory: random_numbers(directory, in_loop=False, v2=True),
    "random_numbers_in_a_loop": lambda directory: random_numbers(directory, in_loop=True, v2=True),
    "random_numbers_in_a_v1_loop": lambda directory: random_numbers(directory, in_loop=True, v2=False),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Exported, dict[str, np.ndarray]]]:
    """What each case is to return, and what it returned in another process."""
    root = tmp_path_factory.mktemp("exported")
    cases = {}
    for name, export in CASES.items():
        (root / name).mkdir()
        cases[name] = export(root / name / "model")
        np.savez(root / name / "inputs.npz", **cases[name].inputs)
        (root / name / "signature").write_text(cases[name].signature, encoding="utf-8")
    ended = run_python(SCRIPTS / "exported_run.py", root)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = {}
    for name in CASES:
        with np.load(root / name / "outputs.npz", allow_pickle=True) as outputs:
            found[name] = (cases[name], dict(outputs))
    return found


@pytest.mark.parametrize("name", CASES)
def test_runs_in_a_fresh_process(name: str, results: dict[str, Any]) -> None:
    expected, found = results[name]
    assert sorted(found) == sorted(expected.outputs)
    for key, value in expected.outputs.items():
        if found[key].dtype == object:
            assert found[key].tolist() == value
        else:
            np.testing.assert_allclose(found[key], value, rtol=1e-5, err_msg=key)


def test_a_session_loads_it(tmp_path: Path) -> None:
    model = trained()
    model.export(tmp_path)
    with v1.Session(graph=tf.Graph()) as session:
        signature = v1.saved_model.load(session, ["serve"], str(tmp_path)).signature_def["serving_default"]
        output = session.run(signature.outputs["prediction"].name, {signature.inputs["x"].name: X})
    np.testing.assert_allclose(output, predictions(model), rtol=1e-5)


def test_all_variables_are_in_it(tmp_path: Path) -> None:
    trained().export(tmp_path)
    saved = tf.train.list_variables(str(tmp_path / "variables" / "variables"))
    names = {
        name.split("/")[1].replace(".S", "/") for name, _ in saved if name.startswith("graph_variables/")
    }
    assert {"dense/kernel", "dense/kernel/Adam", "rate", "global_step", "mean_error/total"} <= names


def test_what_lives_in_the_process_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'OneShotIterator' \(OneShotIterator\) .* inputs"):
        GraphModel(counting(), outputs="number").export(tmp_path)
    GraphModel(counting(), "IteratorGetNext", "number").export(tmp_path)
    with pytest.raises(ValueError, match="PyFunc"):
        GraphModel(graphs.build("python_function").graph, outputs="loss").export(tmp_path)


def test_a_placeholder_that_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="placeholder tensor 'y'"):
        line_model(outputs="loss").export(tmp_path)


def test_a_signature_that_is_not_in_the_graph(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"signatures\['loss'\]: 'los' is not in the graph.*'loss'"):
        line_model().export(tmp_path, {"loss": (["x", "y"], "los")})
