"""What is rare in Estimators is as it was in `tf.estimator` of TensorFlow 2.15.1, its messages too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from estimator_models import LABELS, ROWS, batches, endless_batches, linear_model_fn
from keras_legacy_train import estimator
from keras_legacy_train.estimator import experimental

v1 = tf.compat.v1
MODES = estimator.ModeKeys


def linear(directory: Any, **options: Any) -> Any:
    return estimator.Estimator(linear_model_fn, str(directory), params={}, **options)


def zeros_model_fn(features: Any, labels: Any, mode: str) -> Any:
    """Has no variables but the global step."""
    step = v1.assign_add(v1.train.get_global_step(), 1)
    return estimator.EstimatorSpec(mode, 0 * features["x"][:, 0], tf.constant(0.0), step)


class TestResults:
    def test_events_have_arrays_and_summaries_among_the_results(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        summary = v1.Summary(value=[v1.Summary.Value(tag="any", simple_value=value) for value in (2.5, 3.5)])
        results = {
            "array": [1.0, 2.0],
            "parts": summary.SerializeToString(),
            "broken": b"no summary",
            "flag": True,
        }

        def model_fn(features: Any, labels: Any, mode: str) -> Any:
            spec = zeros_model_fn(features, labels, mode)
            metrics = {name: (tf.constant(value), tf.no_op()) for name, value in results.items()}
            return spec._replace(eval_metric_ops=metrics)

        model = estimator.Estimator(model_fn, str(tmp_path))
        model.train(batches, steps=1)
        found = model.evaluate(batches, steps=1)
        assert found["array"].tolist() == [1.0, 2.0] and found["flag"]
        values = {}
        for path in (tmp_path / "eval").iterdir():
            for event in v1.train.summary_iterator(str(path)):
                values.update({value.tag: value for value in event.summary.value})
        assert tf.make_ndarray(values["array"].tensor).tolist() == [1.0, 2.0]
        assert (values["parts/0"].simple_value, values["parts/1"].simple_value) == (2.5, 3.5)
        assert not values.keys() & {"broken", "flag"}
        assert "Skipping summary for broken, cannot parse string to Summary." in caplog.text
        assert "Skipping summary for flag, must be a float, np.float32, np.int64, np.int32" in caplog.text

    def test_predictions_may_be_one_tensor(self, tmp_path: Path) -> None:
        model = estimator.Estimator(zeros_model_fn, str(tmp_path))
        model.train(batches, steps=1)
        assert list(model.predict(batches)) == [0.0] * 6
        with pytest.raises(ValueError, match=r"predict_keys argument is not valid in case of non-dict pred"):
            list(model.predict(batches, predict_keys=["y"]))

    def test_an_input_without_a_dataset_is_endless(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        model = estimator.Estimator(zeros_model_fn, str(tmp_path))
        model.train(batches, steps=1)
        predictions = model.predict(lambda: {"x": tf.zeros([2, 2])})
        assert [next(predictions) for _ in range(9)] == [0.0] * 9
        assert "That means predict yields forever. This is probably a mistake." in caplog.text

    def test_added_metrics_leave_training_as_it_is(self, tmp_path: Path) -> None:
        def metric_fn(labels: Any, predictions: Any) -> Any:
            return {"largest": v1.metrics.mean(tf.reduce_max(labels - predictions["y"]))}

        model = estimator.add_metrics(linear(tmp_path), metric_fn)
        model.train(endless_batches, steps=2)
        results = model.evaluate(lambda: batches(1, len(LABELS)))
        errors = LABELS - np.concatenate([each["y"] for each in model.predict(batches)]).reshape(-1, 1)
        np.testing.assert_allclose(results["largest"], errors.max(), rtol=1e-5)
        assert results.keys() == {"loss", "mae", "largest", "global_step"}


class TestInMemoryEvaluation:
    def test_it_is_of_one_machine_and_of_some_steps(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make = experimental.InMemoryEvaluatorHook
        with pytest.raises(ValueError, match=r"Must specify steps > 0, given: 0"):
            make(linear(tmp_path), batches, steps=0).begin()
        cluster = {"chief": ["a:1"], "worker": ["b:1"]}
        task = {"type": "chief", "index": 0}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
        with pytest.raises(ValueError, match="InMemoryEvaluator supports only single machine"):
            make(linear(tmp_path), batches)

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("saver", "InMemoryEvaluator does not support custom saver"),
            ("init_fn", "InMemoryEvaluator does not support custom init_fn"),
            (
                "saveable",
                "InMemoryEvaluator does not support saveables other than global variables.",
            ),
        ],
    )
    def test_it_takes_no_scaffolds(self, kind: str, message: str, tmp_path: Path) -> None:
        def model_fn(features: Any, labels: Any, mode: str) -> Any:
            spec = zeros_model_fn(features, labels, mode)
            options: dict[str, Any] = {}
            if mode == MODES.EVAL and kind == "saver":
                options = {"saver": v1.train.Saver(v1.global_variables())}
            elif mode == MODES.EVAL and kind == "init_fn":
                options = {"init_fn": lambda scaffold, session: None}
            elif kind == "saveable":
                tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, -1)
            return spec._replace(scaffold=v1.train.Scaffold(**options)) if options else spec

        model = estimator.Estimator(model_fn, str(tmp_path))
        hook = experimental.InMemoryEvaluatorHook(model, batches)
        with pytest.raises(ValueError, match=message):
            model.train(batches, hooks=[hook], steps=1)


class TestLogitFunctions:
    COLUMNS = (tf.feature_column.numeric_column("x", 2),)

    def run(self, logits: Any, values: dict[str, Any]) -> Any:
        with v1.Session() as session:
            for variable in v1.trainable_variables():
                variable.load(values[variable.op.name], session)
            return session.run(logits)

    def test_a_linear_one_is_a_sum(self) -> None:
        logit_fn = experimental.linear_logit_fn_builder(1, self.COLUMNS)
        weights, bias = np.array([[2.0], [-1.0]], np.float32), np.array([0.5], np.float32)
        with tf.Graph().as_default():
            logits = experimental.call_logit_fn(logit_fn, {"x": ROWS}, MODES.EVAL, None, None)
            found = self.run(logits, {"linear_model/x/weights": weights, "linear_model/bias_weights": bias})
        np.testing.assert_allclose(found, ROWS @ weights + bias, rtol=1e-5)

    def test_a_deep_one_has_layers(self) -> None:
        logit_fn = experimental.dnn_logit_fn_builder(1, [3], self.COLUMNS, tf.nn.relu, None, None, False)
        random = np.random.default_rng(0)
        first, second = (random.normal(size=size).astype(np.float32) for size in ((2, 3), (3, 1)))
        values = {
            "hiddenlayer_0/kernel": first,
            "hiddenlayer_0/bias": np.full([3], 0.1, np.float32),
            "logits/kernel": second,
            "logits/bias": np.zeros([1], np.float32),
        }
        with tf.Graph().as_default():
            logits = experimental.call_logit_fn(logit_fn, {"x": ROWS}, MODES.EVAL, None, None)
            found = self.run(logits, values)
        expected = np.maximum(ROWS @ first + np.float32(0.1), 0) @ second
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        with pytest.raises(ValueError, match=r"units must be an int\.\s+Given type: <class 'float'>"):
            experimental.dnn_logit_fn_builder(1.0, [3], self.COLUMNS, tf.nn.relu, None, None, False)


class TestRunConfigs:
    def test_checkpoints_by_the_clock_replace_those_by_steps(self) -> None:
        config = estimator.RunConfig(save_checkpoints_steps=7).replace(save_checkpoints_secs=3)
        assert (config.save_checkpoints_steps, config.save_checkpoints_secs) == (None, 3)
        assert (config.protocol, config.train_distribute, config.eval_distribute) == (None, None, None)

    def test_what_tf_config_tells_is_read(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        cluster = {"chief": ["a:1"], "worker": ["b:1"]}
        told = {
            "cluster": cluster,
            "task": {"type": "worker", "index": 0},
            "session_master": "grpc://other:9",
            "service": {"key": "value"},
            "model_dir": str(tmp_path),
        }
        monkeypatch.setenv("TF_CONFIG", json.dumps(told))
        config = estimator.RunConfig()
        assert (config.master, config.service) == ("grpc://other:9", {"key": "value"})
        assert config.model_dir == str(tmp_path)

    @pytest.mark.parametrize(
        ("told", "error", "message"),
        [
            ({"service": "s"}, TypeError, 'If "service" is set in TF_CONFIG, it must be a dict.'),
            (
                {"cluster": {"master": ["a:1"], "chief": ["b:1"]}, "task": {"type": "master", "index": 0}},
                ValueError,
                "If `master` node exists in `cluster`, job `chief` is not supported.",
            ),
            (
                {"cluster": {"master": ["a:1"]}, "task": {"type": "evaluator", "index": 0}},
                ValueError,
                "If `master` node exists in `cluster`, task_type `evaluator` is not supported.",
            ),
            (
                {"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": -1}},
                ValueError,
                "Task index must be non-negative number.",
            ),
        ],
    )
    def test_what_it_cannot_tell_is_refused(
        self, told: Any, error: Any, message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TF_CONFIG", json.dumps(told))
        with pytest.raises(error, match=message):
            estimator.RunConfig()


class TestSpecs:
    def test_predictions_need_predictions(self) -> None:
        with tf.Graph().as_default(), pytest.raises(ValueError, match=r"^Missing predictions\.$"):
            estimator.EstimatorSpec(MODES.PREDICT)

    def test_a_spec_keeps_its_mode(self) -> None:
        with tf.Graph().as_default():
            spec = estimator.EstimatorSpec(MODES.PREDICT, tf.zeros([1]))
            assert spec._replace(mode=MODES.PREDICT).mode == MODES.PREDICT
            with pytest.raises(ValueError, match=r"mode of EstimatorSpec cannot be changed\."):
                spec._replace(mode=MODES.EVAL)
