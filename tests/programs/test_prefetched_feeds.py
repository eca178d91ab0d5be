"""Steps that a `feed_fn` feeds: where nobody can tell, it is called ahead and they run in windows."""

from __future__ import annotations

import concurrent.futures
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
from helpers import Recorder, Silent, StopAt, checkpoint_values, newest_checkpoint
from keras_legacy_train import NanLossDuringTrainingError, callbacks, train

v1 = tf.compat.v1


def mean_of_fed(shape: list[int | None]) -> tuple[dict[str, Any], tf.Tensor]:
    """A graph that adds the mean of what is fed to a variable."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, shape, name="x")
        total = v1.get_variable("total", [], initializer=v1.zeros_initializer())
        loss = tf.reduce_mean(x, name="loss")
        add = v1.assign_add(total, loss)
        with tf.control_dependencies([add]):
            train_op = v1.assign_add(v1.train.get_or_create_global_step(), 1).op
    return {"graph": graph, "train_op": train_op, "loss_op": loss}, x


def feeding(x: tf.Tensor, values: Any) -> Callable[[], dict[Any, Any]]:
    iterator = iter(values)
    return lambda: {x: next(iterator)}


@settings(max_examples=15)
@given(
    lengths=st.lists(st.integers(1, 3), min_size=1, max_size=12),
    max_window=st.integers(2, 9),
    watched=st.none() | st.integers(1, 6),
)
def test_windows_of_feeds_are_single_steps(
    lengths: list[int], max_window: int, watched: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = [np.full(length, number, np.float32) for number, length in enumerate(lengths)]
    results = []
    for option in (1, max_window):
        directory = tmp_path_factory.mktemp("run")
        arguments, x = mean_of_fed([None])
        monitor = Silent() if watched is None else Recorder("loss")
        if watched is not None:
            monitor.next_step = lambda step: watched if step < watched else np.inf  # type: ignore[method-assign]
        loss = train(
            output_dir=directory,
            feed_fn=feeding(x, values),
            monitors=[monitor],
            max_window=option,
            **arguments,
        )
        seen = [] if watched is None else monitor.values("loss")
        results.append((loss, seen, checkpoint_values(directory)))
    assert results[0] == results[1]
    assert results[0][2]["global_step"] == len(lengths)


def test_feeds_are_gathered_for_the_steps_that_are_left(tmp_path: Path) -> None:
    arguments, x = mean_of_fed([])
    calls: list[int] = []

    def feed() -> dict[Any, Any]:
        calls.append(len(calls))
        return {x: calls[-1]}

    train(output_dir=tmp_path, feed_fn=feed, monitors=[Silent()], steps=20, max_window=8, **arguments)
    assert len(calls) == 20
    assert checkpoint_values(tmp_path)["total"] == sum(range(20))


def test_an_error_of_feed_fn_comes_after_the_steps_before_it(tmp_path: Path) -> None:
    arguments, x = mean_of_fed([])

    def values() -> Any:
        yield from range(10)
        raise KeyError("the eleventh")

    with pytest.raises(KeyError, match="the eleventh"):
        train(
            output_dir=tmp_path,
            feed_fn=feeding(x, values()),
            monitors=[Silent()],
            max_window=100,
            **arguments,
        )
    assert newest_checkpoint(tmp_path) == "model.ckpt-10"


def test_a_wrong_shape_is_named(tmp_path: Path) -> None:
    arguments, x = mean_of_fed([2])
    values = [[1, 2], [3, 4], [5]]
    with pytest.raises(ValueError, match=r"x:0 takes shape \(2,\)"):
        train(output_dir=tmp_path, feed_fn=feeding(x, values), monitors=[Silent()], max_window=9, **arguments)
    assert newest_checkpoint(tmp_path) == "model.ckpt-2"


def test_a_window_of_feeds_ends_at_nan(tmp_path: Path) -> None:
    arguments, x = mean_of_fed([])
    values = [1.0, 2.0, np.nan, 3.0, 4.0]
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(output_dir=tmp_path, feed_fn=feeding(x, values), monitors=[Silent()], max_window=9, **arguments)
    assert raised.value.step == 3


def test_a_monitor_stops_between_feeds(tmp_path: Path) -> None:
    arguments, x = mean_of_fed([])
    train(output_dir=tmp_path, feed_fn=feeding(x, range(99)), monitors=[StopAt(3)], max_window=9, **arguments)
    assert checkpoint_values(tmp_path)["total"] == 0 + 1 + 2


def test_a_fed_string(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        text = v1.placeholder(tf.string, [None])
        length = v1.get_variable("length", [], tf.int32, initializer=v1.zeros_initializer())
        loss = tf.reduce_sum(tf.strings.length(text))
        with tf.control_dependencies([v1.assign_add(length, loss)]):
            train_op = v1.assign_add(v1.train.get_or_create_global_step(), 1).op
    feed_fn = feeding(text, [["a", "bb"], ["ccc", ""]] * 3)
    train(graph, tmp_path, train_op, loss, feed_fn=feed_fn, monitors=[Silent()], max_window=9)
    assert checkpoint_values(tmp_path)["length"] == 18


def test_a_real_model(tmp_path: Path) -> None:
    losses = []
    for number, max_window in enumerate((1, 50)):
        job = graphs.build("feed_adam")
        losses.append(
            train(
                output_dir=tmp_path / str(number),
                steps=60,
                monitors=[Silent()],
                max_window=max_window,
                **job.arguments(),
            )
        )
    assert losses[0] == losses[1]


class Told(callbacks.LoopCallback):
    """Notes the steps that it is told of together."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[list[int]] = []

    def on_steps_end(self, steps: Any) -> None:
        self.steps.append(steps.numbers.tolist())


def failing(x: tf.Tensor, error: BaseException) -> Callable[[], dict[Any, Any]]:
    """Feeds 1 for twenty steps, and then raises."""
    values = iter([np.ones(2, np.float32)] * 20)

    def feed_fn() -> dict[Any, Any]:
        value = next(values, None)
        if value is None:
            raise error
        return {x: value}

    return feed_fn


@pytest.mark.parametrize("error", [OSError("no more"), KeyboardInterrupt(), StopIteration()])
def test_fed_steps_are_told_of_whatever_ends_them(tmp_path: Path, error: BaseException) -> None:
    arguments, x = mean_of_fed([2])
    told = Told()
    with contextlib.nullcontext() if isinstance(error, StopIteration) else pytest.raises(type(error)):
        train(
            output_dir=tmp_path, feed_fn=failing(x, error), callbacks=[told], monitors=[Silent()], **arguments
        )
    assert [number for steps in told.steps for number in steps] == list(range(1, 21))
    assert len(told.steps) < 20


def test_fed_steps_end_at_a_loss_that_is_not_finite(tmp_path: Path) -> None:
    """Whoever looks at losses afterwards sees it at once, also where it is not fatal."""
    arguments, x = mean_of_fed([2])
    losses = [1, 1, 1, 1, np.inf, 1, 1, np.nan, 1, 1, 1, 1]
    values = (np.full(2, loss, np.float32) for loss in losses)
    told = Told()

    def feed_fn() -> dict[Any, Any]:
        v1.get_default_session().run("global_step:0")  # so it is not called ahead
        return {x: next(values)}

    train(
        output_dir=tmp_path,
        feed_fn=feed_fn,
        callbacks=[told],
        monitors=[Silent()],
        fail_on_nan_loss=False,
        **arguments,
    )
    ends = [steps[-1] for steps in told.steps]
    assert {5, 8, 12} <= set(ends)
    assert [number for steps in told.steps for number in steps] == list(range(1, 13))


def test_feed_fn_is_not_called_after_a_nan_loss_of_a_step_alone(tmp_path: Path) -> None:
    arguments, x = mean_of_fed([2])
    values = iter([np.full(2, loss, np.float32) for loss in (1, 1, 1, 1, np.nan, 1, 1)])
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(output_dir=tmp_path, feed_fn=feeding(x, values), monitors=[Silent()], max_window=1, **arguments)
    assert raised.value.step == 5
    assert len(list(values)) == 2


# So many steps of the graphs here are certain to be enough for feed_fn to be called ahead.
MANY = 400


def sum_of_fed(called: list[int], look: Callable[[int], object]) -> dict[str, Any]:
    """The arguments of a training whose `feed_fn` feeds 0, 1, 2, …, in one array, and looks around before."""
    arguments, x = mean_of_fed([2])
    array = np.empty(2, np.float32)

    def feed_fn() -> dict[Any, Any]:
        look(len(called))
        array[:] = len(called)
        called.append(len(called))
        return {x: array}

    return {"feed_fn": feed_fn, "steps": MANY, "monitors": [Silent()], **arguments}


def test_without_being_asked_feed_fn_is_called_ahead(tmp_path: Path) -> None:
    told, called, at_calls = Told(), [], []
    told.on_steps_end = lambda steps: at_calls.append((steps.last, len(called)))  # type: ignore[method-assign]
    loss = train(output_dir=tmp_path, callbacks=[told], **sum_of_fed(called, lambda call: None))
    assert loss == MANY - 1
    assert checkpoint_values(tmp_path)["total"] == sum(range(MANY))
    assert all(done == calls for done, calls in at_calls), "whoever is told sees as many calls as steps"


@pytest.mark.slow
@settings(max_examples=8)
@given(looks=st.sets(st.integers(0, MANY - 1), max_size=3), max_window=st.none() | st.integers(2, 99))
def test_law_feed_fn_sees_the_steps_before_in_the_session(
    looks: set[int], max_window: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seen = {}

    def look(call: int) -> None:
        if call in looks:
            session = v1.get_default_session()
            seen[call] = session.run(["global_step:0", "total:0"])

    directory = tmp_path_factory.mktemp("run")
    train(output_dir=directory, max_window=max_window, **sum_of_fed([], look))
    assert seen == {call: [call, sum(range(call))] for call in looks}
    assert checkpoint_values(directory)["total"] == sum(range(MANY))


def test_feed_fn_is_not_called_ahead_when_another_thread_uses_the_session(tmp_path: Path) -> None:
    """It may be given what that thread computes."""
    behind = []

    def look(call: int) -> None:
        session = v1.get_default_session()
        if call > MANY // 2:
            with concurrent.futures.ThreadPoolExecutor(1) as executor:
                behind.append(call - executor.submit(session.run, "global_step:0").result())

    train(output_dir=tmp_path, **sum_of_fed([], look))
    assert len(behind) == MANY - MANY // 2 - 1
    assert not any(behind[1:]), "only the first such use comes after calls ahead"


def test_feed_fn_is_not_called_ahead_of_a_python_function_in_the_graph(tmp_path: Path) -> None:
    """It may be given what the function has seen."""
    seen: list[float] = []
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [])
        noted = v1.py_func(lambda value: seen.append(value) or value, [x], tf.float32)
        loss = tf.reshape(noted, [])
        with tf.control_dependencies([loss]):
            train_op = v1.assign_add(v1.train.get_or_create_global_step(), 1).op

    def feed_fn() -> dict[Any, Any]:
        return {x: len(seen)}

    last = train(graph, tmp_path, train_op, loss, feed_fn=feed_fn, monitors=[Silent()], steps=MANY)
    assert last == MANY - 1


def test_random_numbers_are_those_of_single_steps(tmp_path: Path) -> None:
    losses = []
    for number, max_window in enumerate((1, None)):
        with tf.Graph().as_default() as graph:
            v1.set_random_seed(7)
            x = v1.placeholder(tf.float32, [None, 4])
            weights = v1.get_variable("weights", [4, 1])
            loss = tf.reduce_mean(tf.square(tf.nn.dropout(x, rate=0.5) @ weights - 1.0))
            optimizer = v1.train.AdamOptimizer(0.01)
            train_op = optimizer.minimize(loss, v1.train.get_or_create_global_step())
        values = iter(np.random.default_rng(0).random([MANY, 3, 4], np.float32))
        directory, feed_fn = tmp_path / str(number), feeding(x, values)
        losses.append(
            train(
                graph,
                directory,
                train_op,
                loss,
                feed_fn=feed_fn,
                steps=MANY,
                monitors=[Silent()],
                max_window=max_window,
            )
        )
    assert losses[0] == losses[1]


def test_a_signal_loses_no_feeds(tmp_path: Path) -> None:
    called: list[int] = []

    def look(call: int) -> None:
        if call == MANY // 2:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit):
        train(output_dir=tmp_path, **sum_of_fed(called, look))
    values = checkpoint_values(tmp_path)
    assert values["global_step"] == len(called)
    assert values["total"] == sum(called)
