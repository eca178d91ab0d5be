"""`Window`: how many steps one call runs, what it keeps of them, and what is left after an error."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.programs.window import Window


@pytest.fixture(autouse=True)
def _eager_execution() -> Iterator[None]:
    with _tensorflow.eager_mode():
        yield


def squares(window_of: tf.Variable) -> list[tf.Tensor]:
    """A step: counts on, and returns the count and its square."""
    count = window_of.assign_add(2)
    return [count, tf.reshape(count * count, [1])]


@pytest.mark.parametrize(
    ("until", "at_most", "steps"),
    [(math.inf, 4, 4), (6, 100, 3), (5, 100, 3), (5, 2, 2), (0, 100, 1), (math.inf, 1, 1)],
)
def test_number_of_steps(until: float, at_most: int, steps: int) -> None:
    count = tf.Variable(0, dtype=tf.int64)
    window = Window(lambda _: squares(count), columns=2)
    rows, error = window.run(until, at_most)
    assert error is None
    np.testing.assert_array_equal(rows, [[2 * n, 4 * n * n] for n in range(1, steps + 1)])
    assert count.numpy() == 2 * steps


def test_calls_go_on_where_the_last_one_ended() -> None:
    count = tf.Variable(0, dtype=tf.int64)
    window = Window(lambda _: squares(count), columns=2)
    assert [len(window.run(until, 100)[0]) for until in (10, 4, 20)] == [5, 1, 4]


def test_ends_after_the_step_that_says_so() -> None:
    count = tf.Variable(0, dtype=tf.int64)
    window = Window(lambda _: squares(count), columns=2, ends=lambda _, square: square > 30.0)
    rows, _ = window.run(math.inf, 100)
    np.testing.assert_array_equal(rows[:, 1], [4, 16, 36])
    assert len(window.run(math.inf, 100)[0]) == 1


def test_steps_before_an_error_are_kept() -> None:
    iterator = iter(tf.data.Dataset.range(5))
    window = Window(lambda _: [iterator.get_next()], columns=1)
    rows, error = window.run(math.inf, 3)
    assert error is None and rows[:, 0].tolist() == [0, 1, 2]
    rows, error = window.run(math.inf, 100)
    assert isinstance(error, tf.errors.OutOfRangeError) and rows[:, 0].tolist() == [3, 4]
    rows, error = window.run(math.inf, 100)
    assert isinstance(error, tf.errors.OutOfRangeError) and rows.shape == (0, 1)
