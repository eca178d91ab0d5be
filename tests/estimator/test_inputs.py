"""Input functions of data in memory read the rows as those of TensorFlow 1 did."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import monitors, train
from keras_legacy_train._tensorflow import eager_mode
from keras_legacy_train.estimator import inputs

v1 = tf.compat.v1

AGE = np.arange(4) * 1.0
HEIGHT = np.arange(32, 36)
LABELS = np.arange(-32, -28)


def batches(input_fn: Callable[[], Any], limit: int = 20) -> Iterator[Any]:
    """Yields what the function returns in a graph, until the input ends."""
    with tf.Graph().as_default(), v1.Session() as session:
        batch = input_fn()
        for _ in range(limit):
            try:
                yield session.run(batch)
            except tf.errors.OutOfRangeError:
                return


def rows_of(input_fn: Callable[[], Any], limit: int = 20) -> list[list[int]]:
    return [list(batch) for batch in batches(input_fn, limit)]


@pytest.mark.parametrize(
    ("batch_size", "num_epochs", "expected"),
    [
        (2, 1, [[0, 1], [2, 3], [4]]),
        (2, 2, [[0, 1], [2, 3], [4, 0], [1, 2], [3, 4]]),
        (128, 2, [[0, 1, 2, 3, 4, 0, 1, 2, 3, 4]]),
        (2, 0, []),
        (3, None, [[0, 1, 2], [3, 4, 0], [1, 2, 3], [4, 0, 1]]),
    ],
)
def test_batches_go_over_the_ends_of_epochs(
    batch_size: int, num_epochs: int | None, expected: list[list[int]]
) -> None:
    input_fn = inputs.numpy_input_fn(np.arange(5), None, batch_size, num_epochs, shuffle=False)
    assert rows_of(input_fn, limit=4 if num_epochs is None else 20) == expected


@pytest.mark.parametrize("num_rows", [1, 7])
def test_shuffled_epochs_have_all_rows_in_orders_of_their_own(num_rows: int) -> None:
    input_fn = inputs.numpy_input_fn(np.arange(num_rows), None, num_rows, num_epochs=8, shuffle=True)
    epochs = rows_of(input_fn)
    assert [sorted(epoch) for epoch in epochs] == [list(range(num_rows))] * 8
    assert num_rows == 1 or len({tuple(epoch) for epoch in epochs}) > 1


def test_the_random_seed_of_the_graph_sets_the_order() -> None:
    shuffled = inputs.numpy_input_fn(np.arange(50), None, 50, shuffle=True)

    def seeded() -> Any:
        v1.set_random_seed(3)
        return shuffled()

    assert rows_of(seeded) == rows_of(seeded) != [list(range(50))]


def test_features_and_labels_keep_their_form() -> None:
    features = {"age": AGE, "height": HEIGHT}
    read = inputs.numpy_input_fn
    (batch, *_) = batches(read(features, LABELS, batch_size=2, shuffle=False))
    np.testing.assert_equal(batch, ({"age": [0.0, 1.0], "height": [32, 33]}, [-32, -31]))
    assert batch[0]["age"].dtype == np.float64
    (batch,) = batches(read(features, {"a": LABELS, "b": AGE}, shuffle=False))
    np.testing.assert_equal(batch, (features, {"a": LABELS, "b": AGE}))
    (batch,) = batches(read(np.array([["a", "bc"]]), np.array([b"d"], object), shuffle=False))
    np.testing.assert_equal(batch, ([[b"a", b"bc"]], [b"d"]))
    (batch,) = batches(read(np.zeros([3, 2, 1], np.int32), shuffle=False))
    assert batch.shape == (3, 2, 1)


def test_an_endless_input_has_a_static_batch_size() -> None:
    with tf.Graph().as_default() as graph:
        x = np.zeros([30_000, 2])
        assert inputs.numpy_input_fn(x, None, 8, num_epochs=None, shuffle=True)().shape == [8, 2]
        assert inputs.numpy_input_fn(x, None, 8, shuffle=True)().shape.as_list() == [None, 2]
        assert len(graph.as_graph_def().SerializeToString()) < 20_000  # the rows are not in it


def test_under_eager_execution_it_is_a_dataset() -> None:
    with eager_mode():
        dataset = inputs.numpy_input_fn({"x": AGE}, LABELS, batch_size=3, shuffle=False)()
        found = list(dataset.as_numpy_iterator())
    np.testing.assert_equal(found, [({"x": AGE[:3]}, LABELS[:3]), ({"x": AGE[3:]}, LABELS[3:])])


def test_each_thread_reads_all_epochs(caplog: pytest.LogCaptureFixture) -> None:
    input_fn = inputs.numpy_input_fn(np.arange(3), None, 3, num_epochs=2, shuffle=False, num_threads=2)
    assert len(rows_of(input_fn)) == 4
    assert "num_epochs is applied per thread" in caplog.text


def test_a_shuffled_input_is_resumed_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    def run(directory: str, *stops: int) -> list[Any]:
        seen = []
        for stop in stops:
            with tf.Graph().as_default() as graph:
                v1.set_random_seed(1)
                rows = inputs.numpy_input_fn(np.arange(7.0), None, 2, num_epochs=3, shuffle=True)()
                weight = v1.get_variable("weight", [], tf.float64, v1.zeros_initializer())
                update = weight.assign_add(tf.reduce_sum(rows))
                train_op = tf.group(update, v1.train.get_or_create_global_step().assign_add(1))
                capture = monitors.CaptureVariable(rows.name, every_n=1)
                train(
                    graph, tmp_path / directory, train_op, update, max_steps=stop, monitors=[capture],
                    save_input_state=True, log_every_steps=None,
                )  # fmt: skip
            seen += [value.tolist() for value in capture.values.values()]
        return seen

    whole = run("whole", 20)
    assert sorted(row for rows in whole for row in rows) == sorted([*range(7)] * 3)
    assert run("parts", 5, 20) == whole


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        ([1, 2], None, TypeError, "x must be a dict or array; got list"),
        ({"a": [1, 2]}, None, TypeError, r"x\['a'\] must be a dict or array; got list"),
        ({}, None, ValueError, "x cannot be an empty dict"),
        (np.array([[], []]), None, ValueError, "x cannot be an empty array"),
        (AGE, {}, ValueError, "y cannot be empty dict, use None instead"),
        (
            {"a": AGE, "b": AGE},
            {"a": AGE, "b": AGE},
            ValueError,
            "2 duplicate keys are found in both x and y",
        ),
        ({"a": AGE}, LABELS[:3], ValueError, "Length of tensors in x and y is mismatched"),
        ({"a": AGE, "b": LABELS[:3]}, None, ValueError, "Length of tensors in x and y is mismatched"),
        ({"a": np.array([1, "x"], object)}, None, ValueError, "'a' must hold numbers or strings, all of one"),
        (
            {"a": np.zeros(2, "datetime64[s]")},
            None,
            ValueError,
            "'a' must hold numbers or strings; it has dat",
        ),
    ],
)
def test_wrong_data_is_named_when_the_function_is_called(
    x: Any, y: Any, error: type[Exception], message: str
) -> None:
    input_fn = inputs.numpy_input_fn(x, y, shuffle=False)
    with tf.Graph().as_default(), pytest.raises(error, match=message):
        input_fn()


@pytest.mark.parametrize("make", [inputs.numpy_input_fn, inputs.pandas_input_fn])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "shuffle must be provided and explicitly set as boolean"),
        ({"shuffle": 1}, "shuffle must be provided"),
        ({"batch_size": 0}, "batch_size"),
        ({"num_epochs": -1}, "num_epochs"),
        ({"num_threads": 0}, "num_threads"),
        ({"queue_capacity": 0}, "queue_capacity"),
    ],
)
def test_a_wrong_argument_is_named_at_once(make: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(AGE, **({"shuffle": False} if wrong and "shuffle" not in wrong else {}), **wrong)


def test_pandas_tables_are_read_by_column() -> None:
    pandas = pytest.importorskip("pandas")
    index = np.arange(100, 104)
    x = pandas.DataFrame({"a": np.arange(4), "b": ["p", "q", "r", "s"]}, index)
    y = pandas.Series(LABELS, index)
    read = inputs.pandas_input_fn
    (first, _) = batches(read(x, y, batch_size=2, shuffle=False))
    np.testing.assert_equal(first, ({"a": [0, 1], "b": [b"p", b"q"]}, [-32, -31]))
    (batch,) = batches(read(x, shuffle=False))
    np.testing.assert_equal(batch, {"a": range(4), "b": [b"p", b"q", b"r", b"s"]})
    labels = pandas.DataFrame({"a": LABELS, "c": AGE}, index)
    (batch,) = batches(read(x, labels, shuffle=False))
    np.testing.assert_equal(batch[1], {"a": LABELS, "c": AGE})
    assert list(batch[0]) == ["a", "b"]
    assert len(rows_of(read(x, batch_size=2, shuffle=True, queue_capacity=None, num_epochs=2))) == 4
    with pytest.raises(ValueError, match="Index for x and y are mismatched"):
        read(x, pandas.Series(LABELS), shuffle=False)
    with pytest.raises(ValueError, match="Cannot use name a for target column"):
        read(x, y, shuffle=False, target_column="a")


class StandInSeries:
    """Has what is read of a pandas column."""

    def __init__(self, data: Any, index: Any):
        self.index = np.asarray(index)
        self._data = np.asarray(data, object if isinstance(data[:1], list) else None)

    def to_numpy(self, copy: bool) -> np.ndarray:
        return self._data.copy() if copy else self._data


class StandInTable(dict[str, Any]):
    """Has what is read of a pandas table: it is a dict of columns with an index."""

    def __init__(self, data: dict[str, Any], index: Any):
        super().__init__({name: StandInSeries(column, index) for name, column in data.items()})
        self.index = np.asarray(index)
        self.columns = list(data)


def test_what_stands_for_pandas_is_read_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in the test before, which needs pandas.
    pandas = types.ModuleType("pandas")
    monkeypatch.setattr(pandas, "DataFrame", StandInTable, raising=False)
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    read, index = inputs.pandas_input_fn, np.arange(100, 104)
    x = StandInTable({"a": np.arange(4), "b": ["p", "q", "r", "s"]}, index)
    (first, _) = batches(read(x, StandInSeries(LABELS, index), batch_size=2, shuffle=False))
    np.testing.assert_equal(first, ({"a": [0, 1], "b": [b"p", b"q"]}, [-32, -31]))
    (batch,) = batches(read(x, shuffle=False))
    np.testing.assert_equal(batch, {"a": range(4), "b": [b"p", b"q", b"r", b"s"]})
    (batch,) = batches(read(x, StandInTable({"a": LABELS, "c": AGE}, index), shuffle=False))
    np.testing.assert_equal(batch[1], {"a": LABELS, "c": AGE})
    with pytest.raises(ValueError, match="x must have rows to read"), tf.Graph().as_default():
        read(StandInTable({"a": AGE[:0]}, []), shuffle=False)()
    for x_or_y, more, error, message in (
        ((x, StandInSeries(LABELS, np.arange(4))), {}, ValueError, "Index for x and y are mismatched"),
        ((x, x), {"target_column": "a"}, ValueError, "Cannot use name a for target column"),
        ((AGE,), {}, TypeError, "x must be a pandas DataFrame; it is ndarray"),
    ):
        with pytest.raises(error, match=message):
            read(*x_or_y, shuffle=False, **more)


def test_pandas_input_fn_takes_tables_only() -> None:
    with pytest.raises(TypeError, match="x must be a pandas DataFrame; it is ndarray"):
        inputs.pandas_input_fn(AGE, shuffle=False)
    with pytest.raises(TypeError, match="target_column must be a string type"):
        inputs.pandas_input_fn(AGE, shuffle=False, target_column=["a"])
