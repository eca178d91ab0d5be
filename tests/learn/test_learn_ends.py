"""More of what is rare in `learn`; messages are those of `tf.contrib.learn` where it had one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import learn
from keras_legacy_train.contrib import layers
from keras_legacy_train.learn import learn_runner
from keras_legacy_train.learn.utils import input_fn_utils, saved_model_export_utils
from learn_helpers import X, Y, line

v1 = tf.compat.v1


def input_fn() -> Any:
    return {"x": tf.constant(X)}, tf.constant(Y)


def experiment(estimator: Any, **options: Any) -> learn.Experiment:
    given = {"train_steps": 2, "eval_steps": 1, "eval_delay_secs": 0, "check_interval_secs": None}
    return learn.Experiment(estimator, input_fn, input_fn, **(given | options))


def test_a_model_function_is_given_away_with_its_parameters(tmp_path: Path) -> None:
    model = learn.Estimator(line, str(tmp_path), params={"learning_rate": 0.0})
    with tf.Graph().as_default():
        v1.train.create_global_step()
        features, labels = input_fn()
        ops = model.model_fn(features, labels, learn.ModeKeys.EVAL, model.config)
        assert isinstance(ops, learn.ModelFnOps) and ops.predictions.keys() == {"product", "x"}
        with pytest.raises(NotImplementedError):
            learn.BaseEstimator(str(tmp_path)).model_fn(features, labels, "eval", None)
        with pytest.raises(ValueError, match="model_fn must be given"):
            learn.Estimator(model_dir=str(tmp_path)).model_fn(features, labels, "eval", None)


def test_arrays_come_without_a_feed_fn(fresh: learn.Estimator) -> None:
    with pytest.raises(ValueError, match=r"Can not provide both feed_fn and x or y\."):
        fresh.evaluate({"x": X}, Y, feed_fn=dict, steps=1)


def test_an_estimator_may_learn_without_labels(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        assert labels is None
        mean = v1.get_variable("mean", [], initializer=v1.zeros_initializer())
        loss = tf.reduce_mean(tf.square(features["x"] - mean))
        train_op = v1.train.GradientDescentOptimizer(0.5).minimize(loss, v1.train.get_global_step())
        return {"mean": mean}, loss, train_op

    model = learn.Estimator(model_fn, str(tmp_path)).fit(input_fn=lambda: (input_fn()[0], None), steps=1)
    assert model.get_variable_value("mean") == pytest.approx(X.mean())


def test_sparse_features_have_stand_ins(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        sums = tf.sparse.reduce_sum(features["x"], 1)
        loss = tf.constant(0.0)
        step = v1.assign_add(v1.train.get_global_step(), 1)
        return {"sums": sums}, loss, step

    def sparse_input() -> Any:
        return {"x": tf.SparseTensor([[0, 0], [1, 1]], [1.0, 2.0], [2, 2])}, tf.zeros([2])

    model = learn.Estimator(model_fn, str(tmp_path / "model")).fit(input_fn=sparse_input, steps=1)
    found = model.predict(input_fn=lambda: sparse_input()[0], as_iterable=False)
    assert found["sums"].tolist() == [1.0, 2.0]
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.extend([3.0, 4.0])
    path = model.export(str(tmp_path / "exports"), default_batch_size=None)  # parsed as it was met
    with tf.Graph().as_default(), v1.Session() as session:
        made = v1.saved_model.load(session, ["serve"], path.decode())
        (signature,) = made.signature_def.values()
        (fed,), (fetched,) = signature.inputs.values(), signature.outputs.values()
        assert session.run(fetched.name, {fed.name: [example.SerializeToString()]}).tolist() == [7.0]


def test_workers_may_wait_for_a_step_and_turns_have_a_default(fresh: learn.Estimator) -> None:
    # The first worker, which this process is, waits for the step 0.
    experiment(fresh, delay_workers_by_global_step=True).train()
    assert fresh.get_variable_value("global_step") == 2
    results, _ = experiment(fresh, train_steps=25).continuous_train_and_eval(
        continuous_eval_predicate_fn=lambda results: (results or {}).get("global_step", 0) < 5
    )
    # Turns of a tenth of all steps, so it is asked after the steps 2, 4 and 6.
    assert results is not None and results["global_step"] == 6


def test_a_runner_knows_the_schedules_of_a_cluster(
    fresh: learn.Estimator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_another_kind(run_config: Any, hparams: Any) -> Any:
        made = experiment(fresh)

        class Other(learn.Estimator):
            @property
            def config(self) -> Any:
                return object()

        made._estimator = Other(line, str(tmp_path / "other"))
        return made

    with pytest.raises(RuntimeError, match="Pass `run_config` argument of the `experiment_fn` to the Estim"):
        learn_runner.run(of_another_kind, run_config=learn.RunConfig(model_dir=str(tmp_path)))
    cluster = '{"cluster": {"worker": ["a:1"], "adviser": ["b:1"]}, "task": {"type": "%s", "index": 0}}'
    for task, message in (
        ("", "Must specify a schedule"),
        ("adviser", "No default schedule for task type: ad"),
    ):
        monkeypatch.setenv("TF_CONFIG", cluster % task)
        config = learn.RunConfig(model_dir=str(tmp_path / "model"))
        with pytest.raises(ValueError, match=message):
            learn_runner.run(
                lambda run_config, hparams: experiment(learn.Estimator(line, config=run_config)),
                run_config=config,
            )


def test_metric_functions_have_signatures() -> None:
    with pytest.raises(ValueError, match=r"The signature of <built-in function max> cannot be read"):
        learn.MetricSpec(max)


def test_weights_of_a_linear_estimator_are_those_of_its_head(tmp_path: Path) -> None:
    columns = [layers.real_valued_column("x")]
    with pytest.raises(ValueError, match="weight_column_name must be None"):
        learn.LinearEstimator(columns, learn.regression_head(), str(tmp_path), weight_column_name="w")
    with pytest.raises(ValueError, match="Either linear_feature_columns or dnn_feature_columns must be"):
        learn.DNNLinearCombinedEstimator(learn.regression_head(), str(tmp_path)).fit(
            input_fn=input_fn, steps=1
        )


class TestServing:
    def test_a_default_input_is_needed_and_old_exports_may_stay(self, tmp_path: Path) -> None:
        model = learn.Estimator(line, str(tmp_path / "model")).fit({"x": X}, Y, steps=1)
        without = lambda: input_fn_utils.InputFnOps({"x": tf.constant(X)}, None, {})  # noqa: E731
        with pytest.raises(ValueError, match=r"A default input_alternative must be provided\."):
            model.export_savedmodel(str(tmp_path), without)
        spec = {"x": tf.io.FixedLenFeature([1], tf.float32)}
        serving = learn.build_parsing_serving_input_fn(spec)
        strategy = saved_model_export_utils.make_export_strategy(serving, exports_to_keep=None)
        (tmp_path / "exports" / "1000000000").mkdir(parents=True)
        strategy.export(model, str(tmp_path / "exports"))
        assert len(list((tmp_path / "exports").iterdir())) == 2
        with pytest.raises(ValueError, match="Requested default_output_alternative: no, but available"):
            model.export_savedmodel(str(tmp_path), serving, default_output_alternative_key="no")

    def test_the_only_output_of_a_classifier_is_its_classes_or_scores(self, tmp_path: Path) -> None:
        spec = {"x": tf.io.FixedLenFeature([1], tf.float32)}
        for number, (outputs, expected) in enumerate(
            (
                (lambda x: {"mine": tf.strings.as_string(x)}, ["classes"]),
                (lambda x: {"mine": x}, ["scores"]),
            )
        ):

            def model_fn(features: Any, labels: Any, mode: str, outputs: Any = outputs) -> Any:
                made = outputs(features["x"])
                kinds = {"a": (learn.ProblemType.CLASSIFICATION, made)}
                step = v1.assign_add(v1.train.get_global_step(), 1)
                return learn.ModelFnOps(mode, made, tf.constant(0.0), step, output_alternatives=kinds)

            model = learn.Estimator(model_fn, str(tmp_path / str(number)))
            model.fit(input_fn=input_fn, steps=1)
            path = model.export_savedmodel(
                str(tmp_path / f"exports{number}"), learn.build_parsing_serving_input_fn(spec)
            )
            with tf.Graph().as_default(), v1.Session() as session:
                made = v1.saved_model.load(session, ["serve"], path.decode())
                served = made.signature_def["serving_default"]
            assert served.method_name == tf.saved_model.CLASSIFY_METHOD_NAME
            assert list(served.outputs) == expected

    def test_a_prediction_without_a_name_is_served(self, tmp_path: Path) -> None:
        def model_fn(features: Any, labels: Any, mode: str) -> Any:
            step = v1.assign_add(v1.train.get_global_step(), 1)
            return learn.ModelFnOps(mode, 2 * features["x"], tf.constant(0.0), step)

        spec = layers.create_feature_spec_for_parsing([layers.real_valued_column("x")])
        model = learn.Estimator(model_fn, str(tmp_path / "model")).fit(input_fn=input_fn, steps=1)
        path = model.export_savedmodel(str(tmp_path / "exports"), learn.build_parsing_serving_input_fn(spec))
        example = tf.train.Example()
        example.features.feature["x"].float_list.value.append(3.0)
        with tf.Graph().as_default(), v1.Session() as session:
            made = v1.saved_model.load(session, ["serve"], path.decode())
            signature = made.signature_def["serving_default"]
            ((name, fetched),) = signature.outputs.items()
            (fed,) = signature.inputs.values()
            found = session.run(fetched.name, {fed.name: [example.SerializeToString()]})
        np.testing.assert_array_equal(found, [[6.0]])
        assert name == "output"


def test_columns_that_may_share_numbers_are_told() -> None:
    words = layers.sparse_column_with_keys("word", ["a", "b"])
    weighted = layers.weighted_sparse_column(words, "weight")
    assert words.is_compatible(weighted) and weighted.is_compatible(words)
    assert weighted.lookup_config == words.lookup_config
    assert not weighted.is_compatible(layers.sparse_column_with_keys("word", ["a", "c"]))


def test_columns_of_both_kinds_are_served(tmp_path: Path) -> None:
    model = learn.Estimator(line, str(tmp_path / "model")).fit({"x": X}, Y, steps=1)
    for number, column in enumerate([layers.real_valued_column("x"), tf.feature_column.numeric_column("x")]):
        strategy = saved_model_export_utils.make_parsing_export_strategy([column])
        path = strategy.export(model, str(tmp_path / str(number)))
        with tf.Graph().as_default(), v1.Session() as session:
            made = v1.saved_model.load(session, ["serve"], Path(path.decode()).as_posix())
            assert set(made.signature_def["serving_default"].outputs) == {"product", "x"}


def test_iterators_have_examples_and_lazy_arrays_are_computed(tmp_path: Path) -> None:
    class Lazy:
        def __init__(self, array: np.ndarray):
            self._array = array

        def compute(self) -> np.ndarray:
            return self._array

    def model() -> learn.Estimator:
        return learn.Estimator(line, str(tmp_path))

    with pytest.raises(ValueError, match="x or y is an iterator without examples"):
        model().fit(iter([]), iter([]), steps=1)
    fitted = model().fit(Lazy(X), Lazy(Y), steps=1)
    # One step by 0.05 times the gradient of the mean of (w * x - 2 * x)^2, from zero.
    assert fitted.get_variable_value("weight") == pytest.approx(0.05 * 4 * np.mean(X**2))
    found = fitted.predict(iter(X), batch_size=4)
    np.testing.assert_allclose([each["x"] for each in found], X[:, 0])


def test_sparse_labels_have_stand_ins_in_inference(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any) -> Any:
        loss = tf.reduce_sum(tf.sparse.reduce_sum(labels, 1))
        return features["x"], loss, v1.assign_add(v1.train.get_global_step(), 1)

    def with_labels() -> Any:
        return {"x": tf.constant(X[:2])}, tf.SparseTensor([[0, 0], [1, 1]], [1.0, 2.0], [2, 2])

    model = learn.Estimator(model_fn, str(tmp_path)).fit(input_fn=with_labels, steps=1)
    found = model.predict(input_fn=lambda: with_labels()[0], as_iterable=False)
    np.testing.assert_array_equal(found, X[:2])


def test_a_logistic_regressor_takes_labels_with_a_name(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        step = v1.assign_add(v1.train.get_global_step(), 1)
        return tf.fill([6, 1], 0.75), tf.constant(0.0), step

    def named() -> Any:
        return {"x": tf.constant(X)}, {"label": tf.constant([[0.0], [1.0], [1.0], [1.0], [0.0], [1.0]])}

    model = learn.LogisticRegressor(model_fn, model_dir=str(tmp_path)).fit(input_fn=named, steps=1)
    found = model.evaluate(input_fn=named, steps=1)
    assert found["labels/actual_label_mean"] == pytest.approx(4 / 6)
    assert found["labels/prediction_mean"] == pytest.approx(0.75)
