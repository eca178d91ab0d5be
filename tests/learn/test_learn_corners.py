"""What is rare in `learn` is as it was in `tf.contrib.learn`; messages are those of its source."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import learn
from keras_legacy_train.contrib import layers
from keras_legacy_train.learn import learn_runner
from keras_legacy_train.learn.metric_spec import make_metric_ops
from keras_legacy_train.learn.utils import export, input_fn_utils
from learn_helpers import X, Y, line

v1 = tf.compat.v1


def input_fn() -> Any:
    return {"x": tf.constant(X)}, tf.constant(Y)


class TestMetricSpecs:
    def test_a_spec_tells_what_it_is(self) -> None:
        def share(predictions: Any, labels: Any, weights: Any = None) -> Any:
            return predictions, labels, weights

        spec = learn.MetricSpec(share, "classes", "label", "weight")
        expected = "MetricSpec(metric_fn=share, prediction_key=classes, label_key=label, weight_key=weight)"
        assert str(spec) == expected
        assert (spec.prediction_key, spec.label_key, spec.weight_key) == ("classes", "label", "weight")
        assert spec.metric_fn(labels=1, predictions=2, weights=3) == (2, 1, 3)
        assert str(learn.MetricSpec(share)).endswith("prediction_key=None, label_key=None, weight_key=None)")

    def test_functions_that_do_not_fit_are_refused(self, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(ValueError, match="metric_fn must be callable; it is None"):
            learn.MetricSpec(None)
        plain = learn.MetricSpec(lambda predictions, labels: None)
        with pytest.raises(ValueError, match="takes no weights"):
            plain.metric_fn(labels=1, predictions=2, weights=3)

        def fails(predictions: Any, labels: Any) -> Any:
            raise RuntimeError("no metric")

        with pytest.raises(RuntimeError, match="no metric"):
            learn.MetricSpec(fails).create_metric_ops(None, 1, 2)
        assert "Could not create metric ops for MetricSpec(metric_fn=fails, prediction" in caplog.text

    def test_bare_functions_are_named_for_the_predictions(self) -> None:
        def both(predictions: Any, labels: Any) -> Any:
            return predictions, labels

        assert make_metric_ops({"a": both}, None, {"only": 1}, 2) == {"a": (2, 1)}
        found = make_metric_ops({("a", "p"): both, ("b", "q"): both}, None, {"p": 1}, {"p": 2, "q": 3})
        assert found == {"a": (2, 1), "b": (3, 1)}
        for metrics, predictions, message in (
            ({("a", "p", "q"): both}, {"p": 2}, r"It returned a tuple with len 3, expected 2\."),
            ({("a", "p"): both}, 2, r"provide \(name, prediction\), but predictions are not dict\."),
            ({"a": both}, {"p": 2}, "provide only name, no prediction, but predictions are dict"),
        ):
            with pytest.raises(ValueError, match=message):
                make_metric_ops(metrics, None, 1, predictions)


class TestSignatures:
    @pytest.mark.parametrize("named", [True, False])
    def test_each_kind_of_prediction_has_a_signature(self, named: bool) -> None:
        with tf.Graph().as_default():
            examples = v1.placeholder(tf.string, [None], "examples")
            classes = v1.placeholder(tf.string, [None], "classes")
            probabilities = v1.placeholder(tf.float32, [None, 2], "probabilities")
            given: Any = {"classes": classes, "probabilities": probabilities}
            made = [
                export.classification_signature_fn(examples, None, given if named else classes),
                export.classification_signature_fn_with_prob(
                    examples, None, given if named else probabilities
                ),
                export.regression_signature_fn(examples, None, probabilities[:, 0]),
                export.logistic_regression_signature_fn(examples, None, given if named else probabilities),
            ]
            found = [
                (
                    signature.method_name.split("/")[-1],
                    signature.inputs["inputs"].name,
                    {name: info.name for name, info in signature.outputs.items()},
                )
                for signature, _ in made
            ]
            with v1.Session() as session:
                second = session.run(found[3][2]["outputs"], {probabilities: [[0.25, 0.75]]})
        assert found[:2] == [
            ("classify", "examples:0", {"classes": "classes:0"}),
            ("classify", "examples:0", {"scores": "probabilities:0"}),
        ]
        assert [kind for kind, *_ in found[2:]] == ["regress"] * 2
        assert second.tolist() == [0.75]

    def test_they_need_examples_and_two_classes(self) -> None:
        with tf.Graph().as_default():
            with pytest.raises(ValueError, match=r"examples cannot be None when using this signature fn\."):
                export.regression_signature_fn(None, None, tf.zeros([1]))
            with pytest.raises(ValueError, match=r"must have the shape \[batch_size, 2\]; it is \(1, 3\)"):
                export.logistic_regression_signature_fn(tf.constant(["e"]), None, tf.zeros([1, 3]))

    def test_an_estimator_is_exported_by_a_function(self, trained: learn.Estimator, tmp_path: Path) -> None:
        def of_examples(estimator: Any, examples: Any) -> Any:
            return tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([1], tf.float32)})

        made = export.export_estimator(trained, tmp_path, export.generic_signature_fn, of_examples)
        assert Path(made.decode()).parent == tmp_path and (tmp_path / made.decode()).is_dir()
        with pytest.raises(ValueError, match=r"input_fn must be defined\."):
            trained.export(str(tmp_path / "other"), use_deprecated_input_fn=False)
        with pytest.raises(ValueError, match=r"Either features or examples must be defined\."):
            trained.export(str(tmp_path / "other"), lambda: ({}, None), use_deprecated_input_fn=False)

    def test_served_features_may_have_batches_of_one_size(self) -> None:
        with tf.Graph().as_default():
            made = input_fn_utils.build_default_serving_input_fn({"x": tf.zeros([3, 2])}, 5)()
            assert made.features["x"].shape.as_list() == [5, 2] and made.labels is None
            assert made.default_inputs == made.features
            (x,) = input_fn_utils.build_default_serving_input_fn({"x": tf.zeros([3, 2])})().features.values()
            assert x.shape.as_list() == [None, 2]


class TestModelFnOps:
    @pytest.mark.parametrize(
        ("kind", "outputs", "output_class"),
        [
            (learn.ProblemType.LINEAR_REGRESSION, ("scores",), "RegressionOutput"),
            (learn.ProblemType.CLASSIFICATION, ("probabilities", "classes"), "ClassificationOutput"),
            (learn.ProblemType.UNSPECIFIED, ("scores",), "PredictOutput"),
        ],
    )
    def test_a_spec_has_the_kinds_of_outputs(self, kind: Any, outputs: Any, output_class: str) -> None:
        with tf.Graph().as_default():
            tensors: dict[str, Any] = {
                "scores": tf.zeros([2, 1]),
                "probabilities": tf.zeros([2, 2]),
                "classes": tf.constant([["a", "b"]] * 2),
            }
            alternatives = {name: (kind, {key: tensors[key] for key in outputs}) for name in ("a", "b")}
            ops = learn.ModelFnOps("infer", tensors, output_alternatives=alternatives)
            served = ops.estimator_spec("b").export_outputs
            assert {name: type(each).__name__ for name, each in served.items()} == dict.fromkeys(
                ("a", "b", "serving_default"), output_class
            )
            if output_class == "ClassificationOutput":
                assert served["a"].scores is tensors["probabilities"]
                assert served["a"].classes is tensors["classes"]

    def test_classes_that_are_no_strings_are_left_out(self, caplog: pytest.LogCaptureFixture) -> None:
        with tf.Graph().as_default():
            tensors = {"scores": tf.zeros([2, 1]), "classes": tf.zeros([2], tf.int64)}
            kinds = {"a": (learn.ProblemType.LOGISTIC_REGRESSION, tensors)}
            spec = learn.ModelFnOps("infer", tensors, output_alternatives=kinds).estimator_spec()
            assert spec.export_outputs["a"].classes is None
            assert "The classes are no strings" in caplog.text
            unknown = learn.ModelFnOps("infer", tensors, output_alternatives={"a": (99, tensors)})
            with pytest.raises(ValueError, match="Unknown problem_type=99"):
                unknown.estimator_spec()

    def test_tensors_are_of_one_graph(self) -> None:
        with tf.Graph().as_default():
            first = tf.zeros([1])
        with tf.Graph().as_default(), pytest.raises(ValueError, match="must be from the same graph as"):
            learn.ModelFnOps("eval", {"a": first}, tf.constant(0.0))


class TestExperiments:
    @staticmethod
    def experiment(estimator: Any, **options: Any) -> learn.Experiment:
        given = {"train_steps": 6, "eval_steps": 1, "eval_delay_secs": 0, "check_interval_secs": None}
        return learn.Experiment(estimator, input_fn, input_fn, **(given | options))

    def test_a_local_run_evaluates_and_more_hooks_can_be_added(self, fresh: learn.Estimator) -> None:
        seen = []

        class Steps(learn.monitors.BaseMonitor):
            def step_end(self, step: int, output: Any) -> bool:
                seen.append(step)
                return super().step_end(step, output)

        experiment = self.experiment(fresh, local_eval_frequency=3)
        experiment.extend_train_hooks([Steps()])
        results, _ = experiment.local_run()
        assert results is not None and results["global_step"] == 6 and seen == [*range(1, 7)]

    def test_workers_wait_and_evaluations_wait_for_a_checkpoint(
        self,
        fresh: learn.Estimator,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", lambda seconds: slept.append(round(seconds)))
        asked = []

        def goes_on(results: Any, checkpoint_path: Any = None) -> bool:
            asked.append((results, checkpoint_path))
            return len(asked) < 4

        caplog.set_level("INFO")
        experiment = self.experiment(fresh, train_steps=2)
        experiment.continuous_eval(delay_secs=7, throttle_delay_secs=60, continuous_eval_predicate_fn=goes_on)
        # Three times there is no checkpoint, which is told once.
        assert asked == [(None, None), ({}, None), ({}, None), ({}, None)]
        assert slept == [7, 60, 60, 60]
        assert caplog.text.count("Estimator is not fitted yet.") == 1
        experiment.train(delay_secs=9)
        assert slept[4] == 9 and fresh.get_variable_value("global_step") == 2

    def test_an_estimator_must_train_and_evaluate(self) -> None:
        class Evaluates(learn.Evaluable):
            pass

        with pytest.raises(ValueError, match=r"must implement `tf\.contrib\.learn\.Trainable` or"):
            self.experiment(Evaluates())

    def test_a_runner_refuses_what_cannot_be_run(
        self, fresh: learn.Estimator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = learn.RunConfig(model_dir=str(tmp_path))

        def of_config(run_config: Any, hparams: Any) -> Any:
            return self.experiment(fresh)

        class Tuner:
            def next_trial(self) -> bool:
                return True

            def run_experiment(self, make: Any) -> None:
                make(config, None)

        for call, error, message in (
            (lambda: learn_runner.run(1, "d"), TypeError, 'Experiment builder "1" is not callable.'),
            (lambda: learn_runner.run(of_config, ""), ValueError, "Must specify an output directory"),
            (
                lambda: learn_runner.run(of_config, run_config=1),
                ValueError,
                "`run_config` must be `tf.contrib.learn.RunConfig` instance",
            ),
            (lambda: learn_runner.tune(of_config, Tuner()), ValueError, "`hparams` cannot be `None`."),
        ):
            with pytest.raises(error, match=message):
                call()
        told = {"cluster": {"ps": ["a:1"], "worker": ["b:1"]}, "task": {"type": "adviser", "index": 0}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(told))
        with pytest.raises(ValueError, match="adviser is not a valid task_type in the cluster_spec"):
            learn.RunConfig()
        told["task"] = {"type": "worker", "index": 1}
        monkeypatch.setenv("TF_CONFIG", json.dumps(told))
        with pytest.raises(ValueError, match="1 is not a valid task_id for task_type worker in the"):
            learn.RunConfig()


class TestModels:
    def test_an_embedding_may_learn_faster(self, tmp_path: Path) -> None:
        words = layers.sparse_column_with_keys("word", ["a", "b"])
        column = layers.embedding_column(words, 2, initializer=v1.constant_initializer(1.0))
        # Without any hidden layer's activation in between, all gradients are factors of the rate.
        options = {"hidden_units": [2], "activation_fn": tf.identity}

        def changed(multipliers: Any) -> Any:
            model = learn.DNNRegressor(
                feature_columns=[column],
                optimizer=v1.train.GradientDescentOptimizer(0.1),
                config=learn.RunConfig(tf_random_seed=3),
                model_dir=str(tmp_path / str(bool(multipliers))),
                embedding_lr_multipliers=multipliers,
                **options,
            )
            batch = lambda: ({"word": tf.constant([["a"], ["b"]])}, tf.constant([3.0, 5.0]))  # noqa: E731
            model.fit(input_fn=batch, steps=1)
            (name,) = (name for name in model.get_variable_names() if "word_embedding" in name)
            return model.get_variable_value(name) - 1

        plain, fast = changed(None), changed({column: 4.0})
        np.testing.assert_allclose(fast, 4 * plain, rtol=1e-4)
        assert np.abs(plain).max() > 1e-3
        other = layers.embedding_column(layers.sparse_column_with_keys("none", ["a"]), 2)
        with pytest.raises(ValueError, match="Couldn't find a variable for column"):
            changed({other: 4.0})

    def test_gradients_of_a_linear_model_are_clipped(self, tmp_path: Path) -> None:
        model = learn.LinearRegressor(
            [layers.real_valued_column("x")],
            str(tmp_path),
            optimizer=v1.train.GradientDescentOptimizer(1.0),
            gradient_clip_norm=0.5,
        )
        model.fit(input_fn=input_fn, steps=1)
        change = np.concatenate(
            [
                np.ravel(model.get_variable_value(name))
                for name in model.get_variable_names()
                if "weight" in name
            ]
        )
        assert np.linalg.norm(change) == pytest.approx(0.5)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "Either linear_feature_columns or dnn_feature_columns must be defined"),
            (
                {"dnn_feature_columns": [layers.real_valued_column("x")]},
                "dnn_hidden_units must be defined when dnn_feature_columns is specified",
            ),
            (
                {
                    "linear_feature_columns": [layers.real_valued_column("x")],
                    "linear_optimizer": v1.train.SyncReplicasOptimizer(
                        v1.train.GradientDescentOptimizer(0.1), 1
                    ),
                },
                "SyncReplicasOptimizer is not supported in DNNLinearCombined model",
            ),
        ],
    )
    def test_a_joint_model_has_parts(self, arguments: Any, message: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=message):
            model = learn.DNNLinearCombinedRegressor(str(tmp_path), **arguments)
            model.fit(input_fn=input_fn, steps=1)

    def test_a_joint_model_may_have_a_head_of_ones_own(self, tmp_path: Path) -> None:
        model = learn.DNNLinearCombinedEstimator(
            learn.regression_head(),
            str(tmp_path),
            linear_feature_columns=[layers.real_valued_column("x")],
            linear_optimizer=v1.train.GradientDescentOptimizer(0.0),
        )
        model.fit(input_fn=input_fn, steps=1)
        found = model.evaluate(input_fn=input_fn, steps=1)
        assert found["loss"] == pytest.approx(np.mean(Y**2))  # of weights that stay zero

    def test_arrays_are_given_in_one_way(self, fresh: learn.Estimator) -> None:
        with pytest.raises(ValueError, match=r"Inputs cannot be tensors\. Please provide input_fn\."):
            fresh.fit(tf.constant(X), Y, steps=1)
        with pytest.raises(ValueError, match="Metrics passed provide only name"):
            fresh.fit(X, Y, steps=1).evaluate(X, Y, metrics={"mean": line}, steps=1)
