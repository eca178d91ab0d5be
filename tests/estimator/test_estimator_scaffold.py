"""What a model function gives beside its ops has its effect: scaffold, Saver, metrics, hooks and settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from estimator_models import LABELS, ROWS, batches, endless_batches, linear_model_fn
from keras_legacy_train.estimator import (
    CheckpointSaverListener,
    Estimator,
    EstimatorSpec,
    ModeKeys,
    RunConfig,
    SessionRunHook,
    VocabInfo,
    WarmStartSettings,
)

tf1 = tf.compat.v1


def spec(features: Any, labels: Any, mode: str, **fields: Any) -> EstimatorSpec:
    """Returns the spec of a linear model in a scope `model`, with further fields."""
    with tf1.variable_scope("model", reuse=tf1.AUTO_REUSE):
        return linear_model_fn(features, labels, mode, None)._replace(**fields)


def test_a_scaffold_says_how_variables_begin(tmp_path: Path) -> None:
    given: list[Any] = []

    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        made = spec(features, labels, mode)
        weights, bias = tf1.trainable_variables()
        start = tf1.placeholder(tf.float32, [2, 1])
        local = tf1.get_variable("local", [], collections=["local_variables"])
        init_op = tf.group(tf1.global_variables_initializer(), weights.assign(start))

        def init_fn(scaffold: Any, session: Any) -> None:
            given.append((scaffold, session.run(weights)))
            bias.load([5.0], session)

        others = [variable for variable in tf1.local_variables() if variable is not local]
        local_init_op = tf.group(local.assign(3.0), tf1.variables_initializer(others))
        scaffold = tf1.train.Scaffold(init_op, {start: [[7.0], [8.0]]}, init_fn, local_init_op=local_init_op)
        hooks = [tf1.train.FinalOpsHook({"local": local, "bias": bias, "summary": "mean_bias"})]
        tf1.summary.scalar("bias", tf.reduce_mean(bias))
        tf.reduce_mean(bias, name="mean_bias")
        given.append(hooks[0])
        return made._replace(
            train_op=tf1.assign_add(tf1.train.get_global_step(), 1),
            scaffold=scaffold,
            training_hooks=hooks,
        )

    model = Estimator(model_fn, tmp_path).train(endless_batches, steps=2)
    hook, (scaffold, started) = given
    assert isinstance(scaffold, tf1.train.Scaffold)
    assert scaffold.summary_op is not None
    assert scaffold.saver is not None
    np.testing.assert_array_equal(started, [[7.0], [8.0]])
    np.testing.assert_array_equal(hook.final_ops_values["local"], 3.0)
    np.testing.assert_array_equal(hook.final_ops_values["bias"], [5.0])
    np.testing.assert_array_equal(model.get_variable_value("model/weights"), [[7.0], [8.0]])
    given.clear()
    model.train(endless_batches, steps=1)  # from a checkpoint nothing is initialised
    assert len(given) == 1
    assert model.evaluate(batches)["global_step"] == 3  # the metrics' variables are initialised, too


def test_a_ready_op_that_names_variables_ends_the_training(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        return spec(features, labels, mode, scaffold=tf1.train.Scaffold(ready_op=tf.constant(["this one"])))

    with pytest.raises(RuntimeError, match=r"Init operations did not make model ready.*this one"):
        Estimator(model_fn, tmp_path).train(endless_batches, steps=1)


def test_a_saver_of_moving_averages_is_what_evaluation_and_prediction_restore_by(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        made = spec(features, labels, mode)
        average = tf1.train.ExponentialMovingAverage(0.5)
        if mode != ModeKeys.TRAIN:
            saver = tf1.train.Saver(average.variables_to_restore())
            return made._replace(scaffold=tf1.train.Scaffold(saver=saver))
        with tf.control_dependencies([made.train_op]):
            return made._replace(train_op=average.apply(tf1.trainable_variables()))

    model = Estimator(model_fn, tmp_path).train(endless_batches, steps=5)
    weights, bias = (
        model.get_variable_value(f"model/{name}/ExponentialMovingAverage") for name in ("weights", "bias")
    )
    for _ in range(2):
        outputs = [each["y"] for each in model.predict(batches)]
        np.testing.assert_allclose(outputs, ROWS @ weights + bias, rtol=1e-5)
    expected = np.abs(ROWS @ weights + bias - LABELS).mean()
    np.testing.assert_allclose(model.evaluate(batches)["mae"], expected, rtol=1e-5)


@pytest.mark.slow
def test_a_saver_with_names_of_its_own_says_what_checkpoints_hold_and_how_many(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        made = spec(features, labels, mode)
        weights, bias = tf1.trainable_variables()
        names = {"w": weights, "b": bias, "global_step": tf1.train.get_global_step()}
        return made._replace(scaffold=tf1.train.Scaffold(saver=tf1.train.Saver(names, max_to_keep=2)))

    config = RunConfig(str(tmp_path), save_checkpoints_steps=1)
    model = Estimator(model_fn, config=config).train(endless_batches, steps=3)
    assert model.get_variable_names() == ["b", "global_step", "w"]
    assert len(list(tmp_path.glob("*.index"))) == 2
    straight = Estimator(linear_model_fn, tmp_path / "straight", params={})
    straight.train(endless_batches, steps=3).train(endless_batches, steps=2)
    model.train(endless_batches, [SessionRunHook()], steps=2)
    np.testing.assert_array_equal(model.get_variable_value("w"), straight.get_variable_value("weights"))
    assert [each["y"] for each in model.predict(batches)] == [each["y"] for each in straight.predict(batches)]


class NotingSaver(tf1.train.Saver):
    """Notes what it does."""

    def __init__(self, done: list[str]):
        super().__init__(max_to_keep=2)
        self.done = done

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.done.append("save")
        return super().save(*args, **kwargs)

    def restore(self, *args: Any, **kwargs: Any) -> None:
        self.done.append("restore")
        super().restore(*args, **kwargs)


@pytest.mark.slow
@pytest.mark.parametrize("is_mock", [False, True])
def test_a_saver_with_methods_of_its_own_has_them_called(is_mock: bool, tmp_path: Path) -> None:
    done: list[str] = []

    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        made = spec(features, labels, mode)
        saver: Any = NotingSaver(done)
        if is_mock:
            real = tf1.train.Saver(max_to_keep=2)
            saver = mock.Mock(wraps=real, saver_def=real.saver_def)
            saver.save.side_effect = lambda *args, **kwargs: (done.append("save"), mock.DEFAULT)[1]
            saver.restore.side_effect = lambda *args: (done.append("restore"), mock.DEFAULT)[1]
        return made._replace(scaffold=tf1.train.Scaffold(saver=saver))

    class Listener(CheckpointSaverListener):
        def after_save(self, session: Any, global_step_value: int) -> None:
            done.append(f"heard {global_step_value}")

    config = RunConfig(str(tmp_path), save_checkpoints_steps=2)
    model = Estimator(model_fn, config=config)
    model.train(endless_batches, steps=4, saving_listeners=[Listener()])
    assert done == ["save", "heard 0", "save", "heard 2", "save", "heard 4"]
    assert len(list(tmp_path.glob("*.index"))) == 2
    done.clear()
    model.train(endless_batches, steps=1)
    assert done == ["restore", "save", "save"]  # as the original's hook does, also where it goes on
    assert model.get_variable_value("global_step") == 5
    assert len(list(tmp_path.glob("*.index"))) == 2
    done.clear()
    straight = Estimator(linear_model_fn, tmp_path / "straight", params={})
    straight.train(endless_batches, steps=4).train(endless_batches, steps=1)
    assert model.evaluate(batches) == straight.evaluate(batches)
    assert [each["y"] for each in model.predict(batches)] == [each["y"] for each in straight.predict(batches)]
    assert done == ["restore", "restore"]


def test_what_is_no_saver_is_named() -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError, match=r"scaffold.saver: .* lacks build, save, r"):
        EstimatorSpec(ModeKeys.EVAL, loss=tf.constant(1.0), scaffold=tf1.train.Scaffold(saver=object()))


def test_keras_metrics_are_metrics_and_leave_checkpoints_as_they_are(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        made = spec(features, labels, mode)
        if mode != ModeKeys.EVAL:
            return made
        metric = keras.metrics.MeanAbsoluteError()
        metric.update_state(labels, made.predictions["y"])
        return made._replace(eval_metric_ops={**made.eval_metric_ops, "keras": metric})

    model = Estimator(model_fn, tmp_path).train(endless_batches, steps=3)
    for _ in range(2):
        results = model.evaluate(batches)
        np.testing.assert_allclose(results["keras"], results["mae"], rtol=1e-6)
    with tf.Graph().as_default(), pytest.raises(ValueError, match="Please call update_state"):
        metric = keras.metrics.MeanAbsoluteError()
        EstimatorSpec(ModeKeys.EVAL, loss=tf.constant(1.0), eval_metric_ops={"mae": metric})


def test_keras_metrics_count_no_batch_beyond_the_end_of_the_input(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        mean = keras.metrics.Mean()
        mean.update_state(features)  # which counts one each time, whatever the feature is
        return EstimatorSpec(mode, loss=tf.constant(0.0), eval_metric_ops={"mean": mean})

    class Watching(SessionRunHook):
        def after_run(self, run_context: Any, run_values: Any) -> None:
            """Has each batch run on its own."""

    model = Estimator(model_fn, tmp_path)
    for hooks in ([], [], [Watching()]):
        assert model.evaluate(lambda: tf.data.Dataset.range(10), hooks=hooks)["mean"] == 4.5


def test_metric_names_of_the_estimator_are_refused(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> EstimatorSpec:
        return spec(features, labels, mode, eval_metric_ops={params: tf1.metrics.mean(labels)})

    for name, quoted in (("loss", '"loss"'), ("global_step", "`global_step`")):
        with pytest.raises(ValueError, match=f"Metric with name {quoted} is not allowed"):
            Estimator(model_fn, tmp_path, params=name).evaluate(batches)


def test_a_listener_may_end_the_training_and_sees_the_files_it_is_told_of(tmp_path: Path) -> None:
    class Listener(CheckpointSaverListener):
        def after_save(self, session: Any, global_step_value: int) -> bool:
            assert (tmp_path / f"model.ckpt-{global_step_value}.index").exists()
            assert session.run(tf1.train.get_global_step()) == global_step_value
            return global_step_value >= 4

    config = RunConfig(str(tmp_path), save_checkpoints_steps=2)
    model = Estimator(linear_model_fn, config=config, params={})
    model.train(endless_batches, steps=100, saving_listeners=[Listener()])
    assert model.get_variable_value("global_step") == 4


def test_a_saver_hook_of_the_users_stands_for_that_of_the_estimator(tmp_path: Path) -> None:
    saved: list[int] = []

    class Listener(CheckpointSaverListener):
        def after_save(self, session: Any, global_step_value: int) -> None:
            saved.append(global_step_value)

    hook = tf1.train.CheckpointSaverHook(str(tmp_path), save_steps=3)
    model = Estimator(linear_model_fn, tmp_path, params={})
    model.train(endless_batches, [hook], steps=6, saving_listeners=[Listener()])
    assert saved == [0, 3, 6]
    assert model.get_variable_value("global_step") == 6
    assert model.train(endless_batches, steps=1).get_variable_value("global_step") == 7


def test_checkpoints_are_kept_for_good_every_so_many_hours(tmp_path: Path) -> None:
    config = RunConfig(
        str(tmp_path), save_checkpoints_steps=1, keep_checkpoint_max=1, keep_checkpoint_every_n_hours=1e-9
    )
    Estimator(linear_model_fn, config=config, params={}).train(endless_batches, steps=3)
    assert len(list(tmp_path.glob("*.index"))) == 4
    config = config.replace(model_dir=str(tmp_path / "few"), keep_checkpoint_every_n_hours=1)
    Estimator(linear_model_fn, config=config, params={}).train(endless_batches, steps=3)
    assert len(list((tmp_path / "few").glob("*.index"))) == 1


def test_settings_of_the_files_have_their_effect(tmp_path: Path) -> None:
    config = RunConfig(
        str(tmp_path),
        save_summary_steps=None,
        log_step_count_steps=None,
        checkpoint_save_graph_def=False,
    )
    Estimator(linear_model_fn, config=config, params={}).train(endless_batches, steps=3)
    assert not (tmp_path / "graph.pbtxt").exists()
    assert not list(tmp_path.glob("*.meta"))
    (events,) = tmp_path.glob("*tfevents*")
    tags = [value.tag for event in tf1.train.summary_iterator(str(events)) for value in event.summary.value]
    assert tags == []


def test_what_has_no_effect_in_a_session_configuration_is_named(tmp_path: Path, log: Any) -> None:
    threads = tf1.ConfigProto(intra_op_parallelism_threads=2, allow_soft_placement=True)
    Estimator(linear_model_fn, config=RunConfig(str(tmp_path), session_config=threads), params={})
    (line,) = [record.getMessage() for record in log.records if record.levelname == "WARNING"]
    assert "session_config.intra_op_parallelism_threads has no effect" in line
    assert "tf.config.threading.set_intra_op_parallelism_threads" in line


def test_a_device_function_is_asked_for_the_device_of_each_operation(tmp_path: Path) -> None:
    devices: dict[str, str] = {}

    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        made = spec(features, labels, mode)
        devices.update((op.name, op.device) for op in tf1.get_default_graph().get_operations())
        return made

    def device_fn(op: Any) -> str:
        return "/cpu:0" if op.name.startswith("model") else ""

    config = RunConfig(str(tmp_path), device_fn=device_fn)
    Estimator(model_fn, config=config).train(endless_batches, steps=1)
    assert "cpu:0" in devices["model/weights"].lower()


def test_inputs_of_every_shape_reach_the_model_function(tmp_path: Path) -> None:
    seen: list[Any] = []

    def model_fn(features: Any, labels: Any, mode: str, params: Any, config: Any) -> EstimatorSpec:
        seen.append((features, labels, mode, params["a"], config.model_dir))
        total = tf.add_n(
            [
                tf.reduce_sum(tf.cast(each, tf.float32))
                for each in tf.nest.flatten(features)
                if not isinstance(each, tf.SparseTensor)
            ]
        )
        train_op = tf1.assign_add(tf1.train.get_global_step(), 1)
        return EstimatorSpec(mode, loss=total, train_op=train_op)

    model = Estimator(model_fn, tmp_path, params={"a": 1})

    def of_tensors(mode: str, params: Any, config: Any) -> Any:
        assert (mode, params, config.model_dir) == (ModeKeys.TRAIN, {"a": 1}, str(tmp_path))
        return {"x": tf.constant([1.0])}, {"y": tf.constant([2.0])}

    def sparse() -> Any:
        return {"s": tf.sparse.from_dense([[1.0, 0.0]]), "x": tf.constant([1.0])}, None

    def of_dataset() -> Any:
        return tf.data.Dataset.from_tensors({"x": [1.0], "s": tf.sparse.from_dense([[1.0]])}).repeat()

    class Callable:
        def __call__(self, params: Any) -> Any:
            return tf.constant([params["a"]])

    for input_fn in (
        of_tensors,
        sparse,
        of_dataset,
        Callable(),
        lambda: (tf.constant([1]), tf.constant([2])),
    ):
        model.train(input_fn, steps=1)
    assert [each[1] is None for each in seen] == [False, True, True, True, False]
    assert isinstance(seen[1][0]["s"], tf.SparseTensor)
    assert isinstance(seen[2][0]["s"], tf.SparseTensor)
    assert {each[2:] for each in seen} == {(ModeKeys.TRAIN, 1, str(tmp_path))}


def test_a_warm_start_knows_vocabularies_and_happens_only_without_a_checkpoint(tmp_path: Path) -> None:
    for name, words in (("old", "a\nb\nc\n"), ("new", "c\nd\na\n")):
        (tmp_path / name).write_text(words)

    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> EstimatorSpec:
        table = tf1.get_variable("table", [3, 1], initializer=tf1.constant_initializer(params["start"]))
        loss = 0.0 * tf.reduce_sum(table)
        return EstimatorSpec(mode, {"x": features["x"]}, loss, tf1.assign_add(tf1.train.get_global_step(), 1))

    first = Estimator(model_fn, tmp_path / "first", params={"start": [[1.0], [2.0], [3.0]]})
    first.train(endless_batches, steps=1)
    vocabulary = VocabInfo(str(tmp_path / "new"), 3, 0, str(tmp_path / "old"))
    settings = WarmStartSettings(first.model_dir, var_name_to_vocab_info={"table": vocabulary})
    second = Estimator(model_fn, tmp_path / "second", params={"start": 9.0}, warm_start_from=settings)
    second.train(endless_batches, steps=1)
    table = second.get_variable_value("table").ravel()
    np.testing.assert_array_equal(table[[0, 2]], [3.0, 1.0])
    by_path = Estimator(model_fn, tmp_path / "third", params={"start": 9.0}, warm_start_from=first.model_dir)
    np.testing.assert_array_equal(
        by_path.train(endless_batches, steps=1).get_variable_value("table").ravel(), [1.0, 2.0, 3.0]
    )
    other = Estimator(model_fn, second.model_dir, params={"start": 9.0}, warm_start_from=first.model_dir)
    other.train(endless_batches, steps=1)  # there is a checkpoint
    np.testing.assert_array_equal(other.get_variable_value("table").ravel(), table)


def test_the_position_in_the_input_is_part_of_a_checkpoint_if_that_is_asked_for(tmp_path: Path) -> None:
    in_parts = Estimator(linear_model_fn, tmp_path / "in parts", params={})
    for steps in (2, 3):
        in_parts.train(endless_batches, steps=steps, save_input_state=True)
    at_once = Estimator(linear_model_fn, tmp_path / "at once", params={}).train(endless_batches, steps=5)
    np.testing.assert_array_equal(
        in_parts.get_variable_value("weights"), at_once.get_variable_value("weights")
    )
    assert in_parts.get_variable_names() == at_once.get_variable_names()


def test_a_model_directory_that_nobody_names_is_a_temporary_one() -> None:
    model = Estimator(linear_model_fn, "", params={})
    assert os.path.isdir(model.model_dir)
    assert model.eval_dir() == os.path.join(model.model_dir, "eval")
    assert model.eval_dir("x") == os.path.join(model.model_dir, "eval_x")
    assert model.model_fn is not None
    os.rmdir(model.model_dir)
