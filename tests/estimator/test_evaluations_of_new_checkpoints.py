"""Evaluations in `train_and_evaluate`: of what training has just saved, in graphs like TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from checkpoint_helpers import data_file, flip_a_bit
from estimator_models import batches, endless_batches, linear_model_fn
from keras_legacy_train import _tensorflow, estimator
from keras_legacy_train.estimator import EvalSpec, TrainSpec, experimental, train_and_evaluate

tf1 = tf.compat.v1


class Listener(tf1.train.CheckpointSaverListener):
    """Calls a function with the step of each checkpoint, before it is evaluated."""

    def __init__(self, function: Callable[[int], object]):
        self._function = function

    def after_save(self, session: Any, global_step_value: int) -> None:
        self._function(global_step_value)


def evaluated(
    directory: Path, model_fn: Any = linear_model_fn, then: Callable[[int], object] = lambda step: None
) -> dict[int, dict[str, Any]]:
    """Returns the metrics by step of a training with a checkpoint every five steps."""
    config = estimator.RunConfig(save_checkpoints_steps=5)
    model = estimator.Estimator(model_fn, str(directory), config, params={})
    train_spec = TrainSpec(endless_batches, max_steps=15, saving_listeners=[Listener(then)])
    train_and_evaluate(model, train_spec, EvalSpec(batches, throttle_secs=0))
    return dict(experimental.read_eval_metrics(directory / "eval"))


def test_what_was_just_saved_is_not_read_from_disk(tmp_path: Path) -> None:
    expected = evaluated(tmp_path / "sound")
    damaged = tmp_path / "damaged"
    metrics = evaluated(damaged, then=lambda step: flip_a_bit(data_file(damaged, step)))
    assert metrics == expected and len(metrics) == 3


def test_a_checkpoint_that_a_listener_writes_anew_is_read(tmp_path: Path) -> None:
    def write_zeros(step: int) -> None:
        values = {
            "weights": tf.zeros([2, 1]),
            "bias": tf.zeros([1]),
            "global_step": tf.constant(step, tf.int64),
        }
        tf.raw_ops.SaveV2(
            prefix=str(tmp_path / f"model.ckpt-{step}"),
            tensor_names=list(values),
            shape_and_slices=[""] * len(values),
            tensors=list(values.values()),
        )

    def in_eager_mode(step: int) -> None:
        with _tensorflow.eager_mode():
            write_zeros(step)

    metrics = evaluated(tmp_path, then=in_eager_mode)
    untrained = estimator.Estimator(linear_model_fn, str(tmp_path / "untrained"), params={})
    loss = untrained.evaluate(batches)["loss"]
    assert [each["loss"] for each in metrics.values()] == [pytest.approx(loss)] * 3


@pytest.mark.parametrize("parts", [(2, 2), (2, 1), (1, 2)])
def test_slices_of_variables_are_found_in_memory_or_on_disk(tmp_path: Path, parts: tuple[int, int]) -> None:
    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> estimator.EstimatorSpec:
        number = parts[0 if mode == estimator.ModeKeys.TRAIN else 1]
        partitioner = tf1.fixed_size_partitioner(number) if number > 1 else None
        with tf1.variable_scope("", partitioner=partitioner):
            shift = tf1.get_variable("shift", [2, 1], initializer=tf1.ones_initializer())
        return linear_model_fn(features["x"] + tf.reshape(shift, [1, 2]), labels, mode, params)

    metrics = evaluated(tmp_path, model_fn)
    model = estimator.Estimator(model_fn, str(tmp_path), params={})
    for step, found in metrics.items():
        again = model.evaluate(batches, checkpoint_path=str(tmp_path / f"model.ckpt-{step}"))
        assert found == pytest.approx({name: value for name, value in again.items() if name in found})


@pytest.mark.usefixtures("variable_kind")
def test_the_graph_that_functions_are_called_in_is_the_one_that_tensorflow_makes(tmp_path: Path) -> None:
    def content(graph: tf.Graph) -> tuple[Any, ...]:
        graph_def = graph.as_graph_def()
        drawn = tf1.random_uniform([], seed=None).op.get_attr("seed2")  # depends on the number of operations
        with tf1.variable_scope(tf1.get_variable_scope(), reuse=True):
            found = tf1.get_variable("global_step", [], tf.int64)
        step = tf1.train.get_global_step(graph)
        assert found is step and step.graph is graph
        collections = {key: [str(each) for each in graph.get_collection(key)] for key in keys}
        return graph_def, drawn, collections, step.shape, step.dtype, step.trainable, type(step)

    keys = [tf1.GraphKeys.GLOBAL_VARIABLES, tf1.GraphKeys.GLOBAL_STEP, tf1.GraphKeys.TRAINABLE_VARIABLES]
    found = []

    def input_fn() -> tf.data.Dataset:
        found.append(content(tf1.get_default_graph()))
        return batches()

    model = estimator.Estimator(
        linear_model_fn, str(tmp_path), estimator.RunConfig(tf_random_seed=7), params={}
    )
    for _ in range(2):
        model.evaluate(input_fn)
    with tf.Graph().as_default() as graph:
        tf1.set_random_seed(7)
        tf1.train.create_global_step(graph)
        expected = content(graph)
    assert found == [expected, expected]
