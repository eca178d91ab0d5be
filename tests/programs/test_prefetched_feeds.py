"""Steps that a `feed_fn` feeds: called ahead, they run in windows; if not, they are told of together."""

from __future__ import annotations

import contextlib
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
    for option in (None, max_window):
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
    for number, max_window in enumerate((None, 50)):
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
    train(
        output_dir=tmp_path,
        feed_fn=feeding(x, values),
        callbacks=[told],
        monitors=[Silent()],
        fail_on_nan_loss=False,
        **arguments,
    )
    ends = [steps[-1] for steps in told.steps]
    assert {5, 8, 12} <= set(ends)
    assert [number for steps in told.steps for number in steps] == list(range(1, 13))


def test_feed_fn_is_not_called_after_a_nan_loss(tmp_path: Path) -> None:
    arguments, x = mean_of_fed([2])
    values = iter([np.full(2, loss, np.float32) for loss in (1, 1, 1, 1, np.nan, 1, 1)])
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(output_dir=tmp_path, feed_fn=feeding(x, values), monitors=[Silent()], **arguments)
    assert raised.value.step == 5
    assert len(list(values)) == 2
