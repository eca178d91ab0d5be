"""`TPUEstimator` runs on a CPU or GPU, as it did with `use_tpu=False`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from estimator_models import LABELS, ROWS, batches, tf1
from helpers import read_events
from keras_legacy_train import estimator
from keras_legacy_train.estimator import ModeKeys, tpu


def input_fn(params: Any) -> tf.data.Dataset:
    return batches(None, params["batch_size"])


def model_fn(features: Any, labels: Any, mode: str, params: Any) -> tpu.TPUEstimatorSpec:
    weights = tf1.get_variable("weights", [2, 1], initializer=tf1.zeros_initializer())
    outputs = tf.matmul(features["x"], weights)
    loss = tf.reduce_mean(tf.square(outputs - labels))
    optimizer = tpu.CrossShardOptimizer(tf1.train.GradientDescentOptimizer(0.1))
    train_op = optimizer.minimize(loss, tf1.train.get_global_step()) if mode == ModeKeys.TRAIN else None

    def host_call(step: Any, value: Any) -> Any:
        with tf.summary.create_file_writer(params["directory"]).as_default(step=step[0]):
            tf.summary.scalar("host/loss", value[0])
            return tf1.summary.all_v2_summary_ops()

    step = tf.reshape(tf1.train.get_global_step(), [1])
    return tpu.TPUEstimatorSpec(
        mode,
        loss=loss,
        train_op=train_op,
        eval_metrics=(
            lambda y, out: {"mae": tf1.metrics.mean_absolute_error(y, out)},
            {"y": labels, "out": outputs},
        ),
        host_call=(host_call, [step, tf.reshape(loss, [1])]),
    )


def tpu_estimator(directory: Any, **arguments: Any) -> tpu.TPUEstimator:
    defaults = {
        "model_fn": model_fn,
        "config": tpu.RunConfig(model_dir=str(directory), log_step_count_steps=2),
        "use_tpu": False,
        "params": {"directory": str(directory / "host")},
        "train_batch_size": 2,
        "eval_batch_size": 3,
    }
    return tpu.TPUEstimator(**{**defaults, **arguments})


def steps_of(tag: str, directory: Any) -> list[int]:
    """Returns the steps of the events in a directory that have a tag."""
    return [event.step for event in read_events(directory) if any(v.tag == tag for v in event.summary.value)]


def test_host_calls_run_at_each_step_and_metrics_come_from_their_function(tmp_path: Any) -> None:
    model = tpu_estimator(tmp_path)
    model.train(input_fn, steps=6)
    assert len(steps_of("host/loss", tmp_path / "host")) == 6
    assert steps_of("examples/sec", tmp_path)
    results = model.evaluate(input_fn, steps=2)
    outputs = ROWS @ model.get_variable_value("weights")
    np.testing.assert_allclose(results["mae"], np.abs(outputs - LABELS).mean(), rtol=1e-5)
    assert len(steps_of("host/loss", tmp_path / "host")) == 8


def test_what_needs_a_tpu_is_refused_with_the_way_out(tmp_path: Any) -> None:
    for arguments in ({"use_tpu": True}, {"embedding_config_spec": object()}, {"export_to_cpu": False}):
        with pytest.raises(ValueError, match=rf"{next(iter(arguments))}.*TPUStrategy"):
            tpu_estimator(tmp_path, **arguments)
    with pytest.raises(ValueError, match=r"master: TPUs are not supported.*use_tpu=False"):
        tpu.RunConfig(master="grpc://10.0.0.2:8470")
    with pytest.raises(ValueError, match="`config` must be provided"):
        tpu_estimator(tmp_path, config=estimator.RunConfig())
    with pytest.raises(ValueError, match="are reserved keys"):
        tpu_estimator(tmp_path, params={"batch_size": 3})
    assert list(tmp_path.iterdir()) == []


def test_functions_that_do_not_take_params_are_refused(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match=r"input_fn .* does not include params argument"):
        tpu_estimator(tmp_path).train(lambda: batches(), steps=1)
    with pytest.raises(ValueError, match=r"model_fn .* does not include params argument"):
        tpu_estimator(tmp_path, model_fn=lambda features, labels, mode: None, params=None).train(
            input_fn, steps=1
        )


def test_a_config_is_checked_and_replaced() -> None:
    config = tpu.RunConfig(tpu_config=tpu.TPUConfig(iterations_per_loop="60s"), tf_random_seed=3)
    assert config.tpu_config.per_host_input_for_training == tpu.InputPipelineConfig.PER_HOST_V1
    changed = config.replace(tpu_config=tpu.TPUConfig(4), save_summary_steps=7)
    assert (changed.tpu_config.iterations_per_loop, changed.save_summary_steps, changed.tf_random_seed) == (
        4,
        7,
        3,
    )
    for arguments, message in (
        ({"iterations_per_loop": 0}, "Invalid TPUConfig `iterations_per_loop`"),
        ({"num_cores_per_replica": 3}, "num_cores_per_replica must be 1, 2, 4"),
        ({"num_shards": 0}, "num_shards must be positive"),
        ({"input_partition_dims": [[1]]}, "only supported in PER_HOST_V2"),
        ({"eval_training_input_configuration": 4}, "must be PER_HOST_V1 or SLICED"),
    ):
        with pytest.raises(ValueError, match=message):
            tpu.TPUConfig(**arguments)


def test_a_spec_is_checked() -> None:
    for call, error, message in (
        (1, ValueError, "should be tuple or list"),
        ((len,), ValueError, "two elements"),
        ((1, []), TypeError, "should be callable"),
        ((len, 1), ValueError, "tuple or list, or dict"),
        ((lambda a, b: None, [1]), RuntimeError, "length of tensors 1 does not match"),
    ):
        for name in ("eval_metrics", "host_call"):
            with pytest.raises(error, match=rf"{name}.*{message}"):
                tpu.TPUEstimatorSpec(ModeKeys.EVAL, **{name: call})
