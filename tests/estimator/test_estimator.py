"""`Estimator` trains, evaluates and predicts."""

from __future__ import annotations

from typing import Any

import numpy as np

from estimator_models import LABELS, ROWS, batches, endless_batches, linear_model_fn
from keras_legacy_train.estimator import Estimator


def trained(directory: Any, steps: int) -> Estimator:
    return Estimator(linear_model_fn, directory, params={}).train(endless_batches, steps=steps)


def expected_weights(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns what gradient descent on the batches of two comes to."""
    weights, bias = np.zeros([2, 1], np.float32), np.zeros([1], np.float32)
    for step in range(steps):
        rows = slice(2 * (step % 3), 2 * (step % 3) + 2)
        error = ROWS[rows] @ weights + bias - LABELS[rows]
        weights = weights - 0.1 * ROWS[rows].T @ error
        bias = bias - 0.1 * error.sum(0)
    return weights, bias


def test_a_trained_model_has_the_weights_of_gradient_descent_and_evaluates_and_predicts_with_them(
    tmp_path: Any,
) -> None:
    model = trained(tmp_path, 7)
    weights, bias = expected_weights(7)
    np.testing.assert_allclose(model.get_variable_value("weights"), weights, rtol=1e-5)
    assert model.get_variable_names() == ["bias", "global_step", "weights"]
    assert model.latest_checkpoint() == str(tmp_path / "model.ckpt-7")

    results = model.evaluate(batches)
    outputs = ROWS @ weights + bias
    np.testing.assert_allclose(results["mae"], np.abs(outputs - LABELS).mean(), rtol=1e-5)
    assert results["global_step"] == 7

    examples = list(model.predict(batches))
    assert len(examples) == 6
    np.testing.assert_allclose([example["y"] for example in examples], outputs, rtol=1e-5)
    (batch, *_) = model.predict(batches, predict_keys=["twice"], yield_single_examples=False)
    np.testing.assert_allclose(batch["twice"], 2 * outputs[:2], rtol=1e-5)


def test_training_twice_is_training_as_long_in_one_go(tmp_path: Any) -> None:
    at_once = trained(tmp_path / "at once", 9)
    in_parts = trained(tmp_path / "in parts", 3)  # three batches: the next call begins with the first again
    in_parts.train(endless_batches, max_steps=9)
    np.testing.assert_array_equal(
        at_once.get_variable_value("weights"), in_parts.get_variable_value("weights")
    )
