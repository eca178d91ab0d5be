"""`Estimator` trains, evaluates and predicts."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.dataset_options_pb2 import Options as DatasetOptions

from estimator_models import LABELS, ROWS, batches, endless_batches, linear_model_fn
from keras_legacy_train.estimator import (
    Estimator,
    EstimatorSpec,
    EvalSpec,
    RunConfig,
    TrainSpec,
    train_and_evaluate,
)


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


def test_predictions_of_many_batches_are_those_of_single_ones_also_where_shapes_change(
    tmp_path: Any,
) -> None:
    model = trained(tmp_path, 3)
    weights, bias = expected_weights(3)
    rows = np.random.default_rng(0).random([8001, 2], np.float32)

    def pairs() -> tf.data.Dataset:  # the last one is alone
        return tf.data.Dataset.from_tensor_slices({"x": rows}).batch(2)

    outputs = [example["y"] for example in model.predict(pairs)]
    np.testing.assert_allclose(outputs, rows @ weights + bias, rtol=1e-4)


def test_input_that_waits_for_what_becomes_of_a_prediction_is_not_read_ahead(tmp_path: Any) -> None:
    model = trained(tmp_path, 3)
    coming: queue.Queue[np.ndarray] = queue.Queue()

    def rows() -> Iterator[dict[str, np.ndarray]]:
        for _ in range(600):
            yield {"x": coming.get(timeout=60)}

    def generated() -> tf.data.Dataset:
        signature = {"x": tf.TensorSpec([1, 2], tf.float32)}
        return tf.data.Dataset.from_generator(rows, output_signature=signature)

    coming.put(ROWS[:1])
    number = 0
    for number, example in enumerate(model.predict(generated)):  # noqa: B007
        coming.put(ROWS[:1] + example["y"])
    assert number == 599


@pytest.mark.slow
def test_an_evaluation_that_is_built_once_gives_what_a_new_one_gives(tmp_path: Any, log: Any) -> None:
    model = trained(tmp_path, 3)
    first = model.evaluate(batches)
    model.train(endless_batches, max_steps=6)
    second, third = model.evaluate(batches), model.evaluate(batches, steps=1)
    fresh = Estimator(linear_model_fn, tmp_path, params={})
    assert second == fresh.evaluate(batches) != first
    assert third == Estimator(linear_model_fn, tmp_path, params={}).evaluate(batches, steps=1) != second
    log.clear()
    other = model.evaluate(lambda: batches(batch_size=3), steps=4)  # not the same graph, and two batches
    np.testing.assert_allclose(other["mae"], second["mae"], rtol=1e-5)
    lines = [record.getMessage() for record in log.records]
    assert [line for line in lines if "Evaluation [" in line] == ["Evaluation [1/4]", "Evaluation [2/4]"]


def test_a_model_with_random_initial_values_is_built_once_for_all_evaluations_of_a_training(
    tmp_path: Any,
) -> None:
    modes: list[str] = []

    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        modes.append(mode)
        weights = tf.compat.v1.get_variable("weights", [2, 1])
        loss = tf.reduce_mean(tf.square(features["x"] @ weights - labels))
        step = tf.compat.v1.train.get_global_step()
        train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
        return EstimatorSpec(mode, loss=loss, train_op=train_op)

    model = Estimator(model_fn, tmp_path, RunConfig(save_checkpoints_steps=2))
    train_and_evaluate(
        model, TrainSpec(endless_batches, max_steps=8), EvalSpec(batches, steps=None, throttle_secs=0)
    )
    assert modes == ["train", "eval"]


def test_random_numbers_of_an_evaluation_begin_anew_each_time(tmp_path: Any) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        spec = linear_model_fn(features, labels, mode, {})
        drawn = tf.compat.v1.metrics.mean(tf.random.uniform([], seed=5))
        return spec._replace(eval_metric_ops={"drawn": drawn}) if mode == "eval" else spec

    model = Estimator(model_fn, tmp_path, RunConfig(tf_random_seed=1))
    model.train(endless_batches, steps=3)
    assert model.evaluate(batches)["drawn"] == model.evaluate(batches)["drawn"] != 0


@pytest.mark.parametrize("asked", [None, True, False])
def test_tensorflow_tunes_the_dataset_of_an_evaluation_if_its_options_ask_for_that(
    asked: bool | None, tmp_path: Any
) -> None:
    tuned: dict[str, bool] = {}

    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> EstimatorSpec:
        tuned[mode] = True
        for op in tf.compat.v1.get_default_graph().get_operations():
            if op.type == "OptionsDataset":
                options = DatasetOptions.FromString(op.get_attr("serialized_options"))
                is_asked = options.autotune_options.WhichOneof("optional_enabled") is not None
                tuned[mode] &= options.autotune_options.enabled or not is_asked
        return linear_model_fn(features, labels, mode, params)

    def input_fn() -> tf.data.Dataset:
        options = tf.data.Options()
        if asked is not None:
            options.autotune.enabled = asked
        return batches().with_options(options)

    model = Estimator(model_fn, tmp_path, params={}).train(input_fn, steps=1)
    model.evaluate(input_fn)
    assert len(list(model.predict(input_fn))) == 6
    assert tuned == {"train": asked is not False, "eval": asked is True, "infer": asked is True}
