"""The generator of a dataset is called for a batch at a time, and gives what it gives one by one."""

from __future__ import annotations

import collections
import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession

v1 = tf.compat.v1
Pair = collections.namedtuple("Pair", ["first", "second"])
MOST = 60


class Broken(Exception):
    """Raised by generators here."""


def _dataset(elements: Callable[[], Iterator[Any]], types: Any, shapes: Any = None, **arguments: Any) -> Any:
    return tf.data.Dataset.from_generator(elements, types, shapes, **arguments)


def _graph(make: Callable[[], Any], is_one_shot: bool, **options: Any) -> tuple[LiftedGraph, str, Any]:
    """Returns the lifted graph of a dataset's iterator, its initializer's name and its next element."""
    own = tf.data.Options()
    own.autotune.enabled = False  # else TensorFlow may read ahead of the last dataset
    with tf.Graph().as_default() as graph:
        dataset = make().with_options(own)
        if is_one_shot:
            element = v1.data.make_one_shot_iterator(dataset).get_next()
            makes = f"{tf.nest.flatten(element)[0].op.inputs[0].op.name}/make"
        else:
            iterator = v1.data.make_initializable_iterator(dataset)
            element, makes = iterator.get_next(), iterator.initializer.name
    return LiftedGraph(graph, **options), makes, element


def _is_gathered(make: Callable[[], Any], is_one_shot: bool = False, **options: Any) -> bool:
    lifted, makes, _ = _graph(make, is_one_shot, **options)
    return "UnbatchDataset" in lifted.part((), (), [makes]).op_types()


def _outcomes(make: Callable[[], Any], is_one_shot: bool = False, **options: Any) -> list[Any]:
    """What one `get_next` after the other gives: an element, or the kind and last line of an error."""
    lifted, makes, element = _graph(make, is_one_shot, **options)
    session = GraphSession(lifted)
    if not is_one_shot:
        session.run(lifted.graph.get_operation_by_name(makes))
    gc.collect()
    outcomes: list[Any] = []
    while len(outcomes) < MOST:
        try:
            outcomes.append(session.run(element))
        except tf.errors.OutOfRangeError:
            return outcomes
        except tf.errors.OpError as error:
            raised = [line for line in error.message.splitlines() if "Error: " in line or "Broken" in line]
            outcomes.append((type(error), raised))
    return outcomes


def _check_same(make: Callable[[], Any], is_one_shot: bool = False) -> list[Any]:
    assert _is_gathered(make, is_one_shot)
    assert not _is_gathered(make, is_one_shot, keeps_datasets=True)
    outcomes, expected = _outcomes(make, is_one_shot), _outcomes(make, is_one_shot, keeps_datasets=True)
    assert len(outcomes) == len(expected) > 0
    for each, other in zip(outcomes, expected, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, each, other)
    return outcomes


def _of(*elements: Any) -> Callable[[], Iterator[Any]]:
    return lambda: iter(elements)


ROWS = np.arange(21, dtype=np.float32).reshape(7, 3)
TABLE: dict[str, Callable[[], Any]] = {
    "arrays": lambda: _dataset(lambda: iter(ROWS), tf.float32, [3]),
    "arrays and numbers": lambda: _dataset(
        lambda: ((row, number) for number, row in enumerate(ROWS)), (tf.float32, tf.int32), ([3], [])
    ),
    "features and a label": lambda: _dataset(
        lambda: (({"b": row, "a": 2.5}, np.int8(1)) for row in ROWS),
        ({"a": tf.float32, "b": tf.float32}, tf.int8),
    ),
    "a named tuple": lambda: _dataset(
        lambda: (Pair(row, row[0]) for row in ROWS), Pair(tf.float32, tf.float32)
    ),
    "lists": lambda: _dataset(lambda: ([1, 2, number] for number in range(7)), tf.int64, [3]),
    "strings": lambda: _dataset(_of("a", "longer", b"\0", "ü", "e"), tf.string, []),
    "other dtypes": lambda: _dataset(lambda: iter(ROWS.astype(np.float64)), tf.float32, [3]),
    "whole numbers as others": lambda: _dataset(_of(1, True, 2.0, np.uint8(7), 0.5), tf.float32, []),
    "numbers cut off": lambda: _dataset(_of(1.5, 2, -1.5), tf.int32, []),
    "truths": lambda: _dataset(_of(True, np.bool_(False), True), tf.bool, []),
    "backwards": lambda: _dataset(lambda: (row[::-1] for row in ROWS), tf.float32, [3]),
    "with arguments": lambda: _dataset(lambda n: iter(ROWS[:n]), tf.float32, [3], args=(5,)),
    "by a signature": lambda: tf.data.Dataset.from_generator(
        lambda: iter(ROWS), output_signature=tf.TensorSpec([None], tf.float32)
    ),
    "none": lambda: _dataset(_of(), tf.int64, []).concatenate(tf.data.Dataset.range(2)).take(1),
}
BAD: dict[str, Callable[[], Any]] = {
    "an error at once": lambda: _dataset(lambda: _failing(0), tf.int64, []),
    "an error within a batch": lambda: _dataset(lambda: _failing(5), tf.int64, []),
    "an error between two": lambda: _dataset(lambda: _failing(4), tf.int64, []),
    "another shape": lambda: _dataset(_of([1.0], [2.0], [3.0, 4.0], [5.0]), tf.float32, [1]),
    "shapes that do not fit together": lambda: _dataset(
        _of(*(ROWS[0, :n] for n in (1, 2, 2, 1, 3))), tf.float32, [None]
    ),
    "another structure": lambda: _dataset(_of((1, 2), (3,), (4, 5)), (tf.int64, tf.int64)),
    "no number": lambda: _dataset(_of(1, "two", 3), tf.int64, []),
    "rows of many lengths": lambda: _dataset(_of([[1, 2], [3]], [[1, 2], [3, 4]]), tf.int64, [2, None]),
}


def _failing(position: int) -> Iterator[int]:
    yield from range(position)
    raise Broken("no more")


@pytest.mark.parametrize("name", [name for name in TABLE if name != "none"])
def test_a_batch_is_taken_at_once_and_is_the_same(name):
    outcomes = _check_same(lambda: TABLE[name]().batch(2))
    assert not any(isinstance(each, tuple) and each and isinstance(each[0], type) for each in outcomes)


@pytest.mark.parametrize("name", BAD)
def test_an_error_comes_where_it_came(name):
    outcomes = _check_same(lambda: BAD[name]().batch(2))
    (error,) = [each for each in outcomes if isinstance(each, tuple) and isinstance(each[0], type)][:1]
    assert issubclass(error[0], tf.errors.OpError)


def test_one_shot_iterators_and_functions():
    _check_same(lambda: TABLE["arrays and numbers"]().map(lambda x, y: (x * 2.0, y)).batch(3), True)


CHAINS: dict[str, tuple[bool, Callable[[Any], Any]]] = {
    "batch": (True, lambda data: data.batch(3)),
    "map, batch": (True, lambda data: data.map(lambda x: x * 2.0).batch(3, drop_remainder=True)),
    "large map": (True, lambda data: data.map(tf.sort, num_parallel_calls=2).batch(3)),
    "shuffle, repeat": (True, lambda data: data.shuffle(5, seed=1).repeat(2).batch(3)),
    "repeat, prefetch": (True, lambda data: data.repeat(2).batch(3).prefetch(1)),
    "repeat": (False, lambda data: data.repeat(2).batch(3)),
    "filter": (False, lambda data: data.filter(lambda x: x[0] > 4.0).batch(3)),
    "take": (False, lambda data: data.take(4).batch(3)),
    "no batch": (False, lambda data: data.prefetch(3)),
    "batches of a tensor's size": (
        False,
        lambda data: data.batch(v1.placeholder_with_default(np.int64(3), [])),
    ),
    "used twice": (False, lambda data: tf.data.Dataset.zip((data, data.batch(3)))),
}


@pytest.mark.parametrize("name", CHAINS)
def test_what_may_lie_between_the_generator_and_the_batch(name):
    gathers, chain = CHAINS[name]
    make = lambda: chain(TABLE["arrays"]())  # noqa: E731
    if gathers:
        _check_same(make)
    assert _is_gathered(make) == gathers


def test_a_generator_is_not_read_further_than_its_batch():
    given_out = []

    def elements() -> Iterator[int]:
        for number in range(10):
            given_out.append(number)
            yield number

    make = lambda: _dataset(elements, tf.int64, []).map(lambda x: x + 1).batch(4)  # noqa: E731
    lifted, makes, element = _graph(make, is_one_shot=False)
    session = GraphSession(lifted)
    session.run(lifted.graph.get_operation_by_name(makes))
    read = []
    for _ in range(3):
        session.run(element)
        read.append(len(given_out))
    assert read == [4, 8, 10]


@pytest.mark.parametrize("width", [1, 3, 16, 784])
def test_a_generator_may_fill_the_same_array_again(width):
    """Each element is copied before the next is asked for. TensorFlow itself does so or not, by chance."""

    def elements() -> Iterator[np.ndarray]:
        row = np.zeros(width, np.float32)
        for number in range(8):
            row[:] = number
            yield row

    batches = _outcomes(lambda: _dataset(elements, tf.float32, [width]).batch(4))
    np.testing.assert_array_equal(np.concatenate(batches)[:, 0], range(8))


@pytest.mark.parametrize(("width", "expected"), [(3, 6), (1_500_000, 3)])
def test_a_batch_is_taken_at_once_but_no_more_than_16_megabytes(width, expected):
    events = []

    def elements() -> Iterator[np.ndarray]:
        for _ in range(6):
            events.append("taken")
            yield np.zeros(width, np.float32)

    def note(row: np.ndarray) -> np.ndarray:
        events.append("passed on")
        return row

    make = lambda: _dataset(elements, tf.float32, [width]).map(  # noqa: E731
        lambda row: tf.ensure_shape(tf.numpy_function(note, [row], tf.float32), [width])
    )
    (batch,) = _outcomes(lambda: make().batch(6))
    assert batch.shape == (6, width)
    assert events.index("passed on") == expected


def test_a_graph_from_a_file_has_lost_its_generator():
    with tf.Graph().as_default() as graph:
        iterator = v1.data.make_initializable_iterator(_dataset(_of(1, 2), tf.int64, []).batch(2))
        iterator.get_next()
    names, graph_def = (iterator.initializer.name, "IteratorGetNext:0"), graph.as_graph_def()
    del graph, iterator
    gc.collect()
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
        session = GraphSession(LiftedGraph(graph))
        session.run(graph.get_operation_by_name(names[0]))
        with pytest.raises(tf.errors.OpError, match="callback"):
            session.run(names[1])


def test_generators_of_other_things_than_arrays_stay_as_they_are():
    ragged = tf.RaggedTensorSpec([None], tf.int64, ragged_rank=0)
    sparse = tf.SparseTensorSpec([3], tf.float32)
    values = tf.sparse.SparseTensor([[0]], [1.0], [3])
    for signature, value in ((ragged, [1]), (sparse, values)):
        data = lambda: tf.data.Dataset.from_generator(_of(value), output_signature=signature)  # noqa: B023, E731
        assert not _is_gathered(lambda: data().batch(1))  # noqa: B023


CASES = {
    "count": st.integers(0, 9),
    "size": st.integers(1, 4),
    "buffer": st.integers(0, 4),
    "repeats": st.integers(1, 2),
    "fails_at": st.one_of(st.none(), st.integers(0, 9)),
    "drops": st.booleans(),
}


def _check_case(count: int, size: int, buffer: int, repeats: int, fails_at: int | None, drops: bool) -> None:
    def elements() -> Iterator[Any]:
        for number in range(count):
            if number == fails_at:
                raise Broken(f"at {number}")
            yield number, np.full(2, number, np.float32)

    def make() -> Any:
        data = _dataset(elements, (tf.int64, tf.float32), ([], [2]))
        data = data.shuffle(buffer, seed=3) if buffer else data
        return data.repeat(repeats).batch(size, drop_remainder=drops).prefetch(1)

    outcomes, expected = _outcomes(make), _outcomes(make, keeps_datasets=True)
    assert len(outcomes) == len(expected)
    for each, other in zip(outcomes, expected, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, each, other)


@given(**CASES)
@settings(max_examples=5)
def test_what_is_gathered_is_what_came_one_by_one(**case):
    _check_case(**case)


@pytest.mark.slow
@given(**CASES)
@settings(max_examples=150)
def test_what_is_gathered_is_what_came_one_by_one_at_length(**case):
    _check_case(**case)
