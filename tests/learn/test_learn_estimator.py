"""Estimators of `tf.contrib.learn` take what they took, and say what cannot be right."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train import learn
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.errors import ServerUnreachableError
from learn_helpers import X, Y, line

v1 = tf.compat.v1


def constant_input() -> Any:
    return tf.constant(X), tf.constant(Y)


def dataset_input() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


@pytest.mark.parametrize("model_fn", [None, "partial"])
def test_params_are_given_to_model_functions_that_take_them(model_fn: str | None) -> None:
    function: Any = line if model_fn is None else functools.partial(line, params={})
    if model_fn is None:
        assert learn.Estimator(function, params={"learning_rate": 1.0}).params == {"learning_rate": 1.0}
    else:
        with pytest.raises(ValueError, match="does not have a params argument, but params"):
            learn.Estimator(function, params={"learning_rate": 1.0})


@pytest.mark.slow
def test_predictions_come_by_example_by_batch_or_at_once(trained: learn.Estimator) -> None:
    weight = trained.get_variable_value("weight")
    singles = list(trained.predict(X, batch_size=4))
    assert [set(single) for single in singles] == [{"product", "x"}] * 6
    np.testing.assert_allclose([single["product"] for single in singles], weight * X[:, 0])
    batches = list(trained.predict(X, batch_size=4, iterate_batches=True))
    assert [len(batch["x"]) for batch in batches] == [4, 2]
    whole = trained.predict(X, batch_size=4, as_iterable=False)
    np.testing.assert_allclose(whole["product"], weight * X[:, 0])
    assert set(trained.predict(X, outputs=["x"], as_iterable=False)) == {"x"}


def test_an_input_fn_may_be_constant_or_end(trained: learn.Estimator) -> None:
    assert len(list(trained.predict(input_fn=constant_input))) == 6  # one batch, though it never ends
    assert len(list(trained.predict(input_fn=dataset_input))) == 6
    assert len(trained.predict(input_fn=dataset_input, as_iterable=False)["x"]) == 4
    whole = trained.evaluate(input_fn=dataset_input)
    first = trained.evaluate(input_fn=constant_input, steps=1)
    assert first["global_step"] == whole["global_step"] == 20
    np.testing.assert_allclose(first["loss"], trained.evaluate(X, Y)["loss"], rtol=1e-5)


def test_metrics_are_added_to_those_of_the_model(trained: learn.Estimator) -> None:
    metrics = {
        "error": learn.MetricSpec(v1.metrics.mean_absolute_error, prediction_key="product"),
        ("mean", "x"): lambda predictions, labels: v1.metrics.mean(predictions),
        "biggest": learn.MetricSpec(lambda predictions: tf.reduce_max(predictions), prediction_key="x"),
    }
    results = trained.evaluate(input_fn=constant_input, steps=1, metrics=metrics, name="named")
    assert set(results) == {"error", "mean", "biggest", "loss", "global_step"}
    assert results["mean"] == 2.5 and results["biggest"] == 5.0
    assert os.listdir(os.path.join(trained.model_dir, "eval_named"))


def test_a_feed_fn_feeds_the_graph_of_the_input_fn(trained: learn.Estimator) -> None:
    def input_fn() -> Any:
        return v1.placeholder(tf.float32, [None, 1], name="fed"), tf.constant([4.0])

    feeds = iter([{"fed:0": [[2.0]]}, {"fed:0": [[2.0]]}])
    results = trained.evaluate(input_fn=input_fn, feed_fn=lambda: next(feeds), steps=2)
    np.testing.assert_allclose(
        results["loss"], (2 * trained.get_variable_value("weight") - 4) ** 2, rtol=1e-5
    )


def test_an_evaluation_may_be_of_an_older_checkpoint(fresh: learn.Estimator) -> None:
    fresh.fit(X, Y, steps=1).fit(X, Y, steps=2)
    old = os.path.join(fresh.model_dir, "model.ckpt-1")
    assert fresh.evaluate(X, Y, checkpoint_path=old)["global_step"] == 1
    assert fresh.evaluate(X, Y)["global_step"] == 3


def test_partial_fit_goes_on_by_one_step_and_iterators_are_used_up(fresh: learn.Estimator) -> None:
    examples, labels = iter(X), iter(Y)
    assert fresh.partial_fit(X[:2], Y[:2]) is fresh
    fresh.fit(examples, labels, batch_size=4)  # until they end: 4 examples, then 2
    assert fresh.get_variable_value("global_step") == 3
    assert fresh.get_variable_names() == ["global_step", "weight"]
    fresh.fit(X, Y, max_steps=3)
    assert fresh.get_variable_value("global_step") == 3


def test_sk_compat_has_the_methods_of_scikit_learn(fresh: learn.Estimator) -> None:
    wrapped = learn.SKCompat(fresh)
    assert wrapped.fit(X, Y, steps=30) is wrapped
    assert wrapped.score(X, Y)["loss"] < 1e-3
    np.testing.assert_allclose(wrapped.predict(X)["product"], Y, atol=0.1)
    with pytest.raises(ValueError, match="must be an Estimator"):
        learn.SKCompat(line)


def test_parameters_are_told_and_set_as_scikit_learn_does(fresh: learn.Estimator) -> None:
    assert fresh.get_params() == {"params": None}
    assert fresh.set_params(params={"learning_rate": 0.1}).params == {"learning_rate": 0.1}
    with pytest.raises(ValueError, match="Invalid parameter steps"):
        fresh.set_params(steps=1)


def test_labels_have_stand_ins_in_inference_for_a_model_that_needs_them(fresh: learn.Estimator) -> None:
    def model_fn(features: Any, labels: Any) -> Any:
        product = v1.get_variable("weight", []) * features[:, 0]
        loss = tf.reduce_mean(tf.square(product - labels))
        step = v1.train.get_global_step()
        return product, loss, v1.train.GradientDescentOptimizer(0.05).minimize(loss, step)

    estimator = learn.Estimator(model_fn, fresh.model_dir).fit(X, Y, steps=30)
    np.testing.assert_allclose(list(estimator.predict(X)), Y, atol=0.1)


def test_features_can_be_engineered_and_the_model_gets_what_it_takes(tmp_path: Path) -> None:
    seen = []

    def model_fn(features: Any, labels: Any, mode: str, config: Any, model_dir: str) -> Any:
        seen.append((config.tf_random_seed, model_dir))
        return line(features, labels, mode)

    estimator = learn.Estimator(
        model_fn,
        tmp_path,
        learn.RunConfig(tf_random_seed=3),
        feature_engineering_fn=lambda features, labels: (features * 0.5, labels),
    )
    estimator.fit(X, Y, steps=40)
    assert abs(estimator.get_variable_value("weight") - 4.0) < 1e-3
    assert seen == [(3, str(tmp_path))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Either x or input_fn must be provided"),
        ({"x": X, "input_fn": constant_input}, "Can not provide both input_fn and x or y"),
        ({"input_fn": constant_input, "batch_size": 3}, "Can not provide both input_fn and batch_size"),
        ({"input_fn": 3}, "input_fn must be a function"),
        ({"x": X, "y": Y[:2]}, "must have one row per example"),
        ({"x": iter(X), "y": Y}, "Both x and y should be iterators"),
        ({"x": X, "y": Y, "batch_size": 0}, "Invalid batch_size 0"),
        ({"x": X[:0], "y": Y[:0]}, "x is empty"),
        ({"x": X, "y": Y, "steps": 1, "max_steps": 1}, "Can not provide both steps and max_steps"),
        ({"x": X, "y": Y, "monitors": ["stop"]}, "neither a hook nor a monitor"),
    ],
)
def test_input_that_cannot_be_right_is_named(
    arguments: dict[str, Any], message: str, fresh: learn.Estimator
) -> None:
    with pytest.raises(ValueError, match=message):
        fresh.fit(**arguments)
    assert not os.path.exists(fresh.model_dir)


def test_an_input_fn_that_yields_nothing_leaves_nothing(fresh: learn.Estimator) -> None:
    with pytest.raises(ValueError, match="input_fn has yielded no batch"):
        fresh.fit(input_fn=lambda: dataset_input().filter(lambda x, y: False))
    assert not os.path.exists(fresh.model_dir)


def test_input_of_another_kind_than_before_is_named(fresh: learn.Estimator) -> None:
    fresh.fit(X, Y, steps=1)
    with pytest.raises(ValueError, match="Features are incompatible with given information"):
        fresh.evaluate(X.astype("int64"), Y)
    with pytest.raises(ValueError, match="Labels are incompatible with given information"):
        fresh.evaluate(X, np.stack([Y, Y], 1))


def test_what_is_not_trained_is_told_at_the_call(fresh: learn.Estimator) -> None:
    for call in (fresh.predict, functools.partial(fresh.evaluate, y=Y)):
        with pytest.raises(learn.NotFittedError, match="Couldn't find trained model at"):
            call(X)


def test_wrong_outputs_metrics_and_results_of_a_model_are_named(trained: learn.Estimator) -> None:
    with pytest.raises(ValueError, match=r"Expected to run at least one output from .*product"):
        trained.predict(X, outputs=["quotient"])
    with pytest.raises(ValueError, match="Metrics argument should be None or dict"):
        trained.evaluate(X, Y, metrics=["mean"])
    with pytest.raises(ValueError, match="provide only name, no prediction, but predictions are dict"):
        trained.evaluate(X, Y, metrics={"mean": v1.metrics.mean})
    with pytest.raises(ValueError, match="please return ModelFnOps"):
        learn.Estimator(lambda features, labels: features).fit(X, Y, steps=1)
    with pytest.raises(
        ValueError, match="model_dir are set both in constructor and RunConfig, but with differ"
    ):
        learn.Estimator(line, "one", learn.RunConfig(model_dir="other"))


def test_model_fn_ops_are_checked_and_become_a_spec() -> None:
    with tf.Graph().as_default():
        number = tf.constant([1.0])
        for mode, given, message in [
            ("train", {"loss": number}, "Missing train_op"),
            ("eval", {"predictions": number}, "Missing loss"),
            ("infer", {}, "Missing predictions"),
            ("predict", {}, "Invalid mode predict"),
            ("infer", {"predictions": number, "eval_metric_ops": []}, "eval_metric_ops must be a dict"),
            ("eval", {"predictions": number, "loss": tf.constant([1.0, 2.0])}, "Loss must be scalar"),
        ]:
            with pytest.raises(ValueError, match=message):
                learn.ModelFnOps(mode, **given)
        with pytest.raises(TypeError, match="must be SessionRunHook instances"):
            learn.ModelFnOps("infer", number, training_hooks=["hook"])
        ops = learn.ModelFnOps(
            "train",
            {"scores": number},
            number,
            tf.identity(number, name="step"),
            eval_metric_ops={"loss": number, "mean": v1.metrics.mean(number)},
            output_alternatives={"a": (learn.ProblemType.LINEAR_REGRESSION, {"scores": number})},
        )
        spec = ops.estimator_spec()
    assert ops.loss.shape == [] and ops.train_op.name == "step"
    assert isinstance(spec, core.EstimatorSpec) and set(spec.eval_metric_ops) == {"mean"}


def test_a_metric_function_gets_what_its_arguments_are_called() -> None:
    def given(function: Any, **keys: str) -> Any:
        spec = learn.MetricSpec(function, **keys)
        return spec.create_metric_ops({"w": "weight"}, {"l": "label"}, {"p": "prediction"})

    assert given(lambda labels, predictions: (labels, predictions)) == ("label", "prediction")
    assert given(lambda target, logits: (target, logits)) == ("label", "prediction")
    assert given(lambda labels, other: (labels, other)) == ("label", "prediction")
    assert given(lambda other, label: (other, label)) == ("prediction", "label")
    assert given(lambda other: other, prediction_key="p") == "prediction"
    assert given(lambda predictions, weights: (predictions, weights), weight_key="w") == (
        "prediction",
        "weight",
    )
    assert given(functools.partial(lambda k, predictions: (k, predictions), 3)) == (3, "prediction")
    for function, keys, message in [
        (lambda labels, label: 0, {}, "Ambiguous arguments"),
        (lambda predictions: 0, {"label_key": "l"}, "missing from"),
        (lambda predictions: 0, {"weight_key": "w"}, "missing from"),
    ]:
        with pytest.raises(ValueError, match=message):
            learn.MetricSpec(function, **keys)
    with pytest.raises(KeyError, match="quotient"):
        given(lambda predictions: 0, prediction_key="quotient")
    with pytest.raises(ValueError, match="requires predictions tensor or single element dict"):
        learn.MetricSpec(lambda predictions: 0).create_metric_ops({}, None, {"a": 1, "b": 2})
    with pytest.raises(ValueError, match="prediction_key specified requires predictions dict"):
        learn.MetricSpec(lambda predictions: 0, prediction_key="a").create_metric_ops({}, None, 1)


def test_a_session_master_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    config = learn.RunConfig(
        master="grpc://127.0.0.1:1", model_dir=str(tmp_path), session_creation_timeout_secs=1
    )
    with pytest.raises(ServerUnreachableError, match=r"127\.0\.0\.1:1"):
        learn.Estimator(line, config=config).fit(X, Y, max_steps=1)
    with pytest.raises(ValueError, match="master must be"):
        learn.Estimator(line, str(tmp_path), learn.RunConfig(master="127.0.0.1:1")).fit(X, Y, max_steps=1)


def test_a_run_config_reads_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = learn.RunConfig()
    assert (alone.is_chief, alone.task_type, alone.task_id, alone.master) == (True, None, 0, "")
    assert (alone.save_checkpoints_secs, alone.save_checkpoints_steps) == (600, None)
    assert learn.RunConfig(save_checkpoints_steps=5).save_checkpoints_secs is None
    monkeypatch.setenv(
        "TF_CONFIG",
        '{"cluster": {"ps": ["a:1"], "worker": ["b:1", "c:1"]}, "task": {"type": "worker", "index": 1},'
        ' "environment": "cloud"}',
    )
    config = learn.RunConfig(num_cores=2)
    assert (config.master, config.task_id, config.is_chief) == ("grpc://c:1", 1, False)
    assert (config.num_ps_replicas, config.num_worker_replicas) == (1, 2)
    assert (config.environment, config.tf_config.intra_op_parallelism_threads) == ("cloud", 2)


def test_the_uid_of_a_run_config_tells_experiments_apart() -> None:
    config = learn.RunConfig(model_dir="a")
    assert config.uid() == config.replace(save_checkpoints_steps=7).uid()
    assert config.uid() != config.replace(model_dir="b").uid()
    assert config.uid() != learn.RunConfig(model_dir="a", num_cores=2).uid()
    assert config.uid(whitelist=["model_dir"]) == config.replace(model_dir="b").uid(whitelist=["model_dir"])


def test_steps_that_no_monitor_wants_to_see_run_together(
    fresh: learn.Estimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = []
    on_step_begin = MonitorCallback.on_step_begin

    def spy(callback: MonitorCallback, step: int) -> list[Any]:
        watched.append(step)
        return on_step_begin(callback, step)

    monkeypatch.setattr(MonitorCallback, "on_step_begin", spy)
    fresh.fit(X, Y, steps=25, monitors=[learn.monitors.EveryN(every_n_steps=10)])
    assert watched == [1, 11, 21]  # not 25: the original did not tell monitors where a training ends


def test_a_subclass_may_build_the_graph_of_each_mode(fresh: learn.Estimator) -> None:
    class Doubling(learn.Estimator):
        def _get_predict_ops(self, features: Any) -> learn.ModelFnOps:
            ops = super()._get_predict_ops(features)
            return learn.ModelFnOps("infer", {"double": 2 * ops.predictions["product"]})

    model = Doubling(line, fresh.model_dir).fit(X, Y, steps=1)
    np.testing.assert_allclose(
        model.predict(X, as_iterable=False)["double"], 2 * fresh.predict(X, as_iterable=False)["product"]
    )


class Frame:
    """Has what is used of a `pandas.DataFrame`."""

    def __init__(self, array: np.ndarray):
        self.array, self.columns = array, list(range(array.shape[1]))

    def to_numpy(self) -> np.ndarray:
        return self.array


def test_data_frames_are_numbers_and_labels_one_column(fresh: learn.Estimator) -> None:
    fresh.fit(Frame(X.astype("int32")), Frame(Y[:, None]), steps=1)
    assert fresh.predict(Frame(X), as_iterable=False)["x"].dtype == np.float64
    for x, y, message in [
        (Frame(X), Frame(np.stack([Y, Y], 1)), "Only one column for labels is allowed"),
        (np.array([[{}]]), [1.0], "Data types must be int, float, bool or string"),
        (1.0, [1.0], "must have one row per example"),
    ]:
        with pytest.raises(ValueError, match=message):
            fresh.fit(x, y, steps=1)


def test_evaluations_in_other_processes_are_refused(fresh: learn.Estimator) -> None:
    fresh.fit(X, Y, steps=1)
    config = learn.RunConfig(evaluation_master="grpc://b:1")
    elsewhere = learn.Estimator(line, fresh.model_dir, config)
    with pytest.raises(NotImplementedError, match="evaluation_master of RunConfig is 'grpc://b:1'"):
        elsewhere.evaluate(X, Y)


def test_input_ends_that_the_model_does_not_use_and_predictions_may_be_sparse(fresh: learn.Estimator) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        sparse = tf.SparseTensor([[0, 0], [1, 0]], tf.stack([w, 2 * w]), [2, 1])
        loss = tf.square(w)
        step = v1.train.get_global_step()
        return {"s": sparse}, loss, v1.train.GradientDescentOptimizer(0.0).minimize(loss, step)

    model = learn.Estimator(model_fn, fresh.model_dir).fit(X, Y, steps=1)
    assert model.evaluate(X, Y, batch_size=2)["loss"] == 1.0
    batches = list(model.predict(X, batch_size=2, iterate_batches=True))
    assert [list(batch["s"].values) for batch in batches] == [[1.0, 2.0]] * 3


def test_queues_end_training_evaluation_and_prediction(fresh: learn.Estimator) -> None:
    def input_fn() -> Any:
        x, y = v1.train.slice_input_producer([tf.constant(X), tf.constant(Y)], num_epochs=1, shuffle=False)
        return v1.train.batch([x, y], 4, allow_smaller_final_batch=True)

    fresh.fit(input_fn=input_fn)
    assert fresh.get_variable_value("global_step") == 2
    assert fresh.evaluate(input_fn=input_fn)["global_step"] == 2
    assert [row["x"] for row in fresh.predict(input_fn=input_fn)] == list(X[:, 0])
