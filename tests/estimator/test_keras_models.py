"""`model_to_estimator` trains Keras models as Estimators."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from estimator_models import ROWS
from keras_legacy_train import estimator, load_tf1_weights

pytestmark = pytest.mark.usefixtures("v2_behavior")


def make_model() -> keras.Model:
    """Returns a model with two inputs and outputs, batch statistics, noise and an embedding, compiled."""
    words, numbers = keras.Input([1], dtype="int32", name="words"), keras.Input([2], name="numbers")
    embedded = keras.layers.Flatten()(keras.layers.Embedding(4, 3, name="embedding")(words))
    hidden = keras.layers.Concatenate()([embedded, keras.layers.BatchNormalization(name="norm")(numbers)])
    hidden = keras.layers.Dropout(0.3, seed=1)(hidden)
    size = keras.layers.Dense(1, name="size")(hidden)
    kind = keras.layers.Dense(3, activation="softmax", name="kind")(hidden)
    model = keras.Model([words, numbers], [size, kind])
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5), name="adam"),
        ["mse", "sparse_categorical_crossentropy"],
        metrics=[["mae"], ["accuracy"]],
    )
    return model


def input_fn(repeats: int | None = 1) -> tf.data.Dataset:
    features = {"words": np.arange(6).reshape(6, 1) % 4, "numbers": ROWS}
    labels = {"size": ROWS.sum(1, keepdims=True), "kind": np.arange(6) % 3}
    return tf.data.Dataset.from_tensor_slices((features, labels)).batch(3).repeat(repeats)


@pytest.mark.slow
def test_a_model_of_many_kinds_of_layers_trains_resumes_and_gives_its_weights_back(tmp_path: Any) -> None:
    model = make_model()
    before = [value.copy() for value in model.get_weights()]
    once = estimator.model_to_estimator(model, model_dir=tmp_path / "once")
    twice = estimator.model_to_estimator(model, model_dir=tmp_path / "twice")
    once.train(lambda: input_fn(None), steps=6)
    twice.train(lambda: input_fn(None), steps=4).train(lambda: input_fn(None), steps=2)
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))
    names = once.get_variable_names()
    assert {"embedding/embeddings", "norm/moving_mean", "size/kernel", "adam/iteration"} <= set(names)
    for name in names:
        np.testing.assert_array_equal(once.get_variable_value(name), twice.get_variable_value(name), name)

    results = once.evaluate(input_fn)
    assert set(results) == {"global_step", "loss", "size_mae", "kind_accuracy"}
    load_tf1_weights(model, once.latest_checkpoint())
    expected = model.evaluate(
        [np.arange(6).reshape(6, 1) % 4, ROWS],
        [ROWS.sum(1, keepdims=True), np.arange(6) % 3],
        batch_size=3,
        verbose=0,
        return_dict=True,
    )
    for name in ("loss", "size_mae", "kind_accuracy"):
        np.testing.assert_allclose(results[name], expected[name], rtol=1e-5)
    predicted = list(once.predict(input_fn))
    np.testing.assert_allclose(
        [each["kind"] for each in predicted],
        model.predict([np.arange(6).reshape(6, 1) % 4, ROWS], verbose=0)[1],
        rtol=1e-5,
    )


def test_metrics_get_other_names_and_what_has_none_is_told(tmp_path: Any) -> None:
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1, name="out")])
    model.compile("sgd", "mse", metrics=["mae"])
    model.save(tmp_path / "model.keras")

    def rows() -> tf.data.Dataset:
        return tf.data.Dataset.from_tensors((ROWS, ROWS[:, :1]))

    def saved(**arguments: Any) -> estimator.Estimator:
        return estimator.model_to_estimator(keras_model_path=tmp_path / "model.keras", **arguments)

    results = saved(metric_names_map={"mae": "error"}).evaluate(rows)
    np.testing.assert_allclose(results["error"], np.abs(model(ROWS) - ROWS[:, :1]).mean(), rtol=1e-5)
    with pytest.raises(ValueError, match=r"Invalid `metric_names_map`.*\['mae'\].*\['mse'\]"):
        saved(metric_names_map={"mse": "error"}).evaluate(rows)
    with pytest.raises(KeyError, match=r"export_outputs.*\['in'\].*\['out'\]"):
        saved(export_outputs={"in": estimator.export.RegressionOutput}).evaluate(rows)


def test_bad_arguments(tmp_path: Any) -> None:
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    for arguments, message in (
        ({}, "Either `keras_model` or `keras_model_path`"),
        ({"keras_model": model, "keras_model_path": "model.keras"}, "but not both"),
        ({"keras_model": model}, "has not been compiled yet"),
        ({"keras_model": model, "checkpoint_format": "checkpoint"}, "load_tf1_weights"),
        ({"keras_model": model, "checkpoint_format": "h5"}, "Checkpoint format must be"),
    ):
        with pytest.raises(ValueError, match=message):
            estimator.model_to_estimator(model_dir=tmp_path, **arguments)
    with pytest.raises(TypeError, match=r"keras\.Model"):
        estimator.model_to_estimator(1)
    assert list(tmp_path.iterdir()) == []
