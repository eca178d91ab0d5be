"""What is rare around Estimators is as it was in `tf.estimator` of TensorFlow 2.15.1, its messages too."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from estimator_models import LABELS, ROWS, batches, endless_batches, linear_model_fn
from keras_legacy_train import estimator
from keras_legacy_train.estimator import tpu

v1 = tf.compat.v1
MODES = estimator.ModeKeys
COLUMNS = (tf.feature_column.numeric_column("x", 2),)


def linear(directory: Any, **options: Any) -> Any:
    return estimator.Estimator(linear_model_fn, str(directory), params={}, **options)


def receiver_fn() -> Any:
    x = v1.placeholder(tf.float32, [None, 2], "x")
    return estimator.export.ServingInputReceiver({"x": x}, {"x": x})


class TestTPUConfigs:
    def test_what_a_configuration_cannot_be_is_named(self) -> None:
        v2 = tpu.InputPipelineConfig.PER_HOST_V2
        for arguments, error, message in (
            (
                {"input_partition_dims": [[1], [1], [1]], "per_host_input_for_training": v2},
                ValueError,
                "input_partition_dims must be a list/tuple with one or two elements.",
            ),
            (
                {"input_partition_dims": [[1]], "per_host_input_for_training": v2},
                ValueError,
                "input_partition_dims requires setting num_cores_per_replica.",
            ),
            ({"initial_infeed_sleep_secs": -1}, ValueError, "initial_infeed_sleep_secs must be positive"),
            ({"num_shards": 1.5}, TypeError, "TPUConfig num_shards must be int"),
        ):
            with pytest.raises(error, match=message):
                tpu.TPUConfig(**arguments)
        by_shard = tpu.TPUConfig(per_host_input_for_training=False, initial_infeed_sleep_secs=2)
        assert by_shard.per_host_input_for_training == tpu.InputPipelineConfig.PER_SHARD_V1
        assert tpu.RunConfig(tpu_config=by_shard).cluster is None

    def test_batches_are_as_large_as_the_estimator_says(self, tmp_path: Path) -> None:
        sizes = []

        def input_fn(params: Any) -> Any:
            sizes.append(params["batch_size"])
            return batches(None, params["batch_size"])

        def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
            spec = linear_model_fn(features, labels, mode, params)
            return tpu.TPUEstimatorSpec(mode, spec.predictions, spec.loss, spec.train_op)

        model = tpu.TPUEstimator(
            model_fn,
            config=tpu.RunConfig(model_dir=str(tmp_path)),
            use_tpu=False,
            train_batch_size=4,
            predict_batch_size=3,
            params={},
        )
        model.train(input_fn, steps=1)
        found = [each["y"] for each in model.predict(lambda params: batches(1, params["batch_size"]))]
        assert sizes == [4] and len(found) == len(LABELS)
        with pytest.raises(ValueError, match=r"export_saved_model_api_version should be 1 or 2;"):
            tpu.TPUEstimator(
                model_fn,
                config=tpu.RunConfig(model_dir=str(tmp_path)),
                use_tpu=False,
                export_saved_model_api_version=3,
            )


class TestEvaluating:
    @pytest.mark.parametrize(
        ("results", "error", "message"),
        [
            ({}, ValueError, "Internal error: `Estimator.evaluate` should never return empty metrics"),
            ([1], TypeError, "`Estimator.evaluate` should return dict. Given <class 'list'>"),
            ({"loss": 1.0}, ValueError, "result should have `global_step` in result"),
        ],
    )
    def test_an_evaluation_of_ones_own_returns_results(
        self, results: Any, error: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = linear(tmp_path)
        monkeypatch.setattr(model, "evaluate", lambda *arguments, **options: results)
        with pytest.raises(error, match=message):
            estimator.train_and_evaluate(
                model, estimator.TrainSpec(endless_batches, 2), estimator.EvalSpec(batches)
            )

    def test_a_model_may_begin_with_a_saved_model(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = linear(tmp_path / "first").train(endless_batches, steps=2)
        exported = first.export_saved_model(str(tmp_path / "exported"), receiver_fn)
        caplog.set_level("INFO")
        second = linear(tmp_path / "second", warm_start_from=exported.decode())
        seen = []

        class Look(v1.train.SessionRunHook):
            def after_create_session(self, session: Any, coord: Any) -> None:
                weights = next(each for each in v1.global_variables() if each.op.name == "weights")
                seen.append(session.run(weights))

        second.train(endless_batches, hooks=[Look()], steps=1)
        np.testing.assert_array_equal(seen[0], first.get_variable_value("weights"))
        assert "Warm-starting from a SavedModel" in caplog.text

    def test_an_untrained_model_is_exported_with_the_values_it_begins_with(self, tmp_path: Path) -> None:
        first = linear(tmp_path / "first").train(endless_batches, steps=2)
        second = linear(tmp_path / "second", warm_start_from=str(tmp_path / "first"))
        exported = second.export_saved_model(str(tmp_path / "exported"), receiver_fn)
        with tf.Graph().as_default(), v1.Session() as session:
            made = v1.saved_model.load(session, ["serve"], exported.decode())
            (signature,) = {each.outputs["y"].name for each in made.signature_def.values()}
            found = session.run(signature, {"x:0": ROWS})
        expected = ROWS @ first.get_variable_value("weights") + first.get_variable_value("bias")
        np.testing.assert_allclose(found, expected, rtol=1e-6)


class TestExporting:
    def test_what_cannot_be_exported_is_named(self, tmp_path: Path) -> None:
        model = linear(tmp_path / "model").train(endless_batches, steps=1)
        with pytest.raises(ValueError, match=r"An input_receiver_fn must be defined\."):
            model.export_saved_model(str(tmp_path), None)
        outputs = estimator.export.PredictOutput({"y": tf.zeros([1])})
        outputs.outputs.clear()
        with pytest.raises(ValueError, match=r"outputs` cannot be None or empty\."):
            outputs.as_signature_def({"x": tf.zeros([1])})

    def test_an_exporter_goes_on_if_an_old_export_is_gone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        model = linear(tmp_path / "model").train(endless_batches, steps=1)
        exporter = estimator.LatestExporter("latest", receiver_fn, exports_to_keep=1)
        delete = tf.io.gfile.rmtree

        def deleted_by_another(path: Any) -> None:
            shutil.rmtree(path)
            delete(path)

        (tmp_path / "exports" / "1000000000").mkdir(parents=True)
        monkeypatch.setattr(tf.io.gfile, "rmtree", deleted_by_another)
        exporter.export(model, str(tmp_path / "exports"), None, {}, False)
        assert "1000000000 recursively" in caplog.text
        (kept,) = (tmp_path / "exports").iterdir()
        assert kept.name != "1000000000"


class TestModels:
    def test_a_joint_estimator_takes_a_head(self, tmp_path: Path) -> None:
        model = estimator.DNNLinearCombinedEstimator(
            estimator.RegressionHead(),
            str(tmp_path),
            linear_feature_columns=COLUMNS,
            linear_optimizer="SGD",
        )
        model.train(endless_batches, steps=1)
        weights = model.get_variable_value("linear/linear_model/x/weights")
        # A step by the gradient of a mean of squares, from zeros, with the rate of linear parts.
        np.testing.assert_allclose(weights, 0.005 * 2 * ROWS[:2].T @ LABELS[:2] / 2, rtol=1e-4)

    def test_a_linear_model_takes_columns_only(self, tmp_path: Path) -> None:
        columns = [tf.feature_column.sequence_numeric_column("x")]
        with pytest.raises(ValueError, match=r"must be either a DenseColumn or CategoricalColumn\."):
            estimator.LinearRegressor(columns, str(tmp_path)).train(endless_batches, steps=1)

    def test_two_hooks_cannot_feed_the_same(self, tmp_path: Path) -> None:
        class Feeds(v1.train.SessionRunHook):
            def before_run(self, run_context: Any) -> Any:
                fed = run_context.session.graph.get_tensor_by_name("scale:0")
                return v1.train.SessionRunArgs(None, {fed: 2.0})

        def model_fn(features: Any, labels: Any, mode: str) -> Any:
            scale = v1.placeholder_with_default(1.0, [], "scale")
            step = v1.assign_add(v1.train.get_global_step(), 1)
            return estimator.EstimatorSpec(mode, {"y": scale * features["x"]}, scale, step)

        model = estimator.Estimator(model_fn, str(tmp_path)).train(batches, steps=1)
        (first, *_) = model.predict(batches, hooks=[Feeds()])
        np.testing.assert_allclose(first["y"], 2 * ROWS[0])
        with pytest.raises(RuntimeError, match=r"Same tensor is fed by two hooks\."):
            list(model.predict(batches, hooks=[Feeds(), Feeds()]))

    def test_what_is_no_function_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(
            ValueError, match="model_fn must be a function; it is 3"
        ):  # the original: unsupported callable
            estimator.Estimator(3, str(tmp_path))


def test_an_evaluator_without_pauses_is_warned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    task = '{"cluster": {"chief": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}'
    monkeypatch.setenv("TF_CONFIG", task)
    made = linear(tmp_path / "model")
    monkeypatch.delenv("TF_CONFIG")
    latest, calls = tf.train.latest_checkpoint, []

    def later(directory: Any, *more: Any) -> Any:
        calls.append(directory)
        if len(calls) == 2:  # another process has trained
            linear(tmp_path / "model").train(endless_batches, steps=2)
        return latest(directory, *more)

    monkeypatch.setattr(made, "latest_checkpoint", lambda: later(made.model_dir))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    spec = estimator.EvalSpec(batches, start_delay_secs=0, throttle_secs=0)
    estimator.train_and_evaluate(made, estimator.TrainSpec(endless_batches, 2), spec)
    assert "EvalSpec.throttle_secs is set as 0." in caplog.text
