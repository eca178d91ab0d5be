"""An Experiment trains, evaluates and exports by its schedules, with both kinds of Estimators."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train import learn
from keras_legacy_train.learn import learn_runner
from learn_helpers import X, Y, line


def input_fn() -> Any:
    return {"x": tf.constant(X)}, tf.constant(Y)


def core_model_fn(features: Any, labels: Any, mode: str) -> core.EstimatorSpec:
    result = line(features, labels, mode)
    if isinstance(result, learn.ModelFnOps):
        return result.estimator_spec()
    return core.EstimatorSpec(mode, *result)


EXPORTED: list[tuple[Any, ...]] = []


def strategy() -> learn.ExportStrategy:
    EXPORTED.clear()

    def export_fn(estimator: Any, path: str, checkpoint_path: Any = None, eval_result: Any = None) -> str:
        EXPORTED.append((path, checkpoint_path, eval_result["global_step"]))
        return path

    return learn.ExportStrategy("mine", export_fn)


@pytest.fixture(params=["learn", "core"])
def estimator(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    config = learn.RunConfig(save_checkpoints_steps=4, model_dir=str(tmp_path / "model"))
    if request.param == "learn":
        return learn.Estimator(line, config=config)
    return core.Estimator(core_model_fn, config=config)


def make(estimator: Any, **options: Any) -> learn.Experiment:
    given = {"train_steps": 10, "eval_steps": 1, "eval_delay_secs": 0, "check_interval_secs": None}
    return learn.Experiment(estimator, input_fn, input_fn, **(given | options))


def test_it_trains_validates_and_exports(estimator: Any) -> None:
    steps = []

    class Steps(learn.monitors.BaseMonitor):
        def step_end(self, step: int, output: Any) -> bool:
            steps.append(step)
            return super().step_end(step, output)

    experiment = make(estimator, train_monitors=[Steps()], export_strategies=strategy())
    results, exports = experiment.train_and_evaluate()
    assert results["global_step"] == 10 and steps == [*range(1, 11)]
    assert exports == [str(Path(estimator.model_dir) / "export" / "mine")] and len(EXPORTED) == 1
    assert [path.name for path in Path(estimator.model_dir).glob("eval*")] == ["eval"]
    assert experiment.evaluate()["global_step"] == 10
    assert (Path(estimator.model_dir) / "eval_one_pass").is_dir()


def test_it_may_evaluate_and_export_each_checkpoint(estimator: Any) -> None:
    experiment = make(estimator, checkpoint_and_export=True, export_strategies=[strategy()])
    results, _ = experiment.train_and_evaluate()
    assert results["global_step"] == 10
    assert [step for _, _, step in EXPORTED] == [0, 4, 8, 10]
    assert all(path is not None for _, path, _ in EXPORTED)


def test_it_trains_and_evaluates_by_turns(estimator: Any) -> None:
    experiment = make(estimator, train_steps_per_iteration=5, export_strategies=strategy())
    results, _ = experiment.continuous_train_and_eval()
    assert results["global_step"] == 10 and [step for _, _, step in EXPORTED] == [5, 10]
    seen = []
    experiment.continuous_eval(
        throttle_delay_secs=0, continuous_eval_predicate_fn=lambda results: seen.append(results) or True
    )
    assert seen[0] is None and seen[1]["global_step"] == 10 and len(seen) == 2
    experiment.continuous_eval_on_train_data(
        throttle_delay_secs=0,
        continuous_eval_predicate_fn=lambda results, checkpoint_path: checkpoint_path is None,
    )
    assert (Path(estimator.model_dir) / "eval_continuous_on_train_data").is_dir()


def test_a_test_takes_one_step(estimator: Any) -> None:
    assert make(estimator, export_strategies=strategy()).test()["global_step"] == 1
    assert len(EXPORTED) == 1


def test_monitors_know_both_kinds_of_estimators(estimator: Any) -> None:
    metrics = {"mean": learn.MetricSpec(tf.compat.v1.metrics.mean_absolute_error, "product")}
    monitor = learn.monitors.ValidationMonitor(
        input_fn=input_fn, eval_steps=1, metrics=metrics, every_n_steps=2, check_interval_secs=None
    )
    export = learn.monitors.ExportMonitor(1, estimator.model_dir, input_fn=input_fn)
    if isinstance(estimator, core.Estimator):
        for given, message in [
            (monitor, "tf.estimator.Estimator does not support .* metrics"),
            (export, "ExportMonitor does not support `tf.estimator.Estimator"),
        ]:
            with pytest.raises(ValueError, match=message):
                make(estimator, train_monitors=[given]).train()
        monitor.metrics = None
    make(estimator, train_monitors=[monitor]).train()
    assert list(Path(estimator.model_dir).glob("eval/*"))


def test_arguments_that_cannot_be_right_are_named(fresh: learn.Estimator, tmp_path: Path) -> None:
    model = core.Estimator(core_model_fn, str(tmp_path))
    for given, options, message in [
        (model, {"eval_metrics": {}}, "`eval_metrics` must be `None`"),
        (object(), {}, "`estimator` must implement"),
        (fresh, {"saving_listeners": []}, "`saving_listeners` must be `None`"),
        (fresh, {"train_steps_per_iteration": 1.5}, "must be an integer"),
        (fresh, {"export_strategies": ["mine"]}, "`export_strategies` must be an ExportStrategy"),
    ]:
        with pytest.raises(ValueError, match=message):
            make(given, **options)
    experiment = make(fresh)
    with pytest.raises(ValueError, match="must be a callable, or None"):
        experiment.continuous_eval(continuous_eval_predicate_fn=3)
    with pytest.raises(ValueError, match="TF_CONFIG must name a task of its cluster"):
        experiment.run_std_server()
    odd = learn.ExportStrategy("odd", lambda estimator, path, eval_result: path)
    with pytest.raises(ValueError, match="must also accept checkpoint_path"):
        odd.export(fresh, "path")


def test_a_runner_makes_and_runs_an_experiment(tmp_path: Path) -> None:
    config = learn.RunConfig(model_dir=str(tmp_path / "a"))

    def experiment_fn(run_config: Any, hparams: Any) -> learn.Experiment:
        return make(learn.Estimator(line, config=run_config, params=hparams), train_steps=2)

    results, _ = learn_runner.run(experiment_fn, run_config=config, hparams={"learning_rate": 0.01})
    assert results["global_step"] == 2
    by_dir = functools.partial(lambda output_dir: make(learn.Estimator(line, output_dir), train_steps=3))
    trained = learn_runner.run(by_dir, output_dir=str(tmp_path / "b"), schedule="train")
    assert trained.get_variable_value("global_step") == 3
    other = learn.RunConfig(model_dir=str(tmp_path / "c"))
    for arguments, error, message in [
        ({"output_dir": "d", "run_config": config}, ValueError, "Cannot provide both"),
        ({}, ValueError, "Must set value for `output_dir` or `run_config`"),
        ({"output_dir": "d", "hparams": {}}, ValueError, "Must set `hparams` as None"),
        ({"run_config": learn.RunConfig()}, ValueError, "Must specify a model directory"),
        ({"run_config": config, "schedule": "fly"}, ValueError, "non-existent task fly"),
        ({"run_config": config, "schedule": "train_steps"}, TypeError, "non-callable member"),
    ]:
        with pytest.raises(error, match=message):
            learn_runner.run(experiment_fn, **arguments)
    with pytest.raises(RuntimeError, match="expected to be used by the `Estimator`"):
        learn_runner.run(lambda run_config, hparams: experiment_fn(config, hparams), run_config=other)
    with pytest.raises(TypeError, match="did not return an Experiment"):
        learn_runner.run(lambda run_config, hparams: None, run_config=other)


def test_a_tuner_runs_an_experiment_for_each_trial(tmp_path: Path) -> None:
    class Tuner:
        rates = [0.01, 0.02]  # noqa: RUF012
        seen: list[Any] = []  # noqa: RUF012

        def next_trial(self) -> bool:
            return bool(self.rates)

        def run_experiment(self, make_experiment: Any) -> None:
            rate = self.rates.pop()
            config = learn.RunConfig(model_dir=str(tmp_path / str(rate)))
            self.seen.append(make_experiment(config, {"learning_rate": rate}).estimator.params)

    def experiment_fn(run_config: Any, hparams: Any) -> learn.Experiment:
        return make(learn.Estimator(line, config=run_config, params=hparams))

    learn_runner.tune(experiment_fn, Tuner())
    assert Tuner.seen == [{"learning_rate": 0.02}, {"learning_rate": 0.01}]
