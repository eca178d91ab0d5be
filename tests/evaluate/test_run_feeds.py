"""`infer`, `run_n`, `run_feeds` and `run_feeds_iter`: values, sessions, and that nothing is left running."""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import CheckpointMismatchError, infer, run_feeds, run_feeds_iter, run_n, train

v1 = tf.compat.v1


pytestmark = pytest.mark.usefixtures("graph")


def inference_graph() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """A variable of 1 plus a local one of 2 plus an input that is 3 unless fed."""
    a = v1.get_variable("a", [], initializer=v1.ones_initializer())
    b = v1.get_variable(
        "b",
        [],
        initializer=v1.constant_initializer(2.0),
        trainable=False,
        collections=[v1.GraphKeys.LOCAL_VARIABLES],
    )
    c = v1.placeholder_with_default(3.0, [], name="c")
    return a, c, tf.add(a + b, c, name="out")


def runner_threads() -> list[str]:
    """Names of the threads of queue runners."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("QueueRunner")]


def endless_queue() -> tf.Tensor:
    """The next of 1, 2, 3, 1, 2, … out of a queue that a queue runner fills."""
    return v1.train.input_producer(tf.constant([1.0, 2.0, 3.0]), shuffle=False).dequeue()


def test_infer() -> None:
    a, c, out = inference_graph()
    assert infer(None, {"a": a, "c": c, "out": out}) == {"a": 1.0, "c": 3.0, "out": 6.0}


def test_infer_with_feeds() -> None:
    _, c, out = inference_graph()
    assert infer(None, {"out": out}, feed_dict={c: 10.0}) == {"out": 13.0}
    assert infer(None, {"out": out}, feed_dict={"c": 10.0}) == {"out": 13.0}


def test_infer_in_another_default_graph() -> None:
    *_, out = inference_graph()
    with tf.Graph().as_default():
        inference_graph()
        tf.constant(0.0, name="only_here")
        assert infer(None, {"out": out}) == {"out": 6.0}
        assert infer(None, {"x": "only_here:0"}) == {"x": 0.0}


def test_infer_keeps_keys_and_structures() -> None:
    a, c, out = inference_graph()
    pair = collections.namedtuple("pair", "first second")
    sparse = tf.SparseTensor([[1]], [2.0], [3])
    got = infer(None, {1: [a, (c,)], "pair": pair(out, "c:0"), "sparse": sparse, "none": tf.no_op()})
    assert got[1] == [1.0, (3.0,)] and got["pair"] == pair(6.0, 3.0) and got["none"] is None
    np.testing.assert_array_equal(got["sparse"].values, [2.0])


@pytest.mark.parametrize("path", ["", "/model.ckpt"], ids=["directory", "checkpoint"])
def test_infer_from_a_checkpoint(path: str, tmp_path: Path) -> None:
    a, _, out = inference_graph()
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        session.run(v1.assign(a, 10.0))
        v1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
    assert infer(f"{tmp_path}{path}", {"out": out}) == {"out": 15.0}
    assert infer(Path(f"{tmp_path}{path}"), {"out": out}) == {"out": 15.0}
    v1.get_variable("another", [])
    with pytest.raises(CheckpointMismatchError, match="another"):
        infer(f"{tmp_path}{path}", {"out": out})


def test_a_model_that_draws_samples_draws_others_each_time(graph: tf.Graph, tmp_path: Path) -> None:
    step = v1.train.get_or_create_global_step()
    samples = tf.random.uniform([4])
    train(graph, tmp_path, v1.assign_add(step, 1), tf.reduce_mean(samples), max_steps=3)
    first, second = (infer(tmp_path, {"x": samples})["x"] for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("outputs", "feeds", "error"),
    [
        ({"out": None}, None, TypeError),
        ({"out": "out:0"}, {"c:0": None}, TypeError),
        ({"out": "out:0"}, {None: 1.0}, TypeError),
        ({"out": "out:0"}, {"c:0": [1.0, 2.0]}, ValueError),
        ({"out": "out:0"}, {"d:0": 1.0}, ValueError),
        ({"out": "nowhere:0"}, None, ValueError),
        ({}, None, ValueError),
        (["out:0"], None, ValueError),
    ],
)
def test_infer_refuses(outputs: Any, feeds: Any, error: type[Exception]) -> None:
    inference_graph()
    with pytest.raises(error):
        infer(None, outputs, feeds)


@pytest.mark.parametrize(
    ("feeds", "which"),
    [({"c:0": None}, "'c:0' is fed None"), ({None: 1.0}, "the key None is fed 1.0")],
)
def test_fed_none_is_told_as_the_original_did(feeds: Any, which: str) -> None:
    *_, out = inference_graph()
    with pytest.raises(TypeError, match=f"^Can not convert a NoneType into a Tensor: {which}"):
        infer(None, {"out": out}, feeds)


def test_feed_dicts_that_are_no_list() -> None:
    *_, out = inference_graph()
    for feed_dicts in ({"c:0": 1.0}, "c:0", 3):
        with pytest.raises(ValueError, match="feed_dicts must be a list of dicts, or yield them; it is "):
            run_feeds({"out": out}, feed_dicts)


def test_tensors_of_several_graphs() -> None:
    *_, out = inference_graph()
    with tf.Graph().as_default():
        other = tf.constant(1.0)
    with pytest.raises(ValueError, match="one graph"):
        infer(None, {"a": out, "b": other})


@pytest.mark.parametrize("path", ["/nowhere/model.ckpt-1", "{}"], ids=["checkpoint", "directory"])
def test_no_such_checkpoint(path: str, tmp_path: Path) -> None:
    *_, out = inference_graph()
    path = path.format(tmp_path)
    with pytest.raises(ValueError, match=path):
        infer(path, {"out": out})


def test_run_n_goes_on_from_run_to_run() -> None:
    a, c, _ = inference_graph()
    raised = v1.assign_add(a, c)
    assert run_n({"a": raised}, n=3) == [{"a": 4.0}, {"a": 7.0}, {"a": 10.0}]
    assert run_n({"a": raised}, {c: 1.0}, n=2) == [{"a": 2.0}, {"a": 3.0}]
    assert run_n({"a": raised}) == [{"a": 4.0}]
    assert run_n({"a": raised}, n=0) == []


def test_run_feeds() -> None:
    _, c, out = inference_graph()
    assert run_feeds({"out": out}, [{c: 1.0}, None, {c: 2.0}]) == [{"out": 4.0}, {"out": 6.0}, {"out": 5.0}]
    for empty in ([], None, ()):
        with pytest.raises(ValueError, match="feed_dicts is invalid"):
            run_feeds({"out": out}, empty)


def test_run_feeds_iter_is_lazy() -> None:
    _, c, out = inference_graph()
    taken = []

    def feeds() -> Iterator[Any]:
        for value in range(3):
            taken.append(value)
            yield {c: value}

    items = run_feeds_iter({"out": out}, feeds())
    assert taken == []
    assert next(items) == {"out": 3.0}
    assert taken == [0]
    assert [item["out"] for item in items] == [4.0, 5.0]


def test_run_feeds_iter_raises_for_bad_arguments_when_iterated() -> None:
    items = run_feeds_iter({}, [{}])
    with pytest.raises(ValueError, match="output_dict is invalid"):
        next(items)


def test_the_session_is_the_default_while_iterating(graph: tf.Graph) -> None:
    a, *_ = inference_graph()
    raised = v1.assign_add(a, 1.0)
    with tf.Graph().as_default():
        for item in run_feeds_iter({"raised": raised}, [{}, {}]):
            assert v1.get_default_graph() is graph
            assert not tf.executing_eagerly()
            assert a.eval() == item["raised"]
            assert (a * 2.0).eval() == 2 * item["raised"]
        assert v1.get_default_session() is None
        assert v1.get_default_graph() is not graph


def test_feeds_may_be_computed_in_the_session() -> None:
    a, c, out = inference_graph()
    raised = v1.assign_add(a, 1.0)
    feeds = ({c: raised.eval()} for _ in range(2))
    assert [item["out"] for item in run_feeds_iter({"out": out}, feeds)] == [2.0 + 2 + 2, 3.0 + 2 + 3]


@pytest.mark.parametrize("ending", ["exhausted", "closed", "raised"])
def test_queue_runners_are_stopped(ending: str) -> None:
    x = endless_queue()
    items = run_feeds_iter({"x": x}, [{}, {}, {}, {}])
    assert next(items) == {"x": 1.0}
    assert runner_threads()
    if ending == "exhausted":
        assert [item["x"] for item in items] == [2.0, 3.0, 1.0]
    elif ending == "closed":
        items.close()
    else:
        with pytest.raises(KeyError):
            items.throw(KeyError("of the caller"))
    assert runner_threads() == []
    assert v1.get_default_session() is None


def test_a_caller_that_raises_stops_the_queue_runners() -> None:
    x = endless_queue()
    with pytest.raises(ZeroDivisionError):
        for _ in run_feeds_iter({"x": x}, [{}, {}]):
            assert runner_threads()
            1 / 0  # noqa: B018
    assert runner_threads() == []


def test_failure_of_a_queue_runner_is_raised() -> None:
    def fail() -> Any:
        raise OSError("no such disk")

    queue = v1.FIFOQueue(10, [tf.float32], shapes=[[]])
    enqueue = queue.enqueue([v1.py_func(fail, [], tf.float32)])
    v1.train.add_queue_runner(v1.train.QueueRunner(queue, [enqueue]))
    with pytest.raises(tf.errors.UnknownError, match="no such disk"):
        infer(None, {"x": queue.dequeue()})


def test_an_input_that_ends_raises() -> None:
    iterator = v1.data.make_one_shot_iterator(tf.data.Dataset.range(2))
    items = run_feeds_iter({"x": iterator.get_next()}, [{}, {}, {}])
    assert [next(items)["x"], next(items)["x"]] == [0, 1]
    with pytest.raises(tf.errors.OutOfRangeError):
        next(items)


@pytest.mark.parametrize("collection", [v1.GraphKeys.RESOURCES, v1.GraphKeys.LOCAL_RESOURCES])
def test_registered_resources_are_created(collection: str) -> None:
    resource = collections.namedtuple("resource", "handle create is_initialized")
    handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[], shared_name="registered")
    create = tf.raw_ops.AssignVariableOp(resource=handle, value=7.0)
    created = tf.raw_ops.VarIsInitializedOp(resource=handle)
    v1.add_to_collection(collection, resource(handle, create, created))
    for item in run_feeds_iter({"created": created}, [{}]):
        assert item["created"] and created.eval()


def test_tables_and_iterators_are_initialised() -> None:
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(["a", "b"], np.array([1.0, 2.0], "float32")), 0.0
    )
    iterator = v1.data.make_initializable_iterator(tf.data.Dataset.from_tensor_slices(["b", "c"]))
    v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    assert run_n({"x": table.lookup(iterator.get_next())}, n=2) == [{"x": 2.0}, {"x": 0.0}]


# So many runs of the graphs here are certain to run many in one call.
MANY = 300


def running_sum() -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """What is fed to x, a running sum of it, a random number, and the name of the length, all changing."""
    v1.set_random_seed(3)
    x = v1.placeholder(tf.float32, [None], name="x")
    total = v1.get_variable("total", [], initializer=v1.zeros_initializer())
    added = v1.assign_add(total, tf.reduce_sum(x))
    length = tf.strings.as_string(tf.shape(x)[0])
    return x, {"x": tf.identity(x), "total": added, "random": v1.random_uniform([]), "length": length}


def test_many_runs_in_one_call_are_single_runs() -> None:
    x, outputs = running_sum()
    lengths = [1 + (number // 40) % 3 if number % 7 else 2 for number in range(MANY)]
    feeds = [{x: np.full(length, number, np.float32)} for number, length in enumerate(lengths)]
    together, singly = run_feeds(outputs, feeds), list(run_feeds_iter(outputs, feeds))
    assert len(together) == MANY
    for one, other in zip(together, singly, strict=True):
        np.testing.assert_equal(one, other)
        assert {key: type(value) for key, value in one.items()} == {k: type(v) for k, v in other.items()}


def test_feeds_that_are_computed_in_the_session_see_the_runs_before() -> None:
    x, outputs = running_sum()

    def feeds() -> Iterator[Any]:
        for number in range(MANY):
            if number in (150, 151, 299):
                assert v1.get_default_session().run("total:0") == sum(range(number))
            yield {x: [number]}

    assert run_feeds(outputs, feeds())[-1]["total"] == sum(range(MANY))


def test_an_array_may_be_filled_anew_for_each_run() -> None:
    x, outputs = running_sum()
    array = np.empty(2, np.float32)

    def feeds() -> Iterator[Any]:
        for number in range(MANY):
            array.fill(number)
            yield {x: array}

    assert [item["x"].tolist() for item in run_feeds(outputs, feeds())] == [[n, n] for n in range(MANY)]


def test_a_run_that_fails_among_many_raises_its_error() -> None:
    x, outputs = running_sum()
    checked = v1.debugging.check_numerics(outputs["total"], "the sum is no number")
    feeds = [{x: [np.nan if number == MANY - 3 else 1.0]} for number in range(MANY)]
    with pytest.raises(tf.errors.InvalidArgumentError, match="the sum is no number"):
        run_feeds({"total": checked}, feeds)


def test_now_one_tensor_is_fed_and_now_another() -> None:
    x = v1.placeholder_with_default(1.0, [], name="x")
    y = v1.placeholder_with_default(2.0, [], name="y")
    feeds = [{x: number} if number // 30 % 2 else {y: -number} for number in range(MANY)]
    results = run_feeds({"x": x, "y": y, "sum": x + y}, feeds)
    expected = [(number, 2) if number // 30 % 2 else (1, -number) for number in range(MANY)]
    assert [(each["x"], each["y"], each["sum"]) for each in results] == [(a, b, a + b) for a, b in expected]
