"""Bad input to an Estimator is an error that names it, before a file is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from estimator_models import LABELS, ROWS, batches, endless_batches, linear_model_fn
from helpers import read_events
from keras_legacy_train.errors import CheckpointMismatchError
from keras_legacy_train.estimator import (
    CheckpointSaverListener,
    Estimator,
    EstimatorSpec,
    ModeKeys,
    RunConfig,
    WarmStartSettings,
    experimental,
    tpu,
)
from keras_legacy_train.summaries import get_summary_writer

tf1 = tf.compat.v1


def spec_of(**fields: Any) -> Callable[..., EstimatorSpec]:
    """Returns a model function whose spec has some fields only: each made by a function in the graph."""

    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        return EstimatorSpec(mode, **{name: make() for name, make in fields.items()})

    return model_fn


def loss() -> Any:
    return tf.reduce_mean(tf1.get_variable("w", [3]))


def step() -> Any:
    return tf1.assign_add(tf1.train.get_global_step(), 1)


@pytest.mark.parametrize(
    ("model_fn", "error", "message"),
    [
        (spec_of(train_op=step), ValueError, "Missing loss."),
        (spec_of(loss=loss), ValueError, "Missing train_op."),
        (spec_of(loss=lambda: 1.0, train_op=step), TypeError, "loss must be Tensor, given: 1.0"),
        (spec_of(loss=lambda: tf.zeros([2]), train_op=step), ValueError, "Loss must be scalar"),
        (spec_of(loss=loss, train_op=lambda: "step"), TypeError, "train_op must be Operation or Tensor"),
        (spec_of(loss=loss, train_op=step, predictions=lambda: [1]), TypeError, "predictions must be Tensor"),
        (
            spec_of(loss=loss, train_op=step, predictions=lambda: {"a": 1}),
            TypeError,
            r"predictions\[a\] must be Tensor",
        ),
        (spec_of(loss=loss, train_op=step, eval_metric_ops=lambda: [1]), TypeError, "must be a dict"),
        (
            spec_of(loss=loss, train_op=step, eval_metric_ops=lambda: {"a": 1}),
            TypeError,
            r"must be \(metric_value, update_op\) tuples, given: 1 for key: a",
        ),
        (
            spec_of(loss=loss, train_op=step, training_hooks=lambda: [1]),
            TypeError,
            "All hooks must be SessionRunHook instances, given: 1",
        ),
        (spec_of(loss=loss, train_op=step, scaffold=lambda: 1), TypeError, "scaffold must be tf.train.Sc"),
        (
            spec_of(
                loss=loss, train_op=step, scaffold=lambda: tf1.train.Scaffold(saver=tf.train.Checkpoint())
            ),
            NotImplementedError,
            "a tf.train.Checkpoint as saver is not supported",
        ),
        (lambda features, labels, mode: None, ValueError, "model_fn should return an EstimatorSpec"),
        (lambda features: None, ValueError, "model_fn does not take labels, but input_fn returns labels"),
    ],
)
def test_a_spec_that_cannot_be_right_is_an_error(
    model_fn: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        Estimator(model_fn, tmp_path / "model").train(endless_batches, steps=1)
    assert not (tmp_path / "model").exists()


def test_a_tensor_of_another_graph_is_an_error() -> None:
    with tf.Graph().as_default():
        elsewhere = tf.constant(1.0)
    with tf.Graph().as_default(), pytest.raises(ValueError, match="must be from the default graph"):
        EstimatorSpec(ModeKeys.EVAL, loss=elsewhere)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model_fn": None}, "model_fn must be provided to Estimator."),
        ({"model_fn": lambda labels: None}, "must include features argument"),
        ({"model_fn": lambda features, label: None}, "has following not expected args: .'label'."),
        ({"model_fn": lambda features: None, "params": {}}, "does not include params argument"),
        ({"config": {}}, "config must be an instance of `RunConfig`"),
        ({"config": RunConfig("there")}, "`model_dir` are set both in constructor and `RunConfig`"),
        ({"config": RunConfig("there"), "model_dir": ""}, "In constructor: '', in `RunConfig`: 'there'"),
        ({"warm_start_from": 3}, "warm_start_from must be a string or a WarmStartSettings"),
    ],
)
def test_an_argument_that_cannot_be_right_is_an_error(arguments: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        Estimator(**{"model_fn": linear_model_fn, "model_dir": tmp_path / "here", **arguments})
    assert not (tmp_path / "here").exists()


def rows(count: int) -> tf.data.Dataset:
    """Returns a dataset of rows, whose number is known."""
    return tf.data.Dataset.from_tensor_slices(({"x": tf.zeros([count, 2])}, tf.zeros([count, 1])))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"steps": 1, "max_steps": 1}, ValueError, "Can not provide both steps and max_steps."),
        ({"steps": 0}, ValueError, "Must specify steps > 0, given: 0"),
        ({"max_steps": -1}, ValueError, "Must specify max_steps > 0, given: -1"),
        ({"steps": 1.5}, ValueError, "steps must be a whole number"),
        ({"hooks": [1]}, TypeError, "Hooks must be a SessionRunHook, given: 1"),
        ({"saving_listeners": [1]}, TypeError, "must be a list of CheckpointSaverListener, given: 1"),
        ({"input_fn": 3}, ValueError, "input_fn must be a function"),
        ({"input_fn": lambda: (1, 2, 3)}, ValueError, "as a len 2 tuple"),
        ({"input_fn": lambda: batches().take(0)}, ValueError, "input_fn has returned a dataset without"),
        ({"input_fn": lambda: batches().repeat(0)}, ValueError, "input_fn has returned a dataset without"),
        ({"input_fn": lambda: rows(0).repeat().batch(2)}, ValueError, "returned a dataset without"),
        ({"input_fn": lambda: rows(3).batch(4, True)}, ValueError, "returned a dataset without"),
    ],
)
def test_a_training_that_cannot_be_right_is_an_error(
    arguments: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    model = Estimator(linear_model_fn, tmp_path / "model", params={})
    with pytest.raises(error, match=message):
        model.train(**{"input_fn": endless_batches, **arguments})
    assert not (tmp_path / "model").exists()


def filtered() -> tf.data.Dataset:
    """Returns a dataset of an unknown number of batches: none."""
    return batches().filter(lambda features, labels: tf.reduce_sum(labels) > 1e6)


def generated() -> tf.data.Dataset:
    """Returns a dataset that Python makes: of no batch."""
    return tf.data.Dataset.from_generator(lambda: iter(()), output_signature=batches().element_spec)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(each): each.read_bytes() for each in directory.rglob("*") if each.is_file()}


@pytest.mark.parametrize("input_fn", [filtered, generated])
def test_an_input_without_a_batch_leaves_nothing_of_a_new_training(
    input_fn: Callable[[], tf.data.Dataset], tmp_path: Path
) -> None:
    seen: list[str] = []

    class Listener(CheckpointSaverListener):
        def after_save(self, session: Any, global_step_value: int) -> None:
            seen.extend(path.name for path in (tmp_path / "model").glob("*.index"))

    model = Estimator(linear_model_fn, tmp_path / "model", params={})
    with pytest.raises(ValueError, match="input_fn has yielded no batch"):
        model.train(input_fn, saving_listeners=[Listener()])
    assert seen == ["model.ckpt-0.index"]  # a listener finds the first checkpoint as it always has
    with pytest.raises(ValueError, match="input_fn has yielded no batch"):
        model.train(filtered, max_steps=1, save_input_state=True)
    assert not (tmp_path / "model").exists()


def test_an_input_without_a_batch_leaves_what_others_have_written(tmp_path: Path) -> None:
    others = {"graph.pbtxt": "mine", "notes.txt": "n", "events.out.tfevents.1.host": "e", "eval/x": "y"}
    for name, text in others.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = contents(tmp_path)
    model = Estimator(linear_model_fn, tmp_path, params={})
    with pytest.raises(ValueError, match="input_fn has yielded no batch"):
        model.train(filtered)
    assert contents(tmp_path) == before

    model.train(batches)  # which finds nothing of that training
    assert model.get_variable_value("global_step") == 3
    steps = [event.step for event in read_events(tmp_path) if event.HasField("session_log")]
    assert steps == [0, 0, 3]
    with pytest.raises(ValueError, match="input_fn has yielded no batch"):
        model.train(filtered)
    assert model.train(filtered, save_input_state=True) is model  # it stands at the end of its input
    assert contents(tmp_path).keys() > before.keys() | {str(tmp_path / "model.ckpt-0.index")}
    assert model.get_variable_value("global_step") == 3


def test_an_event_file_with_what_others_have_written_stays(tmp_path: Path) -> None:
    class Writes(tf1.train.SessionRunHook):
        def after_create_session(self, session: Any, coord: Any) -> None:
            get_summary_writer(tmp_path).add_scalar("mine", 1.0)

    with pytest.raises(ValueError, match="input_fn has yielded no batch"):
        Estimator(linear_model_fn, tmp_path, params={}).train(filtered, hooks=[Writes()])
    assert [path.name.split(".")[0] for path in tmp_path.iterdir()] == ["events"]


def test_listeners_without_checkpoints_are_an_error(tmp_path: Path) -> None:
    config = RunConfig(str(tmp_path / "model"), save_checkpoints_steps=None, save_checkpoints_secs=None)
    model = Estimator(linear_model_fn, config=config, params={})
    with pytest.raises(ValueError, match="There should be a CheckpointSaverHook to use saving_listeners"):
        model.train(endless_batches, steps=1, saving_listeners=[CheckpointSaverListener()])
    assert not (tmp_path / "model").exists()
    model.train(endless_batches, steps=1)
    assert model.latest_checkpoint() is None


def test_what_is_asked_of_an_untrained_model_is_an_error(tmp_path: Path) -> None:
    model = Estimator(linear_model_fn, tmp_path / "model", params={})
    with pytest.raises(ValueError, match="Could not find trained model in model_dir"):
        model.get_variable_names()
    with pytest.raises(ValueError, match="checkpoint_path"):
        model.evaluate(batches, checkpoint_path=tmp_path / "none")
    assert model.evaluate(batches)["global_step"] == 0  # first values


def test_evaluation_and_prediction_name_what_is_wrong(tmp_path: Path) -> None:
    model = Estimator(linear_model_fn, tmp_path, params={}).train(endless_batches, steps=1)
    with pytest.raises(ValueError, match="Must specify steps > 0, given: 0"):
        model.evaluate(batches, steps=0)
    with pytest.raises(ValueError, match="input_fn has yielded no batch"):
        model.evaluate(lambda: batches().take(0))
    with pytest.raises(ValueError, match=r"Expected to run at least one output from .*'y'.*, provided .'z'"):
        next(model.predict(batches, predict_keys=["z"]))
    assert list(model.predict(lambda: batches().take(0))) == []
    assert not (tmp_path / "eval").exists()

    def changed(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        weights = tf1.get_variable("weights", [3, 1])
        return EstimatorSpec(mode, loss=tf.reduce_sum(weights), train_op=step())

    for use in (Estimator(changed, tmp_path).evaluate, Estimator(changed, tmp_path).train):
        with pytest.raises(CheckpointMismatchError, match="weights"):
            use(batches)


def test_predictions_of_several_lengths_are_only_yielded_as_batches(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        return EstimatorSpec(mode, {"rows": features, "mean": tf.reduce_mean(features)})

    def input_fn() -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(ROWS).batch(2)

    model = Estimator(model_fn, tmp_path)
    with pytest.raises(ValueError, match="mean has different batch length than others"):
        next(model.predict(input_fn))
    outputs = list(model.predict(input_fn, yield_single_examples=False))
    np.testing.assert_allclose([each["mean"] for each in outputs], ROWS.reshape(3, -1).mean(1), rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model_dir": ""}, "model_dir should be non-empty"),
        ({"save_checkpoints_steps": 1, "save_checkpoints_secs": 1}, "cannot be both set"),
        ({"save_summary_steps": -1}, "save_summary_steps should be >= 0"),
        ({"keep_checkpoint_max": -1}, "keep_checkpoint_max should be >= 0"),
        ({"keep_checkpoint_every_n_hours": 0}, "keep_checkpoint_every_n_hours should be > 0"),
        ({"log_step_count_steps": 0}, "log_step_count_steps should be > 0"),
        ({"tf_random_seed": 1.0}, "tf_random_seed must be integer"),
        ({"session_config": {}}, "session_config must be instance of ConfigProto"),
        ({"device_fn": lambda x: ""}, 'device_fn must be callable with exactly one argument "op"'),
        ({"protocol": "http"}, "protocol should be grpc or grpc.verbs"),
        ({"session_creation_timeout_secs": 0}, "session_creation_timeout_secs should be > 0"),
    ],
)
def test_a_configuration_that_cannot_be_right_is_an_error(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RunConfig(**arguments)
    with pytest.raises(ValueError, match=message):
        RunConfig("here").replace(**arguments)


def test_strategies_are_refused_by_name() -> None:
    for name in ("train_distribute", "eval_distribute", "experimental_distribute"):
        with pytest.raises(NotImplementedError, match=name):
            RunConfig(**{name: object()})
    with pytest.raises(ValueError, match="Replacing task_id is not supported"):
        RunConfig().replace(task_id=1)


CLUSTER = {"chief": ["a:1"], "ps": ["b:1", "c:1"], "worker": ["d:1", "e:1", "f:1"]}


@pytest.mark.parametrize(
    ("tf_config", "message"),
    [
        ("{", "TF_CONFIG is not valid JSON"),
        ("[]", "TF_CONFIG must be a JSON object"),
        ({"task": {"type": "ps"}}, "task type must be WORKER"),
        ({"task": {"index": 1}}, "task index must be 0"),
        ({"cluster": {"worker": ["a:1"]}}, 'must have one "chief" node'),
        ({"cluster": {"chief": ["a:1", "b:1"]}}, 'must have only one "chief" node'),
        ({"cluster": CLUSTER}, "task type must be set"),
        ({"cluster": CLUSTER, "task": {"type": "worker"}}, "task index must be set"),
        ({"cluster": CLUSTER, "task": {"type": "worker", "index": 3}}, "3 is not a valid task_id"),
        ({"cluster": CLUSTER, "task": {"type": "x", "index": 0}}, "x is not a valid task_type"),
        ({"model_dir": ""}, "model_dir in TF_CONFIG should be non-empty"),
        ({"model_dir": "there"}, "must have the same value as the model_dir in TF_CONFIG"),
    ],
)
def test_a_tf_config_that_cannot_be_right_is_an_error(
    tf_config: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tf_config if isinstance(tf_config, str) else json.dumps(tf_config)
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=message):
        RunConfig("here")


def test_a_cluster_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    task = {"type": "worker", "index": 1}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": CLUSTER, "task": task}))
    config = RunConfig("here")
    assert (config.master, config.task_type, config.task_id) == ("grpc://e:1", "worker", 1)
    assert (config.num_ps_replicas, config.num_worker_replicas) == (2, 4)
    assert (config.global_id_in_cluster, config.is_chief) == (2, False)
    assert config.session_config is not None and config.session_config.allow_soft_placement
    assert config.session_config.device_filters == ["/job:ps", "/job:worker/task:1"]
    assert tpu.RunConfig(model_dir="here").session_config is None


@pytest.mark.parametrize(
    ("cluster", "task_type", "message"),
    [
        (CLUSTER, "ps", "Train has been called wrong configuration"),
        (CLUSTER, "evaluator", "Train has been called wrong configuration"),
        ({"chief": ["a:1"], "worker": ["b:1"]}, "chief", 'no "ps" to hold the variables that they share'),
        ({"chief": ["a:1"], "worker": ["b:1"]}, "worker", 'no "ps" to hold the variables that they share'),
        ({"chief": ["a:1"], "ps": ["nowhere"]}, "chief", 'must be "host:port"'),
    ],
)
def test_a_task_that_cannot_train_is_an_error(
    cluster: Any, task_type: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": task_type, "index": 0}}))
    config = RunConfig(str(tmp_path / "model"))
    with pytest.raises(ValueError, match=message):
        Estimator(linear_model_fn, config=config, params={}).train(endless_batches, steps=1)
    assert not (tmp_path / "model").exists()


def test_warm_start_settings_need_a_checkpoint() -> None:
    with pytest.raises(ValueError, match="`ckpt_to_initialize_from` MUST be set"):
        WarmStartSettings("")


def test_methods_cannot_be_overridden() -> None:
    class Mine(Estimator):
        def train(self, *args: Any, **kwargs: Any) -> Any:
            return None

    with pytest.raises(ValueError, match="Subclasses of Estimator cannot override members of Estimator"):
        Mine(linear_model_fn, params={})


def test_missing_labels_are_what_the_model_function_sees(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        if labels is None:
            raise ValueError("labels are missing")
        raise AssertionError

    with pytest.raises(ValueError, match="labels are missing"):
        Estimator(model_fn, tmp_path / "model").train(lambda: {"x": tf.constant(LABELS)}, steps=1)
    assert not (tmp_path / "model").exists()


def test_logits_that_are_no_tensors_are_an_error() -> None:
    def call(logits: Any) -> Any:
        return experimental.call_logit_fn(lambda features, mode: logits, {}, ModeKeys.TRAIN, {}, RunConfig())

    with tf.Graph().as_default():
        logits = tf.zeros([2, 1])
        assert call(logits) is logits
        assert call({"head": logits})["head"] is logits
        for wrong in ([logits], {1: logits}, {"head": 1.0}):
            with pytest.raises(ValueError, match="dictionary mapping strings to Tensors"):
                call(wrong)
