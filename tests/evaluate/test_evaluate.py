"""`evaluate`: what it returns, writes and restores, and how it ends."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from checkpoint_helpers import flip_a_bit
from helpers import read_events, scalar_events
from keras_legacy_train import CheckpointMismatchError, evaluate, train
from keras_legacy_train.programs.prefetched_feeds import PrefetchedFeeds, Prefetching
from keras_legacy_train.programs.update_windows import UpdateWindows
from keras_legacy_train.programs.window_size import WindowSize

v1 = tf.compat.v1


pytestmark = pytest.mark.usefixtures("no_writers_left")


@pytest.fixture(autouse=True)
def graph(graph: tf.Graph) -> tf.Graph:
    """Adds a global step."""
    v1.train.get_or_create_global_step()
    return graph


def inference_graph() -> tuple[Any, Any, tf.Tensor]:
    """A global variable of 1, a local one of 2, and their sum with an input that is 3 unless fed."""
    in0 = v1.get_variable("in0", [], initializer=v1.ones_initializer())
    in1 = v1.get_variable(
        "in1",
        [],
        initializer=v1.constant_initializer(2.0),
        trainable=False,
        collections=[v1.GraphKeys.LOCAL_VARIABLES],
    )
    x = v1.placeholder_with_default(3.0, [], name="x")
    return in0, in1, tf.add(in0 + in1, x, name="out")


def feeder(count: int) -> Any:
    """A feed_fn that feeds 0, 1, 2, … to x, `count` times."""
    values = iter(range(count))
    return lambda: {"x": next(values)}


def counter() -> tuple[tf.Operation, list[int]]:
    """An operation that counts its runs, and the list where it notes them."""
    runs: list[int] = []
    operation = v1.py_func(lambda: np.int64(runs.append(len(runs)) or 0), [], tf.int64).op
    return operation, runs


def test_returns_results_and_step_and_writes_one_summary(graph: tf.Graph, tmp_path: Path) -> None:
    *_, out = inference_graph()
    graph.finalize()
    assert evaluate(graph, str(tmp_path), None, {"a": out}, max_steps=1) == ({"a": 6.0}, 0)
    assert scalar_events(tmp_path) == {"a": {0: 6.0}}
    assert [event.WhichOneof("what") for event in read_events(tmp_path)] == ["file_version", "summary"]
    assert [path.name.split(".")[0] for path in tmp_path.iterdir()] == ["events"]


def test_graph_step_and_tensors_by_name(graph: tf.Graph, tmp_path: Path) -> None:
    inference_graph()
    meta = tmp_path / "graph.meta"
    v1.train.export_meta_graph(str(meta))
    results = evaluate(meta, tmp_path, None, {"a": "out:0"}, "in0/Assign", "global_step", max_steps=2)
    assert results == ({"a": 6.0}, 0)


def test_restores_a_checkpoint(graph: tf.Graph, tmp_path: Path) -> None:
    with graph.as_default():
        train_op, loss = graphs.linear_sgd()
    train(graph, tmp_path / "run", train_op, loss, max_steps=5, log_every_steps=None)
    written = sorted(path.name for path in (tmp_path / "run").iterdir())
    w = {variable.op.name: variable for variable in v1.global_variables()}["w"]
    expected = tf.train.load_variable(str(tmp_path / "run"), "w")
    for number, path in enumerate(
        [tmp_path / "run", str(tmp_path / "run"), tmp_path / "run" / "model.ckpt-5"]
    ):
        results, step = evaluate(graph, tmp_path / f"eval{number}", path, {"w": w}, max_steps=1)
        np.testing.assert_array_equal(results["w"], expected)
        assert step == 5
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == written


def test_a_damaged_checkpoint_file_is_named(graph: tf.Graph, tmp_path: Path) -> None:
    train_op, loss = graphs.linear_sgd()
    train(graph, tmp_path / "run", train_op, loss, max_steps=5, log_every_steps=None)
    data = tmp_path / "run" / "model.ckpt-5.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:10])
    with pytest.raises(ValueError, match=r"model\.ckpt-5' cannot be read"):
        evaluate(graph, tmp_path / "eval", tmp_path / "run" / "model.ckpt-5", {"loss": loss}, max_steps=1)
    assert not (tmp_path / "eval").exists()


def test_damaged_values_are_told_with_the_name_of_the_checkpoint(graph: tf.Graph, tmp_path: Path) -> None:
    train_op, loss = graphs.linear_sgd()
    train(graph, tmp_path / "run", train_op, loss, max_steps=5, log_every_steps=None)
    data = tmp_path / "run" / "model.ckpt-5.data-00000-of-00001"
    flip_a_bit(data)
    with pytest.raises((ValueError, tf.errors.DataLossError), match=r"model\.ckpt-5"):
        evaluate(graph, tmp_path / "eval", tmp_path / "run" / "model.ckpt-5", {"loss": loss}, max_steps=1)


def test_a_checkpoint_file_that_is_not_there_is_named(graph: tf.Graph, tmp_path: Path) -> None:
    _, loss = graphs.linear_sgd()
    with pytest.raises(ValueError, match=r"There is no checkpoint.*nowhere"):
        evaluate(graph, tmp_path / "eval", tmp_path / "nowhere", {"loss": loss}, max_steps=1)
    assert not (tmp_path / "eval").exists()


def test_local_variables_may_depend_on_restored_ones(graph: tf.Graph, tmp_path: Path) -> None:
    v = v1.get_variable("v", [], initializer=v1.ones_initializer())
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        session.run(v1.assign(v, 5.0))
        path = v1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    local = v1.get_variable(
        "local", initializer=v + 1.0, trainable=False, collections=[v1.GraphKeys.LOCAL_VARIABLES]
    )
    results, _ = evaluate(graph, tmp_path / "eval", path, {"local": local}, max_steps=1)
    assert results == {"local": 6.0}


def test_saver_of_the_collection_decides_what_is_read(graph: tf.Graph, tmp_path: Path) -> None:
    in0, _, out = inference_graph()
    saver = v1.train.Saver({"under/another/name": in0})
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        session.run(v1.assign(in0, 10.0))
        path = saver.save(session, str(tmp_path / "model.ckpt"))
    with pytest.raises(CheckpointMismatchError):
        evaluate(graph, tmp_path / "eval", path, {"a": out}, max_steps=1)
    v1.add_to_collection(v1.GraphKeys.SAVERS, saver)
    assert evaluate(graph, tmp_path / "eval", path, {"a": out}, max_steps=1) == ({"a": 15.0}, 0)
    assert evaluate(graph, tmp_path / "eval", None, {"a": out}, max_steps=1) == ({"a": 6.0}, 0)


def test_feed_fn_is_called_before_each_step(graph: tf.Graph, tmp_path: Path) -> None:
    *_, out = inference_graph()
    with graph.as_default():
        three = tf.constant(3)
    seen = []

    def feed_fn() -> dict[str, Any]:
        seen.append(three.eval())
        return {"x": 10.0 * len(seen)}

    assert evaluate(graph, tmp_path, None, {"a": out}, feed_fn=feed_fn, max_steps=3) == ({"a": 33.0}, 0)
    assert seen == [3, 3, 3]


@pytest.mark.parametrize(
    ("max_steps", "level"), [(None, logging.INFO), (3, logging.WARNING)], ids=["endless", "bounded"]
)
def test_ends_when_the_feeds_end(
    max_steps: int | None, level: int, graph: tf.Graph, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    *_, out = inference_graph()
    assert evaluate(graph, tmp_path, None, {"a": out}, feed_fn=feeder(2), max_steps=max_steps) == (
        {"a": 4.0},
        0,
    )
    ends = [record for record in caplog.records if "exhausted" in record.message]
    assert [(record.levelno, record.message) for record in ends] == [
        (level, "Input iterator is exhausted after 2 steps.")
    ]


def test_no_feeds_at_all(graph: tf.Graph, tmp_path: Path) -> None:
    *_, out = inference_graph()
    assert evaluate(graph, tmp_path, None, {"a": out}, feed_fn=feeder(0)) == (None, 0)
    assert list(tmp_path.iterdir()) == []


def test_update_op_is_fed_and_results_are_computed_last(graph: tf.Graph, tmp_path: Path) -> None:
    *_, out = inference_graph()
    total = v1.get_variable("total", [], initializer=v1.zeros_initializer())
    update = v1.assign_add(total, out)
    results, _ = evaluate(
        graph, tmp_path, None, {"total": total, "last": out}, update, feed_fn=feeder(4), max_steps=4
    )
    assert results == {"total": 3.0 + 4 + 5 + 6, "last": 6.0}


def test_an_update_op_that_is_named_twice_runs_once_a_step(graph: tf.Graph, tmp_path: Path) -> None:
    count = v1.get_variable("count", [], initializer=v1.zeros_initializer())
    update_op = v1.assign_add(count, 1.0)
    results, _ = evaluate(graph, tmp_path, None, {"count": count}, [update_op, update_op.op], max_steps=5)
    assert results == {"count": 5.0}


def test_update_op_runs_each_step_in_few_calls(
    graph: tf.Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, runs = counter()
    windows = []
    run = UpdateWindows.run

    def noting_run(self: UpdateWindows, *arguments: Any) -> Any:
        steps, error = run(self, *arguments)
        windows.append(steps)
        return steps, error

    monkeypatch.setattr(UpdateWindows, "run", noting_run)
    evaluate(graph, tmp_path, None, {}, update, max_steps=600, log_every_steps=None)
    assert len(runs) == sum(windows) == 600
    assert len(windows) < 60


def test_metrics_over_an_input_that_ends(graph: tf.Graph, tmp_path: Path) -> None:
    values = np.arange(10, dtype="float32")
    iterator = v1.data.make_initializable_iterator(tf.data.Dataset.from_tensor_slices(values))
    v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    mean, update = v1.metrics.mean(iterator.get_next())
    for max_steps, expected in [(None, 4.5), (4, 1.5), (30, 4.5)]:
        results, _ = evaluate(graph, tmp_path, None, {"mean": mean}, update, max_steps=max_steps)
        assert results == {"mean": expected}


def test_eval_dict_over_an_input_that_ends(graph: tf.Graph, tmp_path: Path) -> None:
    iterator = v1.data.make_one_shot_iterator(tf.data.Dataset.range(3))
    assert evaluate(graph, tmp_path, None, {"x": iterator.get_next()}) == ({"x": 2}, 0)


def test_queue_runners_fill_the_queues(graph: tf.Graph, tmp_path: Path) -> None:
    x = v1.train.input_producer(tf.constant([1.0, 2.0, 3.0]), num_epochs=2, shuffle=False).dequeue()
    total = v1.get_variable("total", [], initializer=v1.zeros_initializer())
    results, _ = evaluate(graph, tmp_path, None, {"total": total}, v1.assign_add(total, x))
    assert results == {"total": 12.0}


def test_failure_of_a_queue_runner_is_raised(graph: tf.Graph, tmp_path: Path) -> None:
    def fail() -> Any:
        raise OSError("no such disk")

    queue = v1.FIFOQueue(10, [tf.float32], shapes=[[]])
    enqueue = queue.enqueue([v1.py_func(fail, [], tf.float32)])
    v1.train.add_queue_runner(v1.train.QueueRunner(queue, [enqueue]))
    with pytest.raises(tf.errors.UnknownError, match="no such disk"):
        evaluate(graph, tmp_path, None, {"x": queue.dequeue()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("feed", [False, True], ids=["windows", "fed"])
@pytest.mark.parametrize(("every", "logged"), [(3, [3, 6]), (0, [1, 2, 3, 4, 5, 6, 7]), (10, []), (None, [])])
def test_log_lines(
    every: int | None,
    logged: list[int],
    feed: bool,
    graph: tf.Graph,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    total = v1.get_variable("total", [], tf.int32, initializer=v1.zeros_initializer())
    feed_fn = (lambda: {}) if feed else None
    evaluate(graph, tmp_path, None, {"n": total}, v1.assign_add(total, 1), None, "", every, feed_fn, 7)
    first, *results, last = [record.message for record in caplog.records]
    assert first == "Eval steps [0,7) for training step 0."
    assert [line.split(" (")[0] for line in results] == [f"Results after {n} steps" for n in logged]
    assert [line.split("): ")[1] for line in results] == [f"n = {n}." for n in logged]
    assert last == "Saving evaluation summary for step 0: n = 7"


def test_max_steps_of_zero_computes_the_results_once(graph: tf.Graph, tmp_path: Path) -> None:
    update, runs = counter()
    *_, out = inference_graph()
    assert evaluate(graph, tmp_path, None, {"a": out}, update, max_steps=0) == ({"a": 6.0}, 0)
    assert runs == []


def test_only_numbers_become_summaries(
    graph: tf.Graph, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tensors = {
        "float": tf.constant(0.5),
        "int": tf.constant(3),
        "double": tf.constant(2.5, tf.float64),
        "vector": tf.constant([1.0, 2.0]),
        "text": tf.constant("x"),
    }
    evaluate(graph, tmp_path, None, {**tensors, "nothing": tf.no_op()}, max_steps=1)
    assert scalar_events(tmp_path) == {"float": {0: 0.5}, "int": {0: 3.0}, "double": {0: 2.5}}
    # TensorFlow warns too, of what is deprecated, once in a process.
    records = [record for record in caplog.records if record.name == "keras_legacy_train"]
    assert [record.message for record in records if record.levelno == logging.WARNING] == [
        f"Skipping summary for {tag}, must be a number." for tag in ("vector", "text")
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"output_dir": ""}, "Output directory should be non-empty"),
        ({"output_dir": None}, "Output directory should be non-empty"),
        ({"max_steps": -1}, "max_steps"),
        ({"max_steps": 1.5}, "max_steps"),
        ({"log_every_steps": "10"}, "log_every_steps"),
        ({"supervisor_master": "grpc://host"}, "supervisor_master"),
        ({"feed_fn": {"x": 1.0}}, "feed_fn"),
        ({"eval_dict": ["out"]}, "eval_dict"),
        ({"eval_dict": {"a": "nowhere:0"}}, "nowhere:0"),
        ({"update_op": "nowhere"}, "update_op"),
        ({"global_step_tensor": "nowhere"}, "global_step_tensor"),
        ({"checkpoint_path": "/nowhere/model.ckpt-1"}, "/nowhere/model.ckpt-1"),
        ({"checkpoint_path": "."}, "no checkpoint"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_arguments_leave_no_trace(
    changed: dict[str, Any],
    message: str,
    graph: tf.Graph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    *_, out = inference_graph()
    arguments = {"output_dir": "eval", "checkpoint_path": None, "eval_dict": {"a": out}, "max_steps": 1}
    with pytest.raises(ValueError, match=message):
        evaluate(graph, **{**arguments, **changed})
    assert list(tmp_path.iterdir()) == []


def test_a_graph_without_a_global_step(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        one = tf.constant(1.0)
    with pytest.raises(ValueError, match="global_step"):
        evaluate(graph, tmp_path, None, {"a": one}, max_steps=1)


def test_errors_of_the_graph_are_raised(graph: tf.Graph, tmp_path: Path) -> None:
    x = v1.placeholder(tf.float32, [], name="needed")
    with pytest.raises(tf.errors.InvalidArgumentError, match="needed"):
        evaluate(graph, tmp_path, None, {"x": x}, max_steps=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("has_update", [True, False])
def test_fed_steps_in_one_call_are_single_steps(has_update: bool, graph: tf.Graph, tmp_path: Path) -> None:
    x = v1.placeholder(tf.float32, [None], name="x")
    total = v1.get_local_variable("total", [], initializer=v1.zeros_initializer())
    added = v1.assign_add(total, tf.reduce_sum(x))
    shown = {"total": total if has_update else added, "x": x}
    update = added if has_update else None
    looked_at = {}

    def evaluated(steps: int, looks: tuple[int, ...]) -> Any:
        array, calls = np.empty(2, np.float32), iter(range(steps))

        def feed_fn() -> dict[str, Any]:
            call = next(calls)
            if call in looks:
                looked_at[call] = v1.get_default_session().run(total)
            array.fill(call)
            return {"x": array}

        return evaluate(graph, tmp_path, None, shown, update, feed_fn=feed_fn, log_every_steps=None)[0]

    steps = 300
    for looks in ((), (0,), (200, 201, 299)):
        results = evaluated(steps, looks)
        assert results["total"] == sum(range(0, 2 * steps, 2))
        assert results["x"].tolist() == [steps - 1, steps - 1]
    assert looked_at == {call: sum(range(0, 2 * call, 2)) for call in (0, 200, 201, 299)}


@pytest.mark.parametrize("has_update", [False, True])
def test_a_look_at_the_session_comes_after_all_steps_before_it(
    has_update: bool, graph: tf.Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the first time that several steps would run in one call."""
    monkeypatch.setattr(Prefetching, "SECONDS_PER_OPERATION", 0.0)
    monkeypatch.setattr(PrefetchedFeeds, "MAX_SECONDS", 1e9)
    monkeypatch.setattr(WindowSize, "__call__", lambda self: 64)
    x = v1.placeholder(tf.float32, [None], name="x")
    total = v1.get_local_variable("total", [], initializer=v1.zeros_initializer())
    added = v1.assign_add(total, tf.reduce_sum(x))
    array, calls, seen = np.empty(2, np.float32), iter(range(40)), []

    def feed_fn() -> dict[str, Any]:
        call = next(calls)
        if call == 30:
            seen.append(v1.get_default_session().run(total))
        array.fill(call)
        return {"x": array}

    shown, update = ({"total": total}, added) if has_update else ({"total": added}, None)
    options = {"feed_fn": feed_fn, "max_steps": 40, "log_every_steps": None}
    results, _ = evaluate(graph, tmp_path, None, shown, update, **options)
    assert seen == [sum(range(0, 60, 2))]
    assert results["total"] == sum(range(0, 80, 2))


def test_eval_dict_over_an_input_that_ends_within_a_call(graph: tf.Graph, tmp_path: Path) -> None:
    dataset = tf.data.Dataset.range(2_001).batch(2)
    batch = v1.data.make_one_shot_iterator(dataset).get_next()
    runs = v1.assign_add(v1.get_local_variable("runs", [], tf.int64, v1.zeros_initializer()), 1)
    results, _ = evaluate(graph, tmp_path, None, {"batch": batch, "runs": runs})
    assert results is not None
    assert results["batch"].tolist() == [2_000]
    assert results["runs"] == 1_001
