"""`train_and_evaluate` and the hooks that stop by what it finds; see also the goldens."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest
import tensorflow as tf

from estimator_models import batches, endless_batches, linear_model_fn
from keras_legacy_train import estimator
from keras_legacy_train.callbacks import hook_schedule
from keras_legacy_train.estimator import EvalSpec, TrainSpec, experimental, train_and_evaluate


def linear(directory: Any, save_steps: int = 5, keep: int | None = None) -> estimator.Estimator:
    config = estimator.RunConfig(save_checkpoints_steps=save_steps, keep_checkpoint_max=keep)
    return estimator.Estimator(linear_model_fn, str(directory), config, params={})


def evaluated(directory: Any) -> list[int]:
    return list(experimental.read_eval_metrics(Path(directory, "eval")))


@hypothesis.settings(max_examples=6)
@hypothesis.given(targets=st.lists(st.integers(1, 9), min_size=1, max_size=3), save_steps=st.integers(1, 5))
def test_what_is_evaluated_are_the_checkpoints_that_exist(
    tmp_path_factory: pytest.TempPathFactory, targets: list[int], save_steps: int
) -> None:
    directory = tmp_path_factory.mktemp("run")
    for target in targets:
        train_and_evaluate(
            linear(directory, save_steps),
            TrainSpec(endless_batches, max_steps=target),
            EvalSpec(batches, throttle_secs=0),
        )
    kept = tf.train.get_checkpoint_state(str(directory)).all_model_checkpoint_paths
    steps = [int(path.rpartition("-")[2]) for path in kept]
    assert evaluated(directory) == [step for step in steps if step > 0]
    assert steps[-1] == max(targets)


def test_the_evaluator_task_evaluates_until_the_model_is_trained(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear(tmp_path).train(endless_batches, max_steps=6)
    slept: list[float] = []
    cluster = {"chief": ["localhost:1"], "worker": ["localhost:2"]}
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "evaluator", "index": 0}})
    )
    trains_meanwhile = linear(tmp_path)
    monkeypatch.delenv("TF_CONFIG")

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:  # the delay, the evaluation of 6, and one without a new checkpoint
            linear(tmp_path).train(endless_batches, max_steps=9)

    monkeypatch.setattr(time, "sleep", sleep)
    answer = train_and_evaluate(
        trains_meanwhile,
        TrainSpec(endless_batches, max_steps=9),
        EvalSpec(batches, start_delay_secs=50, throttle_secs=1000),
    )
    assert answer is None
    assert slept[0] == 50 and len(slept) == 3
    assert evaluated(tmp_path) == [6, 9]


def test_a_cluster_of_one_chief_trains_in_its_process_and_evaluates_nothing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = {"type": "chief", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"chief": ["localhost:1"]}, "task": task}))
    answer = train_and_evaluate(linear(tmp_path), TrainSpec(endless_batches, 6), EvalSpec(batches))
    assert answer is None
    assert (tmp_path / "model.ckpt-6.index").exists() and not (tmp_path / "eval").exists()


def test_workers_begin_one_after_the_other(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    linear(tmp_path).train(endless_batches, max_steps=6)  # so that nothing is left for the cluster
    cluster = {"chief": ["a:1"], "ps": ["b:1"], "worker": [f"c{number}:1" for number in range(20)]}
    for index, most in ((0, None), (1, None), (19, None), (19, 7), (3, 0)):
        task = {"type": "worker", "index": index}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
        config = estimator.RunConfig(experimental_max_worker_delay_secs=most)
        model = estimator.Estimator(linear_model_fn, str(tmp_path), config, params={})
        assert train_and_evaluate(model, TrainSpec(endless_batches, 6), EvalSpec(batches)) is None
    assert slept == [5, 10, 60, 7]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"type": "evaluator", "index": 1}, "there can only be one `evaluator` task"),
        ({"type": "adviser", "index": 0}, "Task type adviser is not supported"),
        ({"type": "ps", "index": 0}, "0.0.0.0:2222 is all addresses of this machine"),
    ],
)
def test_a_task_without_work_is_an_error(
    task: Any, message: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"chief": ["a:1"], "ps": ["0.0.0.0:2222"], "adviser": ["b:1"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    with pytest.raises(ValueError, match=message):
        train_and_evaluate(linear(tmp_path), TrainSpec(batches), EvalSpec(batches))


def test_specs_are_checked() -> None:
    hook, listener = tf.compat.v1.train.SessionRunHook(), tf.compat.v1.train.CheckpointSaverListener()
    spec = TrainSpec(batches, 3, [hook], [listener])
    assert spec == (batches, 3, (hook,), (listener,)) and spec.max_steps == 3
    assert EvalSpec(batches)[1:] == (100, None, (), (), 120, 600)
    for call, error, message in (
        (lambda: TrainSpec(None), TypeError, "`input_fn` must be callable, given: None"),
        (lambda: TrainSpec(batches, 0), ValueError, "Must specify max_steps > 0, given: 0"),
        (lambda: TrainSpec(batches, hooks=[1]), TypeError, "All hooks must be `SessionRunHook` instances"),
        (
            lambda: TrainSpec(batches, saving_listeners=[hook]),
            TypeError,
            "`CheckpointSaverListener` instances",
        ),
        (lambda: EvalSpec(batches, 0), ValueError, "Must specify steps > 0, given: 0"),
        (lambda: EvalSpec(batches, name=1), TypeError, "`name` must be string, given: 1"),
        (lambda: EvalSpec(batches, exporters=[1]), TypeError, "`exporters` must be an Exporter"),
        (lambda: EvalSpec(batches, start_delay_secs=-1), ValueError, "Must specify start_delay_secs >= 0"),
        (lambda: EvalSpec(batches, throttle_secs=-1), ValueError, "Must specify throttle_secs >= 0"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_exporters_have_names_of_their_own() -> None:
    class Named(estimator.Exporter):
        def __init__(self, name: Any):
            self._name = name

        @property
        def name(self) -> Any:
            return self._name

        def export(self, *arguments: Any, **more: Any) -> None:
            pass

    assert len(EvalSpec(batches, exporters=Named("a")).exporters) == 1
    for names, message in (
        (["a", "a"], "must have unique names"),
        (["a", ""], "cannot have a name that is `None` or empty"),
        ([3], "must have a string name"),
    ):
        with pytest.raises(ValueError, match=message):
            EvalSpec(batches, exporters=[Named(name) for name in names])


def test_other_things_than_specs_are_refused(tmp_path: Any) -> None:
    model, train, evaluate = linear(tmp_path), TrainSpec(batches), EvalSpec(batches)
    for arguments, name in (
        ((None, train, evaluate), "`estimator` must have type `tf.estimator.Estimator`"),
        ((model, evaluate, evaluate), "`train_spec` must have type `tf.estimator.TrainSpec`"),
        ((model, train, train), "`eval_spec` must have type `tf.estimator.EvalSpec`"),
    ):
        with pytest.raises(TypeError, match=name):
            train_and_evaluate(*arguments)


def test_an_early_stopping_hook_is_called_only_when_it_asks(tmp_path: Any) -> None:
    hook = experimental.make_early_stopping_hook(linear(tmp_path), lambda: False, None, 7)
    with tf.Graph().as_default():
        tf.compat.v1.train.create_global_step()
        hook.begin()
        assert hook_schedule.next_step(hook, 0) == 1
        values = tf.compat.v1.train.SessionRunValues(1, None, None)
        hook.after_run(None, values)
        assert hook_schedule.next_step(hook, 1) == 8


def test_early_stopping_hooks_check_their_arguments(tmp_path: Any) -> None:
    model = linear(tmp_path)
    make = experimental.make_early_stopping_hook
    with pytest.raises(TypeError, match="`estimator` must have type"):
        make(None, bool)
    with pytest.raises(TypeError, match="`should_stop_fn` must be callable"):
        make(model, True)
    with pytest.raises(ValueError, match="Only one of `run_every_secs` and `run_every_steps`"):
        make(model, bool, 1, 1)
    with pytest.raises(ValueError, match="last_step must be specified"):
        experimental.make_stop_at_checkpoint_step_hook(model, None)
    with pytest.raises(ValueError, match="invalid every_n_iter=0"):
        experimental.InMemoryEvaluatorHook(model, batches, every_n_iter=0)
    with pytest.raises(ValueError, match=r"not expected args: \['weights'\]"):
        estimator.add_metrics(model, lambda labels, weights: {})


def test_a_metric_that_is_not_there_is_named(tmp_path: Any) -> None:
    model = linear(tmp_path)
    model.evaluate(batches)
    hook = experimental.stop_if_lower_hook(model, "accuracy", 0.5, run_every_secs=None, run_every_steps=1)
    with pytest.raises(KeyError, match=r"no metric 'accuracy'\. It has loss, mae"):
        model.train(endless_batches, hooks=[hook], steps=1)


def test_metrics_are_read_from_what_is_whole_of_damaged_files(tmp_path: Any) -> None:
    assert experimental.read_eval_metrics(tmp_path / "missing") == {}
    writer = tf.compat.v1.summary.FileWriter
    for step in (2, 1):
        with tf.Graph().as_default(), writer(str(tmp_path), filename_suffix=f".{step}") as events:
            for value in (0.5, 0.25):
                summary = tf.compat.v1.Summary()
                summary.value.add(tag="loss", simple_value=value * step)
                events.add_summary(summary, step)
    assert experimental.read_eval_metrics(tmp_path) == {1: {"loss": 0.25}, 2: {"loss": 0.5}}
    (damaged,) = tmp_path.glob("*.2")
    damaged.write_bytes(damaged.read_bytes()[:-3])
    assert experimental.read_eval_metrics(tmp_path) == {1: {"loss": 0.25}, 2: {"loss": 1.0}}


@pytest.mark.slow
def test_the_evaluation_in_memory_goes_on_in_a_new_session_and_with_hooks(tmp_path: Any) -> None:
    model = linear(tmp_path)
    begun: list[int] = []

    class Hook(tf.compat.v1.train.SessionRunHook):
        def begin(self) -> None:
            begun.append(1)

    hook = experimental.InMemoryEvaluatorHook(model, batches, hooks=[Hook()], every_n_iter=2)
    model.train(endless_batches, hooks=[hook], steps=3)
    model.train(endless_batches, hooks=[hook], steps=2)
    assert evaluated(tmp_path) == [0, 2, 3, 5] and len(begun) == 6
    metrics = experimental.read_eval_metrics(tmp_path / "eval")
    assert metrics[5]["loss"] == pytest.approx(model.evaluate(batches)["loss"])


def test_the_model_is_built_once_for_all_evaluations_and_other_input_is_seen(tmp_path: Any) -> None:
    modes: list[str] = []
    sizes = iter([2, 2, 3, 3])

    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> estimator.EstimatorSpec:
        modes.append(mode)
        return linear_model_fn(features, labels, mode, params)

    config = estimator.RunConfig(save_checkpoints_steps=5, tf_random_seed=1)
    model = estimator.Estimator(model_fn, str(tmp_path), config, params={})
    evaluate = EvalSpec(lambda: batches(batch_size=next(sizes)), throttle_secs=0, steps=1)
    results, _ = train_and_evaluate(model, TrainSpec(endless_batches, max_steps=20), evaluate)
    assert modes == ["train", "eval", "eval"]
    expected = model.evaluate(lambda: batches(batch_size=3), steps=1)
    assert results == pytest.approx(expected) and modes == ["train", "eval", "eval", "eval"]


def test_the_same_graph_of_which_an_input_function_returns_something_else_is_other_input(
    tmp_path: Any,
) -> None:
    given = iter(["x", "y", "x", "y"])

    def input_fn() -> Any:
        tensors = {"x": tf.constant([[1.0]]), "y": tf.constant([[2.0]])}
        return {"x": tensors[next(given)]}

    def model_fn(features: Any, mode: str) -> estimator.EstimatorSpec:
        step = tf.compat.v1.train.get_global_step()
        loss = tf.reduce_sum(features["x"])
        return estimator.EstimatorSpec(mode, loss=loss, train_op=tf.compat.v1.assign_add(step, 1))

    model = estimator.Estimator(model_fn, str(tmp_path), estimator.RunConfig(save_checkpoints_steps=5))
    train_spec = TrainSpec(lambda: {"x": tf.constant([[3.0]])}, max_steps=15)
    train_and_evaluate(model, train_spec, EvalSpec(input_fn, throttle_secs=0, steps=2))
    metrics = experimental.read_eval_metrics(tmp_path / "eval")
    assert [metrics[step]["loss"] for step in sorted(metrics)] == [1.0, 2.0, 1.0]


def test_what_python_computes_of_a_metric_is_computed_once(tmp_path: Any) -> None:
    calls: list[float] = []

    def note(total: float) -> Any:
        calls.append(float(total))
        return total

    def model_fn(features: Any, labels: Any, mode: str) -> estimator.EstimatorSpec:
        mean, update = tf.compat.v1.metrics.mean(labels)
        noted = tf.ensure_shape(tf.compat.v1.py_func(note, [mean], tf.float32), [])
        return estimator.EstimatorSpec(mode, loss=tf.zeros([]), eval_metric_ops={"mean": (noted, update)})

    model = estimator.Estimator(model_fn, str(tmp_path))
    results = [model.evaluate(batches, steps=3) for _ in range(2)]
    assert calls == [pytest.approx(each["mean"]) for each in results]
