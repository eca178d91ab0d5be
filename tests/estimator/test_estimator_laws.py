"""Laws of Estimators, whatever the numbers."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator_models import LABELS, ROWS, linear_model_fn
from keras_legacy_train import infer
from keras_legacy_train.estimator import Estimator, EstimatorSpec, RunConfig


def rows_in_batches(batch_size: int) -> Any:
    return lambda: tf.data.Dataset.from_tensor_slices(({"x": ROWS}, LABELS)).batch(batch_size)


def all_rows() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors(({"x": ROWS}, LABELS)).repeat()


@settings(max_examples=3)
@given(first=st.integers(1, 9), second=st.integers(1, 9), save_steps=st.integers(1, 5))
def test_training_a_and_then_b_steps_is_training_a_and_b_steps(
    first: int, second: int, save_steps: int
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        config = RunConfig(save_checkpoints_steps=save_steps)
        in_parts = Estimator(linear_model_fn, one, config, {})
        in_parts.train(all_rows, steps=first).train(all_rows, steps=second)
        at_once = Estimator(linear_model_fn, two, config, {}).train(all_rows, max_steps=first + second)
        for name in at_once.get_variable_names():
            np.testing.assert_array_equal(
                in_parts.get_variable_value(name), at_once.get_variable_value(name), name
            )


@settings(max_examples=3)
@given(batch_size=st.integers(1, 7), steps=st.integers(1, 4))
def test_predictions_are_what_inference_in_batches_gives_and_results_are_those_of_the_batches(
    batch_size: int, steps: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        model = Estimator(linear_model_fn, directory, params={}).train(all_rows, steps=3)
        examples = [example["y"] for example in model.predict(rows_in_batches(batch_size))]
        with tf.Graph().as_default():
            x = tf.compat.v1.placeholder(tf.float32, [None, 2])
            outputs = linear_model_fn(x, None, "infer", None).predictions["y"]
            expected = infer(directory, {"y": outputs}, {x: ROWS})["y"]
        np.testing.assert_allclose(examples, expected, rtol=1e-5, atol=1e-7)

        results = model.evaluate(rows_in_batches(batch_size), steps=steps)
        seen = slice(0, min(batch_size * steps, len(ROWS)))
        mistakes = np.abs(expected[seen] - LABELS[seen])
        np.testing.assert_allclose(results["mae"], mistakes.mean(), rtol=1e-5, atol=1e-7)
        parts = [mistakes[place : place + batch_size] for place in range(0, len(mistakes), batch_size)]
        losses = [np.square(part).mean() for part in parts]
        np.testing.assert_allclose(results["loss"], np.mean(losses), rtol=1e-5, atol=1e-7)


@settings(max_examples=5)
@given(
    stride=st.integers(1, 4),
    save_steps=st.integers(1, 9),
    target=st.integers(1, 40),
    listens=st.booleans(),
    is_watched=st.booleans(),
)
def test_checkpoints_are_saved_at_the_steps_at_which_a_hook_of_tensorflow_would_save_them(
    stride: int, save_steps: int, target: int, listens: bool, is_watched: bool
) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        runs = tf.compat.v1.get_variable("runs", [], tf.int64, tf.compat.v1.zeros_initializer())
        step = tf.compat.v1.train.get_global_step()
        train_op = tf.group(runs.assign_add(1), tf.compat.v1.assign_add(step, stride))
        return EstimatorSpec(mode, loss=tf.zeros([]), train_op=train_op)

    with tempfile.TemporaryDirectory() as directory:
        config = RunConfig(save_checkpoints_steps=save_steps, keep_checkpoint_max=None)
        listeners = [tf.compat.v1.train.CheckpointSaverListener()] if listens else []
        hook = tf.compat.v1.train.LoggingTensorHook({"step": "global_step"}, every_n_iter=3)
        hooks = [hook] if is_watched else []
        Estimator(model_fn, directory, config).train(
            all_rows, hooks, max_steps=target, saving_listeners=listeners
        )
        paths = tf.train.get_checkpoint_state(directory).all_model_checkpoint_paths
        runs = {int(path.rpartition("-")[2]): int(tf.train.load_variable(path, "runs")) for path in paths}

    expected, last = [0], 0
    for step in range(stride, target + stride, stride):
        if step - last >= save_steps or step >= target:
            expected.append(step)
            last = step
    assert runs == {step: step // stride for step in expected}
