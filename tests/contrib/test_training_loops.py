"""`contrib.training` trains and evaluates: in sessions, and with `our_loop` with the same results."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1

from keras_legacy_train.contrib import training


def build() -> tuple[Any, Any]:
    """Returns the train op of a small model, and its variable."""
    data = tf.constant([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]])
    weight = tf1.get_variable("weight", initializer=[[0.5], [-0.5]])
    loss = tf.reduce_mean(tf.square(tf.matmul(data, weight) - 1.0))
    tf1.summary.scalar("loss", loss)
    return training.create_train_op(loss, tf1.train.AdamOptimizer(0.1)), weight


def checkpoints(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob("model.ckpt-*.index"))


def tags(directory: Path) -> dict[str, list[int]]:
    """Returns the steps of each summary in the event files, without those that tell of time."""
    steps: dict[str, list[int]] = {}
    for path in sorted(directory.glob("events.*")):
        for event in tf1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                steps.setdefault(value.tag, []).append(event.step)
    return steps


def run(directory: Path, **options: Any) -> tuple[Any, dict[str, np.ndarray]]:
    with tf.Graph().as_default():
        train_op, _ = build()
        hooks = [tf1.train.StopAtStepHook(last_step=options.pop("last_step"))]
        loss = training.train(train_op, directory, hooks=hooks, **options)
    newest = tf.train.latest_checkpoint(directory)
    reader = tf.train.load_checkpoint(newest)
    names = reader.get_variable_to_shape_map().keys() - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    names = {name for name in names if not name.startswith("save_counter")}
    return loss, {name: reader.get_tensor(name) for name in names}


@pytest.fixture(scope="module")
def by_session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """Returns the directory and the results of two runs, of 250 and 50 steps, in sessions."""
    directory = tmp_path_factory.mktemp("session")
    return directory, [run(directory, last_step=250), run(directory, last_step=300)]


def test_our_loop_gives_what_a_session_gives(by_session: tuple[Path, list[Any]], tmp_path: Path) -> None:
    directory, results = by_session
    with training.our_loop():
        ours = [run(tmp_path, last_step=250), run(tmp_path, last_step=300)]
    for (loss, variables), (session_loss, session_variables) in zip(ours, results, strict=True):
        assert type(loss) is type(session_loss)
        np.testing.assert_array_equal(loss, session_loss)
        assert variables.keys() == session_variables.keys()
        for name, value in variables.items():
            np.testing.assert_array_equal(value, session_variables[name], name)
    assert checkpoints(tmp_path) == checkpoints(directory)
    assert tags(tmp_path)["loss"] == [1, 101, 201, 251]
    # In a session, the step is read while it is raised.
    np.testing.assert_allclose(tags(directory)["loss"], [1, 101, 201, 251], atol=3)
    assert set(tags(tmp_path)) == set(tags(directory)) == {"loss", "global_step/sec"}
    assert (tmp_path / "graph.pbtxt").exists() and list(tmp_path.glob("*.meta"))


@pytest.mark.parametrize("context", [training.our_loop, None])
def test_training_without_a_directory_writes_nothing(context: Any, tmp_path: Path) -> None:
    options = {"save_checkpoint_secs": None, "save_summaries_steps": None}
    with tf.Graph().as_default(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        train_op, _ = build()
        hooks = [tf1.train.StopAtStepHook(num_steps=3)]
        if context is None:
            loss = training.train(train_op, None, hooks=hooks, **options)
        else:
            with context():
                loss = training.train(train_op, None, hooks=hooks, **options)
    assert np.isfinite(loss) and not list(tmp_path.iterdir())


def test_what_is_written_needs_a_directory() -> None:
    with pytest.raises(ValueError, match="save_summaries_steps"):
        training.train(None, None)
    with pytest.raises(ValueError, match="save_checkpoint_secs"):
        training.train(None, None, save_summaries_steps=None)


def test_our_loop_names_what_needs_a_session() -> None:
    with training.our_loop(), pytest.raises(ValueError, match=r"run_metadata needs a session"):
        training.train(None, "unused", run_metadata=tf1.RunMetadata())


def test_our_loop_takes_a_scaffold_and_hooks_of_the_chief(tmp_path: Path) -> None:
    class Counter(tf1.train.SessionRunHook):
        runs = 0

        def after_run(self, run_context: Any, run_values: Any) -> None:
            self.runs += 1

    counter, seen = Counter(), []
    with tf.Graph().as_default(), training.our_loop():
        train_op, weight = build()
        scaffold = tf1.train.Scaffold(init_fn=lambda scaffold, session: seen.append(session.run(weight)))
        hooks = [tf1.train.StopAtStepHook(num_steps=4)]
        training.train(train_op, tmp_path, scaffold=scaffold, hooks=hooks, chief_only_hooks=[counter])
    assert counter.runs == 4
    np.testing.assert_array_equal(seen, [[[0.5], [-0.5]]])


def evaluation() -> tuple[Any, Any]:
    """Returns the op that counts batches, and the sum of the weights so far."""
    weight = tf1.get_variable("weight", [2, 1])
    tf1.train.get_or_create_global_step()
    total, update = tf1.metrics.mean(weight)
    tf1.summary.scalar("mean", total)
    return update, total


def test_a_checkpoint_is_evaluated_batch_by_batch(
    by_session: tuple[Path, list[Any]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory, results = by_session
    expected = results[-1][1]["weight"].mean()
    with tf.Graph().as_default(), caplog.at_level(logging.INFO, "keras_legacy_train"):
        update, total = evaluation()
        value = training.evaluate_once(
            tf.train.latest_checkpoint(directory),
            eval_ops={"update": update},
            final_ops={"mean": total, "evals": training.get_or_create_eval_step()},
            hooks=[training.StopAfterNEvalsHook(25), training.SummaryAtEndHook(tmp_path)],
        )
    assert value["evals"] == 25
    np.testing.assert_allclose(value["mean"], expected, 1e-6)
    assert list(tags(tmp_path).values()) == [[300]]
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if line.startswith("Evaluation [")] == [
        f"Evaluation [{count}/25]" for count in [*range(2, 25, 2), 25]
    ]


def test_each_new_checkpoint_is_evaluated(tmp_path: Path) -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        weight = tf1.get_variable("weight", initializer=1.0)
        tf1.train.create_global_step()
        session.run(tf1.global_variables_initializer())
        saver = tf1.train.Saver()
        paths = [saver.save(session, str(tmp_path / "model.ckpt"), 1)]

        def save_another() -> bool:
            if len(paths) == 2:
                return True
            session.run(tf1.assign(weight, 2.0))
            paths.append(saver.save(session, str(tmp_path / "model.ckpt"), 2))
            return False

        seen = list(training.checkpoints_iterator(tmp_path, timeout=0, timeout_fn=save_another))
    assert seen == paths

    with tf.Graph().as_default():
        weight = tf1.get_variable("weight", [])
        value = training.evaluate_repeatedly(
            tmp_path,
            eval_ops=[weight],
            final_ops=weight,
            hooks=[training.StopAfterNEvalsHook(2, log_progress=False)],
            max_number_of_evaluations=1,
        )
    assert value == 2.0


def test_waiting_for_a_checkpoint_ends_in_time(tmp_path: Path) -> None:
    assert training.wait_for_new_checkpoint(tmp_path, timeout=0) is None
    assert list(training.checkpoints_iterator(tmp_path, timeout=0)) == []
    assert training.wait_for_new_checkpoint(tmp_path, seconds_to_sleep=0.01, timeout=0.05) is None
    with tf.Graph().as_default():
        assert training.evaluate_repeatedly(tmp_path, timeout=0, final_ops=tf.constant(1)) is None


def test_an_evaluation_without_a_limit_ends_with_its_input(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.get_variable("weight", initializer=[[1.0], [3.0]])
        tf1.train.create_global_step()
        session.run(tf1.global_variables_initializer())
        path = tf1.train.Saver().save(session, str(tmp_path / "model.ckpt"), 1)
    with tf.Graph().as_default(), caplog.at_level(logging.INFO, "keras_legacy_train"):
        _, total = evaluation()
        batch = tf1.data.make_one_shot_iterator(tf.data.Dataset.range(3)).get_next()
        training.evaluate_once(
            path, eval_ops=[batch], final_ops=total, hooks=[training.StopAfterNEvalsHook(None)]
        )
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if line.startswith("Evaluation [")] == [
        f"Evaluation [{count}]" for count in (1, 2, 3)
    ]
    with tf.Graph().as_default():
        for _ in range(2):
            tf1.add_to_collection(tf1.GraphKeys.EVAL_STEP, tf.constant(0))
        with pytest.raises(ValueError, match="Multiple tensors"):
            training.get_or_create_eval_step()


def test_our_loop_warns_that_it_has_no_session_to_configure(caplog: pytest.LogCaptureFixture) -> None:
    with tf.Graph().as_default(), training.our_loop(), caplog.at_level(logging.WARNING):
        train_op, _ = build()
        config = tf1.ConfigProto(log_device_placement=True)
        hooks = [tf1.train.StopAtStepHook(last_step=1)]
        training.train(
            train_op, None, hooks=hooks, config=config, save_checkpoint_secs=None, save_summaries_steps=None
        )
    assert "log_device_placement" in caplog.text


def test_a_hook_that_writes_needs_a_place() -> None:
    with pytest.raises(ValueError, match="log_dir or summary_writer"):
        training.SummaryAtEndHook()


@pytest.mark.parametrize(
    ("error", "call"),
    [
        ("must be a list", lambda: training.multiply_gradients((), {"a": 1.0})),
        ("is empty", lambda: training.multiply_gradients([], {})),
        ("must be a dict", lambda: training.multiply_gradients([], [1.0])),
        ("There is no variable to train", lambda: create(variables_to_train=[])),
        ("other is not trainable", lambda: create(variables_to_train=[untrained()])),
        ("`None` gradient", lambda: create(transform_grads_fn=scale_without_gradient)),
        ("at least one tensor", lambda: training.bucket([], 0, 2, 2)),
        ("batch_size must have one element for each of 2", lambda: training.bucket([1], 0, [2], 2)),
        ("bucket_capacities must have", lambda: training.bucket([1], 0, 2, 2, bucket_capacities=[3])),
        ("must not be empty", lambda: training.bucket_by_sequence_length(1, [1], 2, [])),
        ("boundaries must increase", lambda: training.bucket_by_sequence_length(1, [1], 2, [3, 3])),
        ("split must have one output; it has 2", lambda: training.byte_size_load_fn(split())),
    ],
)
def test_train_ops_that_cannot_be_made_say_why(error: str, call: Callable[[], Any]) -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError, match=error):
        call()


def split() -> Any:
    return tf.split(tf.zeros([4]), 2)[0].op


def create(**options: Any) -> Any:
    loss = tf.square(tf1.get_variable("weight", initializer=1.0))
    return training.create_train_op(loss, tf1.train.GradientDescentOptimizer(0.1), **options)


def untrained() -> Any:
    return tf1.get_variable("other", initializer=1.0, trainable=False)


def scale_without_gradient(gradients: Any) -> Any:
    return training.multiply_gradients([(None, variable) for _, variable in gradients], {"weight": 2.0})


def test_examples_are_put_in_the_bucket_that_is_told() -> None:
    def batches(tensors: Any, index: Any, size: Any = 2, **options: Any) -> list[Any]:
        batch = training.bucket(tensors, index % 2, size, 2, **options)
        seen = []
        with tf1.Session() as session:
            session.run(tf1.local_variables_initializer())
            coordinator = tf.train.Coordinator()
            threads = tf1.train.start_queue_runners(session, coordinator)
            with pytest.raises(tf.errors.OutOfRangeError):
                while True:
                    seen.append(session.run(batch))
            coordinator.request_stop()
            coordinator.join(threads, stop_grace_period_secs=10)
        return seen

    def index() -> Any:
        return tf1.train.range_input_producer(7, num_epochs=1, shuffle=False).dequeue()

    with tf.Graph().as_default():
        number = index()
        alone = batches([10 * number], number)
    # The fourth of the even numbers makes a batch; the third of the odd ones is left.
    assert sorted((int(which), batch.tolist()) for which, batch in alone) == [
        (0, [0, 20]),
        (0, [40, 60]),
        (1, [10, 30]),
    ]
    with tf.Graph().as_default():
        number = index()
        named = {"b": number, "a": -number}
        seen = batches(named, number, [3, 2], bucket_capacities=[4, 4], allow_smaller_final_batch=True)
    assert sorted((int(which), batch["a"].tolist(), batch["b"].tolist()) for which, batch in seen) == [
        (0, [-6], [6]),
        (0, [0, -2, -4], [0, 2, 4]),
        (1, [-5], [5]),
        (1, [-1, -3], [1, 3]),
    ]
    with tf.Graph().as_default():
        with pytest.raises(TypeError, match="takes no sparse tensors"):
            training.bucket([tf.sparse.from_dense([1])], 0, 2, 2)
        with pytest.raises(TypeError, match="must be a list of integers"):
            training.bucket_by_sequence_length(1, [1], 2, [1.5])


def test_servers_are_chosen_by_load() -> None:
    sizes = {"a": 8, "b": 2, "c": 3}
    with tf.Graph().as_default():
        ops = [tf1.get_variable(name, [size]).op for name, size in sizes.items()]
    assert [training.byte_size_load_fn(op) for op in ops] == [32, 8, 12]
    greedy = training.GreedyLoadBalancingStrategy(2, training.byte_size_load_fn)
    assert [greedy(op) for op in ops] == [0, 1, 1]
    strategy = training.RandomStrategy(7, seed=3)
    assert [strategy(op) for op in ops] == [training.RandomStrategy(7, seed=3)(op) for op in ops]
