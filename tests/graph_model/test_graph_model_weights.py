"""The weights of a `GraphModel` are the graph's variables: in memory, in Keras's files, in checkpoints."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import graphs
from graph_model_helpers import X, Y, line, line_model, predictions, trained, weights
from helpers import assert_values_equal, checkpoint_values
from keras_legacy_train import CheckpointMismatchError, _tensorflow, train
from keras_legacy_train.graph_model import GraphModel

v1 = tf.compat.v1


class TestWeights:
    def test_names_kinds_and_counts(self) -> None:
        model = line_model()
        assert [weight.name for weight in model.trainable_weights] == ["dense.kernel", "dense.bias"]
        assert {weight.name for weight in model.non_trainable_weights} == {
            "rate",
            "global_step",
            "beta1_power",
            "beta2_power",
            *(f"dense.{name}.{slot}" for name in ("kernel", "bias") for slot in ("Adam", "Adam_1")),
        }
        assert model.count_params() == 3 * 9 + 4

    def test_are_the_variables(self) -> None:
        model = line_model()
        model.set_weights([np.full_like(value, 3) for value in model.get_weights()])
        assert model.session.run("global_step:0") == 3
        with model.session.as_default():
            v1.global_variables()[0].load(np.ones([8, 1]), model.session)
        assert weights(model)["dense.kernel"].tolist() == [[1]] * 8

    def test_summary(self) -> None:
        lines: list[str] = []
        line_model().summary(print_fn=lines.append)
        text = "\n".join(lines)
        assert re.search(r"dense \(VariableScope\) .* 27 ", text)
        assert re.search(r"Trainable params: 9 ", text)
        assert [layer.name for layer in line_model(name="line").layers] == ["dense", "line"]

    def test_files(self, tmp_path: Path) -> None:
        path = str(tmp_path / "line.weights.h5")
        model = trained()
        model.save_weights(path)
        other = line_model()
        other.load_weights(path)
        assert_values_equal(weights(other), weights(model))
        for each in (model, other):
            each.fit(X, Y, batch_size=16, shuffle=False, verbose=0)
        assert_values_equal(weights(other), weights(model))

    def test_a_part_of_a_file(self, tmp_path: Path) -> None:
        path = str(tmp_path / "line.weights.h5")
        trained().save_weights(path)
        with tf.Graph().as_default() as graph, v1.variable_scope("dense"):
            v1.get_variable("bias", [1])
        model = GraphModel(graph)
        model.load_weights(path)
        assert_values_equal(weights(model), {"dense.bias": weights(trained())["dense.bias"]})

    def test_a_file_that_does_not_fit(self, tmp_path: Path) -> None:
        path = str(tmp_path / "line.weights.h5")
        trained().save_weights(path)
        with tf.Graph().as_default() as graph:
            v1.get_variable("dense/bias", [2], initializer=v1.ones_initializer())
            v1.get_variable("dense/scale", [], initializer=v1.ones_initializer())
        model = GraphModel(graph)
        with pytest.raises(ValueError) as caught:
            model.load_weights(path)
        assert "dense.bias has shape (1,), not (2,)" in str(caught.value)
        assert "dense.scale is missing" in str(caught.value)
        assert_values_equal(weights(model), {"dense.bias": np.ones(2), "dense.scale": np.ones([])})

    def test_dtypes(self, tmp_path: Path) -> None:
        with tf.Graph().as_default() as graph:
            for dtype in ("float16", "bfloat16", "float64", "uint8", "int64", "bool", "string"):
                v1.get_variable(f"a_{dtype}", initializer=tf.cast(1, dtype) if dtype != "string" else "text")
        model = GraphModel(graph)
        kept = ["a_float16", "a_bfloat16", "a_float64", "a_uint8", "a_int64", "a_bool"]
        assert [weight.name for weight in model.weights] == kept
        path = str(tmp_path / "all.weights.h5")
        model.save_weights(path)
        model.set_weights([np.zeros_like(value) for value in model.get_weights()])
        model.load_weights(path)
        assert [float(value) for value in model.get_weights()] == [1] * 6

    def test_checkpoints_of_objects(self, tmp_path: Path) -> None:
        model, other = trained(), line_model()
        with _tensorflow.eager_mode():
            path = tf.train.Checkpoint(model=model).write(str(tmp_path / "model"))
            tf.train.Checkpoint(model=other).read(path).assert_consumed()
        assert_values_equal(weights(other), weights(model))

    def test_partitioned_variables(self) -> None:
        model = GraphModel(graphs.build("sparse_embedding").graph)
        parts = [weight for weight in model.trainable_weights if weight.name.startswith("table.part_")]
        assert [tuple(part.shape) for part in parts] == [(7, 4), (7, 4), (6, 4)]

    def test_a_graph_is_no_keras_file(self, tmp_path: Path) -> None:
        path = tmp_path / "line.keras"
        with pytest.raises(NotImplementedError, match="save_weights_only=True"):
            line_model().save(path)
        assert not path.exists()
        with pytest.raises(NotImplementedError, match="save_weights_only=True"):
            keras.saving.save_model(line_model(), path)


class TestCheckpoints:
    def checkpoint(self, directory: Path) -> Path:
        """Trained two epochs by `fit`, saved by a `Saver`."""
        model = trained()
        with model.session.graph.as_default():
            return Path(v1.train.Saver().save(model.session, str(directory / "model.ckpt"), global_step=8))

    @pytest.mark.parametrize("what", ["file", "directory"])
    def test_restores(self, what: str, tmp_path: Path) -> None:
        path = self.checkpoint(tmp_path)
        model = line_model(checkpoint=path if what == "file" else path.parent)
        assert_values_equal(weights(model), weights(trained()))

    def test_a_directory_of_train(self, tmp_path: Path) -> None:
        job = graphs.build("linear_adam")
        train(job.graph, tmp_path, job.train_op, job.loss, max_steps=5)
        model = GraphModel(job.graph, train_op=job.train_op, loss=job.loss, checkpoint=tmp_path)
        assert_values_equal(
            {name.replace(".", "/"): value for name, value in weights(model).items()},
            {name: value for name, value in checkpoint_values(tmp_path).items() if "random" not in name},
        )
        model.fit(steps_per_epoch=3, verbose=0)
        assert model.session.run("global_step:0") == 8

    def test_a_meta_file(self, tmp_path: Path) -> None:
        path = self.checkpoint(tmp_path)
        model = GraphModel(f"{path}.meta", "x", "prediction", checkpoint=path)
        np.testing.assert_allclose(model.predict(X, verbose=0), predictions(trained()), rtol=1e-4)

    def test_one_that_does_not_fit(self, tmp_path: Path) -> None:
        path = self.checkpoint(tmp_path)
        with tf.Graph().as_default() as graph:
            v1.get_variable("dense/offset", [1])
        with pytest.raises(CheckpointMismatchError, match="dense/offset"):
            GraphModel(graph, checkpoint=path)

    def test_none_there(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="no checkpoint in the directory"):
            line_model(checkpoint=tmp_path)


def test_a_learning_rate_that_is_no_weight() -> None:
    graph = line()
    with graph.as_default():
        v1.get_variable("local_rate", initializer=0.5, collections=[v1.GraphKeys.LOCAL_VARIABLES])
    options = {"train_op": "train", "loss": "loss", "learning_rate": "local_rate"}
    model = GraphModel(graph, "x", "prediction", targets="y", **options)
    with _tensorflow.eager_mode():
        assert float(model.optimizer.learning_rate) == 0.5
        model.optimizer.learning_rate = 0.25
    assert model.session.run("local_rate:0") == 0.25
    assert "local_rate" not in weights(model)


def test_variables_of_dtypes_that_keras_has_not_are_no_weights() -> None:
    graph = line()
    with graph.as_default():
        small = tf.quantization.quantize([1.0, 2.0], 0.0, 2.0, tf.quint8).output
        v1.get_variable("small", initializer=small, trainable=False)
    model = GraphModel(graph, "x", "prediction", targets="y", train_op="train", loss="loss")
    assert "small" not in weights(model) and "dense.kernel" in weights(model)
