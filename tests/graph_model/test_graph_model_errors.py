"""What `GraphModel` cannot do is told by an error that names it, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graph_model_helpers import X, Y, line_model

v1 = tf.compat.v1


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("inputs", "X"),
        ("inputs", {"rows": "xx:0"}),
        ("targets", ["yy"]),
        ("outputs", "predictions"),
        ("loss", "losss"),
        ("train_op", ["trian"]),
        ("metrics", {"error": "errors"}),
        ("metrics", {"error": ("mean_error/value", "mean_error/update")}),
        ("learning_rate", "rat"),
        ("train_feed_dict", {"scales": 1.0}),
        ("eval_feed_dict", {"scal:0": 1.0}),
        ("init_feed_dict", {"scal": 1.0}),
    ],
)
def test_an_unknown_name(argument: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"{argument}.* is not in the graph") as caught:
        line_model(**{argument: value})
    if value != "X":
        assert "Did you mean" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": "nothing"}, "inputs: 'nothing' is an operation"),
        ({"learning_rate": "loss"}, "learning_rate: 'loss:0' is computed"),
        ({"metrics": {"loss": "error"}}, "goes by this name"),
        ({"metrics": {"m": ("loss",)}}, "must be a tensor or"),
        ({"metrics": {"m": ("loss", "error")}}, "'loss:0' can be read only when a batch is fed"),
        ({"eval_feed_dict": {"scale": [1.0]}}, "scale:0 takes shape"),
    ],
)
def test_an_argument_that_cannot_be_right(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        line_model(**options)


def test_tensors_of_another_graph() -> None:
    with tf.Graph().as_default():
        stranger = v1.placeholder(tf.float32, name="stranger")
    with pytest.raises(ValueError, match="'stranger:0' belongs to"):
        line_model(inputs=stranger)


def test_no_train_op() -> None:
    model = line_model(train_op=None)
    with pytest.raises(ValueError, match=r"Missing train_op.*'train'"):
        model.fit(X, Y)


def test_no_outputs(tmp_path: Path) -> None:
    model = line_model(outputs=None)
    for call in (lambda: model.predict(X), lambda: model.export(tmp_path / "export")):
        with pytest.raises(ValueError, match="Missing outputs"):
            call()


def test_nothing_to_report() -> None:
    model = line_model(loss=None)
    for method in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match="nothing to report"):
            method(X, Y)


def test_an_unknown_input() -> None:
    with pytest.raises(ValueError, match=r"'X' is no input of the model.* 'x', 'y'"):
        line_model().fit({"X": X, "y": Y}, verbose=0)
    with pytest.raises(ValueError, match="Did you mean 'rows'"):
        line_model(inputs={"rows": "x"}).predict({"row": X}, verbose=0)


def test_a_shape_that_does_not_fit() -> None:
    model = line_model()
    with pytest.raises(ValueError, match=r"x:0 takes shape \(None, 8\).*shape \(.*7\)"):
        model.fit(X[:, :7], Y, verbose=0)
    with pytest.raises(ValueError, match="y:0 takes shape"):
        model.evaluate(X, Y[:, 0], verbose=0)


def test_a_shape_that_shows_when_it_runs() -> None:
    def batches() -> tf.data.Dataset:
        rows = tf.data.Dataset.from_tensors({"x": X[:, :7], "y": Y})
        return rows.map(
            lambda batch: {name: tf.py_function(lambda x: x, [batch[name]], tf.float32) for name in batch}
        )

    with pytest.raises(tf.errors.InvalidArgumentError, match="x_fed"):
        line_model().fit(batches, verbose=0)


def test_text_for_numbers() -> None:
    with pytest.raises(ValueError, match=r"x:0 takes shape.*dtype string"):
        line_model().predict(np.array([["a"] * 8]), verbose=0)


def test_sparse_values() -> None:
    def batches() -> tf.data.Dataset:
        return tf.data.Dataset.from_tensors(tf.sparse.from_dense(X))

    with pytest.raises(ValueError, match=r"x:0 takes shape.*SparseTensor"):
        line_model().predict(batches, verbose=0)


def test_too_many_values() -> None:
    with pytest.raises(ValueError, match="inputs are 'x', but 2 came"):
        line_model().predict([X, X], verbose=0)


def test_a_placeholder_that_is_not_fed() -> None:
    with pytest.raises(ValueError, match=r"placeholder tensor 'y'.*targets="):
        line_model(targets=None).fit(X, verbose=0)


def test_weights_of_rows() -> None:
    with pytest.raises(ValueError, match="sample_weight"):
        line_model().fit(X, Y, sample_weight=np.ones(64), verbose=0)


def test_compile_with_an_optimizer() -> None:
    with pytest.raises(TypeError, match=r"train_op=..., loss=..."):
        line_model().compile("adam", "mse")
    with pytest.raises(TypeError, match=r"train_op=..., loss=..."):
        line_model().compile(optimizer="adam")


def test_a_dataset_of_a_graph() -> None:
    with tf.Graph().as_default():
        batches = tf.data.Dataset.from_tensors((X, Y))
    with pytest.raises(ValueError, match="Pass a function that makes it"):
        line_model().fit(batches)


def test_a_strategy() -> None:
    if not tf.executing_eagerly():
        pytest.skip("strategies need eager execution")
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope(), pytest.raises(ValueError, match="scope"):
        line_model()
