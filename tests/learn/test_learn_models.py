"""Last layers of `tf.contrib.learn.models` have the variables, predictions and losses of TensorFlow 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train.learn import models

v1 = tf.compat.v1

X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]], np.float32)
ONE_HOT = np.eye(2, dtype=np.float32)[[0, 1, 1]]
WEIGHTS, BIAS = np.array([[0.5, -1.0], [2.0, 0.25]], np.float32), np.array([0.1, -0.2], np.float32)


def results(build: Any, y: Any, **variables: Any) -> tuple[Any, Any]:
    """Returns predictions and loss, with these values of the variables; without any, as they begin."""
    with tf.Graph().as_default(), v1.Session() as session:
        predictions, loss = build(tf.constant(X), tf.constant(y))
        session.run(v1.global_variables_initializer())
        for variable in v1.trainable_variables() if variables else ():
            variable.load(variables[variable.op.name.replace("/", "_")], session)
        names = {value.tag for value in v1.Summary.FromString(session.run(v1.summary.merge_all())).value}
        scope = build.__name__.removesuffix("_zero_init")
        assert names == {f"{scope}/{scope}.{what}" for what in ("x", "y", "weights", "bias")}
        assert v1.losses.get_losses() == [loss]
        return session.run([predictions, loss])


def test_logistic_regression() -> None:
    probabilities, loss = results(
        models.logistic_regression,
        ONE_HOT,
        logistic_regression_weights=WEIGHTS,
        logistic_regression_bias=BIAS,
    )
    powers = np.exp(X @ WEIGHTS + BIAS)
    expected = powers / powers.sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)
    assert loss == pytest.approx(-np.mean(np.log((expected * ONE_HOT).sum(1))), rel=1e-5)


@pytest.mark.parametrize("columns", [None, 2])
def test_linear_regression(columns: int | None) -> None:
    y, weights, bias = (X, WEIGHTS, BIAS) if columns else (X[:, 0], WEIGHTS[:, :1], BIAS[:1])
    predictions, loss = results(
        models.linear_regression, y, linear_regression_weights=weights, linear_regression_bias=bias
    )
    expected = (X @ weights + bias).reshape(y.shape)
    np.testing.assert_allclose(predictions, expected, rtol=1e-5)
    assert loss == pytest.approx(np.mean((expected - y) ** 2), rel=1e-5)


def test_layers_may_begin_with_zeros() -> None:
    probabilities, loss = results(models.logistic_regression_zero_init, ONE_HOT)
    np.testing.assert_array_equal(probabilities, np.full([3, 2], 0.5))
    assert loss == pytest.approx(np.log(2))
    predictions, _ = results(models.linear_regression_zero_init, X[:, 0])
    np.testing.assert_array_equal(predictions, np.zeros(3))


def test_weights_of_classes_are_factors_of_the_logits() -> None:
    def halved(x: Any, y: Any) -> Any:
        with v1.name_scope(""):
            tf.constant([0.5, 0.5], name="class_weight")
        return models.logistic_regression(x, y)

    def given(x: Any, y: Any) -> Any:
        return models.logistic_regression(x, y, class_weight=tf.constant([0.5, 0.5]))

    halved.__name__ = given.__name__ = "logistic_regression"
    values = {"logistic_regression_weights": WEIGHTS, "logistic_regression_bias": BIAS}
    by_graph, by_argument = results(halved, ONE_HOT, **values), results(given, ONE_HOT, **values)
    half = {name: value / 2 for name, value in values.items()}
    expected = results(models.logistic_regression, ONE_HOT, **half)
    for got in (by_graph, by_argument):
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-6)
        assert got[1] == pytest.approx(expected[1])
