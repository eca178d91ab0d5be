"""The session stand-in, compared with a `tf.compat.v1.Session` over the same graph."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import function

import graphs
from helpers import read_events
from keras_legacy_train import train
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession
from monitor_helpers import VARIABLE_KINDS

v1 = tf.compat.v1
Pair = collections.namedtuple("Pair", "first second")


class Things:
    """A graph with one of each kind of thing that can be fetched or fed."""

    def __init__(self, use_resource: bool):
        with tf.Graph().as_default() as self.graph:
            self.w = v1.get_variable("w", initializer=[1.0, 2.0], use_resource=use_resource)
            self.double = tf.multiply(self.w, 2.0, name="double")
            self.total = tf.add(self.double, self.w.read_value() + tf.reduce_sum(self.w), name="total")
            self.x = v1.placeholder(tf.float32, [None], name="x")
            self.plus = tf.add(self.x, 1.0, name="plus")
            self.middle = tf.multiply(self.plus, 10.0, name="middle")
            self.count = v1.placeholder(tf.uint8, [], name="count")
            self.text = v1.placeholder(tf.string, [None], name="text")
            self.joined = tf.strings.reduce_join(self.text, name="joined")
            self.sparse = v1.sparse_placeholder(tf.float32, name="sparse")
            self.dense = v1.sparse_tensor_to_dense(self.sparse)
            self.ragged = v1.ragged.placeholder(tf.int32, 1, [])
            self.ragged_double = self.ragged * 2
            self.slices = tf.IndexedSlices(self.x * 3.0, tf.constant([0, 1]), tf.constant([4]))
            self.assign = self.w.assign([7.0, 8.0])
            tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.0, name="table")
            self.init = v1.global_variables_initializer()


@pytest.fixture(params=[False, True], ids=["reference", "resource"])
def things(request: pytest.FixtureRequest) -> Things:
    return Things(request.param)


@pytest.fixture
def session(things: Things) -> GraphSession:
    session = GraphSession(LiftedGraph(things.graph))
    session.run(things.init)
    return session


@pytest.fixture
def peer(things: Things) -> Iterator[v1.Session]:
    with v1.Session(graph=things.graph) as peer:
        peer.run(things.init)
        yield peer


def assert_same(value: Any, expected: Any) -> None:
    """The same structure of the same types with the same values."""
    assert type(value) is type(expected)
    if isinstance(expected, dict):
        assert list(value) == list(expected)
        value, expected = list(value.values()), list(expected.values())
    if isinstance(expected, (list, tuple)):
        assert len(value) == len(expected)
        for one, other in zip(value, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert value.dtype == expected.dtype
        np.testing.assert_array_equal(value, expected)
    else:
        assert repr(value) == repr(expected)


FETCHES: dict[str, Callable[[Things], Any]] = {
    "tensor": lambda t: t.double,
    "operation": lambda t: t.double.op,
    "name": lambda t: "double:0",
    "name of operation": lambda t: "double",
    "variable": lambda t: t.w,
    "list": lambda t: [t.double, "total:0"],
    "empty list": lambda t: [],
    "empty tuple": lambda t: (),
    "empty dict": lambda t: {},
    "tuple": lambda t: (t.double, t.double.op),
    "namedtuple": lambda t: Pair(t.double, [t.total]),
    "dict": lambda t: {"b": t.double, "a": {"c": (t.total,)}},
    "ordered dict": lambda t: collections.OrderedDict(b=t.double, a=t.total),
    "twice": lambda t: [t.double, t.double],
    "scalar": lambda t: tf.reduce_sum(t.double),
}


@pytest.mark.parametrize("kind", FETCHES)
def test_fetch(kind: str, things: Things, session: GraphSession, peer: v1.Session) -> None:
    with things.graph.as_default():
        fetches = FETCHES[kind](things)
    assert_same(session.run(fetches), peer.run(fetches))


FEEDS: dict[str, Callable[[Things], tuple[Any, dict[Any, Any]]]] = {
    "placeholder": lambda t: (t.plus, {t.x: [1.0, 2.0]}),
    "name": lambda t: (t.plus, {"x:0": np.array([1.0, 2.0])}),
    "int for float": lambda t: (t.plus, {t.x: [1, 2]}),
    "empty": lambda t: (t.plus, {t.x: []}),
    "string": lambda t: (t.joined, {t.text: ["a", b"b"]}),
    "computed tensor": lambda t: (t.middle, {t.plus: [5.0]}),
    "fed and fetched": lambda t: ([t.x, t.plus], {t.x: [1.0]}),
    "not needed": lambda t: (t.double, {t.x: [1.0]}),
    "variable": lambda t: ([t.w, t.total] if not hasattr(t.w, "handle") else t.w, {t.w: [5.0, 6.0]}),
    "sparse": lambda t: ([t.sparse, t.dense], {t.sparse: v1.SparseTensorValue([[0, 1]], [2.0], [2, 2])}),
    "sparse from a tuple": lambda t: (t.dense, {t.sparse: ([[0, 1]], [2.0], [2, 2])}),
    "ragged": lambda t: (t.ragged_double, {t.ragged: v1.ragged.constant_value([[1], [2, 3]], np.int32)}),
    "slices": lambda t: (t.slices, {t.x: [1.0, 2.0]}),
    "slices fed": lambda t: (t.slices, {t.slices: (np.ones(2, "f"), np.array([3, 2]), np.array([4]))}),
    "tuple of tensors": lambda t: ([t.plus, t.double], {(t.x, t.double): (np.ones(1), np.ones(2))}),
    "nothing": lambda t: (t.double, {}),
    "none": lambda t: (t.double, None),
}  # fmt: skip


@pytest.mark.parametrize("kind", FEEDS)
def test_feed(kind: str, things: Things, session: GraphSession, peer: v1.Session) -> None:
    with things.graph.as_default():
        fetches, feed_dict = FEEDS[kind](things)
        assert_same(session.run(fetches, feed_dict), peer.run(fetches, feed_dict))


def test_name_of_an_operation_feeds_its_output(session: GraphSession) -> None:
    assert session.run("plus:0", {"x": [1.0]}) == [2.0]


def test_fed_variable_keeps_its_value(things: Things, session: GraphSession) -> None:
    with things.graph.as_default():
        session.run(things.total, {things.w: [9.0, 9.0]})
    np.testing.assert_array_equal(session.run(things.w), [1.0, 2.0])


@pytest.mark.parametrize(
    ("feed_dict", "text"),
    [
        ({"no such": 1.0}, "Cannot feed 'no such:0': it is no tensor of the graph"),
        ({"x:7": 1.0}, "Cannot feed 'x:7'"),
        ({"table:0": 1.0}, "Tensor table:0 may not be fed."),
        ({"x:0": 1.0}, "x:0 takes shape (None,) and dtype float32; it was given shape ()"),
        ({"x:0": None}, "x:0 takes shape (None,) and dtype float32, fed as an array; it was given None."),
        ({"x:0": ["a"]}, "x:0 takes shape (None,) and dtype float32"),
        ({"count:0": 256}, "count:0 takes shape () and dtype uint8; it was given 256"),
        ([("x:0", 1.0)], "Feeds must be a dict from tensors or names to values, not a list"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_wrong_feed(feed_dict: Any, text: str, session: GraphSession) -> None:
    with pytest.raises(ValueError) as raised:
        session.run("double:0", feed_dict)
    assert text in str(raised.value).replace("(?,)", "(None,)")  # as TensorFlow 1 writes shapes


def test_symbolic_value(things: Things, session: GraphSession) -> None:
    with pytest.raises(
        ValueError, match=r"x:0 takes .* fed as an array; it was given <tf\.Tensor 'double:0'"
    ):
        session.run(things.plus, {things.x: things.double})


def test_placeholder_not_fed(things: Things, session: GraphSession) -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="You must feed a value for placeholder tensor 'x'"
    ):
        session.run(things.plus)


@pytest.mark.parametrize(
    ("fetches", "error"), [(None, TypeError), (3, TypeError), ("no such:0", ValueError), ([None], TypeError)]
)
def test_wrong_fetch(fetches: Any, error: type[Exception], session: GraphSession, peer: v1.Session) -> None:
    for one in (session, peer):
        with pytest.raises(error):
            one.run(fetches)


def test_options(session: GraphSession) -> None:
    np.testing.assert_array_equal(session.run("double:0", options=v1.RunOptions()), [2.0, 4.0])
    with pytest.raises(ValueError, match=r"tf\.profiler\.experimental"):
        session.run("double:0", options=v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE))
    with pytest.raises(ValueError, match=r"tf\.profiler\.experimental"):
        session.run("double:0", run_metadata=v1.RunMetadata())


# make_callable, partial_run.


def test_make_callable(things: Things, session: GraphSession, peer: v1.Session) -> None:
    for feed_list, values in [([things.x], ([1.0, 2.0],)), (["x:0"], ([3.0],)), ([things.plus], ([3.0],))]:
        here, there = (one.make_callable({"m": things.middle}, feed_list) for one in (session, peer))
        values = tuple(np.array(value, "float32") for value in values)
        assert_same(here(*values), there(*values))
    assert session.make_callable(things.assign.op)() is None
    np.testing.assert_array_equal(session.run(things.w), [7.0, 8.0])


def test_make_callable_feeds_a_variable(things: Things, session: GraphSession) -> None:
    np.testing.assert_array_equal(session.make_callable(things.w, [things.w])([3.0, 4.0]), [3.0, 4.0])


def test_make_callable_with_options(things: Things, session: GraphSession) -> None:
    takes = session.make_callable(things.double, accept_options=True)
    np.testing.assert_array_equal(takes(options=v1.RunOptions(), run_metadata=None), [2.0, 4.0])
    with pytest.raises(TypeError, match="Made without accept_options=True, but called with options"):
        session.make_callable(things.double)(options=None)
    with pytest.raises(ValueError, match=r"feed_list names 1 values; 2 were given\."):
        session.make_callable(things.plus, [things.x])(1, 2)


def test_partial_run(things: Things, session: GraphSession) -> None:
    with pytest.raises(NotImplementedError, match="Partial runs are not supported"):
        session.partial_run_setup([things.plus], [things.x])
    with pytest.raises(NotImplementedError, match="Partial runs are not supported"):
        session.partial_run("handle", [things.plus])


# What else a Session has.


def test_graph(things: Things, session: GraphSession, peer: v1.Session) -> None:
    assert session.graph is things.graph
    assert [node.name for node in session.graph_def.node] == [node.name for node in peer.graph_def.node]
    assert session.sess_str == ""


def test_list_devices(session: GraphSession) -> None:
    assert "CPU" in [device.device_type for device in session.list_devices()]
    assert all(device.name for device in session.list_devices())


def test_as_default(things: Things, session: GraphSession) -> None:
    with session.as_default() as entered:
        assert entered is session is v1.get_default_session()
        assert v1.get_default_graph() is things.graph
        np.testing.assert_array_equal(things.plus.eval({things.x: [1.0]}), [2.0])
        assert things.assign.op.run() is None
        np.testing.assert_array_equal(things.w.eval(), [7.0, 8.0])
        v1.assign(things.w, [0.5, 0.5]).op.run()
    assert v1.get_default_session() is None
    np.testing.assert_array_equal(session.run(things.double), [1.0, 1.0])


def test_context_manager_closes(things: Things, session: GraphSession) -> None:
    with session as entered:
        assert entered is session is v1.get_default_session()
        assert v1.get_default_graph() is things.graph
        things.double.eval()
    assert v1.get_default_session() is None
    with pytest.raises(RuntimeError, match=r"^Attempted to use a closed Session\.$"):
        session.run(things.double)


def test_ops_added_later(things: Things, session: GraphSession) -> None:
    with session.as_default():
        added = things.double + 1.0
        fresh = v1.get_variable("fresh", initializer=3.0)
        session.run(fresh.initializer)
        assert session.run([added, fresh])[1] == 3.0


def test_uninitialized_variable(things: Things) -> None:
    fresh = GraphSession(LiftedGraph(things.graph))
    with pytest.raises(tf.errors.FailedPreconditionError):
        fresh.run(things.double)


# Accepted by.


@pytest.mark.parametrize("write_version", [v1.train.SaverDef.V1, v1.train.SaverDef.V2], ids=["V1", "V2"])
def test_saver(write_version: Any, things: Things, session: GraphSession, tmp_path: Path) -> None:
    with session.as_default():
        saver = v1.train.Saver([things.w], write_version=write_version)
        path = saver.save(session, str(tmp_path / "model"), global_step=3)
        assert path == str(tmp_path / "model-3")
        session.run(things.assign)
        saver.restore(session, path)
    np.testing.assert_array_equal(session.run(things.w), [1.0, 2.0])
    with v1.Session(graph=things.graph) as other:
        saver.restore(other, path)
        np.testing.assert_array_equal(other.run(things.w), [1.0, 2.0])


def test_saver_restores_what_is_not_there(things: Things, session: GraphSession, tmp_path: Path) -> None:
    with session.as_default():
        saver = v1.train.Saver([things.w])
        with pytest.raises(ValueError, match="not a valid checkpoint"):
            saver.restore(session, str(tmp_path / "model-3"))


@VARIABLE_KINDS
def test_scaffold_init_fn(use_resource: bool, tmp_path: Path) -> None:
    job = graphs.build("linear_sgd", use_resource)
    with job.graph.as_default():
        w = v1.trainable_variables()[0]
        ones = v1.placeholder(tf.float32, [8, 1])
        assign = v1.assign(w, ones)
        scaffold = v1.train.Scaffold(
            init_fn=lambda scaffold, session: session.run(assign, {ones: np.full([8, 1], 2.0)})
        )
    train(output_dir=tmp_path, max_steps=0, init_fn=scaffold.init_fn, **job.arguments())
    np.testing.assert_array_equal(tf.train.load_variable(str(tmp_path), "w"), np.full([8, 1], 2.0))


@pytest.mark.parametrize("shared", [False, True], ids=["its own", "of the session"])
def test_summary_writer(shared: bool, things: Things, session: GraphSession, tmp_path: Path) -> None:
    with session.as_default():
        summary = v1.summary.scalar("written", tf.reduce_sum(things.total))
        writer = v1.summary.FileWriter(
            str(tmp_path), session.graph, **({"session": session} if shared else {})
        )
        writer.add_summary(session.run(summary), 4)
        writer.close()
    events = read_events(tmp_path)
    assert any(event.graph_def for event in events)
    ((step, value),) = [(event.step, event.summary.value[0]) for event in events if event.summary.value]
    assert (step, value.tag, value.simple_value) == (4, "written", 15.0)


def test_saved_model_builder(things: Things, session: GraphSession, tmp_path: Path) -> None:
    directory = str(tmp_path / "model")
    session.run(things.assign)
    with session.as_default():
        signature = v1.saved_model.predict_signature_def({"x": things.x}, {"total": things.total})
        builder = v1.saved_model.Builder(directory)
        builder.add_meta_graph_and_variables(session, ["serve"], {"predict": signature})
        builder.save()
    for loads in (GraphSession(LiftedGraph(tf.Graph())), v1.Session(graph=tf.Graph())):
        v1.saved_model.load(loads, ["serve"], directory)
        np.testing.assert_array_equal(loads.run("total:0"), [36.0, 39.0])


def test_simple_save(things: Things, session: GraphSession, tmp_path: Path) -> None:
    with session.as_default():
        v1.saved_model.simple_save(session, str(tmp_path / "model"), {"x": things.x}, {"plus": things.plus})
    with v1.Session(graph=tf.Graph()) as other:
        v1.saved_model.load(other, ["serve"], str(tmp_path / "model"))
        np.testing.assert_array_equal(other.run("double:0"), [2.0, 4.0])


def test_an_iterator_goes_on_where_the_graph_grows_by_python_code() -> None:
    with tf.Graph().as_default() as graph:
        number = v1.data.make_one_shot_iterator(tf.data.Dataset.range(9)).get_next()
    session = GraphSession(LiftedGraph(graph))
    assert [session.run(number) for _ in range(3)] == [0, 1, 2]
    with graph.as_default():
        python = tf.numpy_function(lambda: np.int64(7), [], tf.int64)
        both = python + v1.data.make_one_shot_iterator(tf.data.Dataset.range(9)).get_next()
    assert session.run([number, both]) == [3, 7]
    assert session.run([number, both]) == [4, 8]


def test_meta_graphs_have_segments_as_tensorflow_1_knows_them(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        table = v1.get_variable("table", initializer=np.arange(12.0, dtype=np.float32).reshape(6, 2))
        sums = [
            tf.sparse.segment_sum(table, [0, 2, 5], tf.constant([0, 0, 1], dtype), name=dtype.name)
            for dtype in (tf.int32, tf.int64)
        ]
        loss = tf.reduce_sum(sums[0] * sums[1], name="loss")
        optimizer = v1.train.GradientDescentOptimizer(0.0)
        train_op = optimizer.minimize(loss, v1.train.get_or_create_global_step(), name="train")
    first = train(graph, tmp_path / "a", train_op, loss, steps=1)
    meta = tmp_path / "a" / "model.ckpt-1.meta"
    nodes = {node.name: node for node in v1.MetaGraphDef.FromString(meta.read_bytes()).graph_def.node}
    assert "Tsegmentids" not in nodes["int32"].attr and "Tsegmentids" not in nodes["int64"].attr
    assert "int64/segment_ids" in nodes and "int32/segment_ids" not in nodes
    assert train(meta, tmp_path / "b", "train", "loss", steps=1) == first


def test_gradients_of_functions_are_those_that_the_graph_names() -> None:
    @function.Defun(tf.float32, tf.float32)
    def thrice(x: tf.Tensor, dy: tf.Tensor) -> tf.Tensor:
        return dy * 3.0

    @function.Defun(tf.float32, grad_func=thrice)
    def square(x: tf.Tensor) -> tf.Tensor:
        return x * x

    @function.Defun(tf.float32)
    def cube(x: tf.Tensor) -> tf.Tensor:
        return x * x * x

    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [2], name="x")
        gradients = [v1.gradients(f(x), x)[0] for f in (square, cube)]
    session = GraphSession(LiftedGraph(graph))
    named, derived = session.run(gradients, {x: [1.0, 2.0]})
    np.testing.assert_array_equal(named, [3.0, 3.0])
    np.testing.assert_array_equal(derived, [3.0, 12.0])


def test_a_read_that_is_fetched_comes_after_the_update(things: Things, session: GraphSession) -> None:
    with things.graph.as_default():
        read = tf.identity(things.w.read_value())
    for fetch in (things.w, read):
        session.run(things.init)
        _, value = session.run([things.assign.op, fetch])
        np.testing.assert_array_equal(value, [7.0, 8.0])
