"""`Window`: how many steps one call runs, what it keeps of them, and what is left after an error."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train.programs.window import Window

pytestmark = pytest.mark.usefixtures("eager_mode")


IS_ORDERED = pytest.mark.parametrize("is_ordered", [False, True])


class Squares:
    """A step that counts on by two, and returns the count and its square.

    Args:
        until: The count at which a window must end.
    """

    def __init__(self, until: int = 1_000_000):
        self.count = tf.Variable(0, dtype=tf.int64)
        self._until = until

    def __call__(self) -> tuple[list[tf.Tensor], tf.Tensor]:
        count = self.count.assign_add(2, read_value=False)
        with tf.control_dependencies([count]):
            count = self.count.read_value()
        return [count, tf.reshape(count * count, [1])], count >= self._until

    def window(self, is_ordered: bool) -> Window:
        return Window(self, [tf.float64, tf.float32], is_ordered=is_ordered)


@IS_ORDERED
@pytest.mark.parametrize(("until", "at_most", "steps"), [(99, 4, 4), (6, 100, 3), (5, 2, 2), (0, 100, 1)])
def test_number_of_steps(until: int, at_most: int, steps: int, is_ordered: bool) -> None:
    step = Squares(until)
    (counts, squares), error = step.window(is_ordered).run(at_most)
    assert error is None
    assert counts.tolist() == [2 * n for n in range(1, steps + 1)] and counts.dtype == np.float64
    assert squares.tolist() == [4 * n * n for n in range(1, steps + 1)] and squares.dtype == np.float32
    assert step.count.numpy() == 2 * steps


@IS_ORDERED
def test_calls_go_on_where_the_last_one_ended(is_ordered: bool) -> None:
    window = Squares(until=10).window(is_ordered)
    assert [window.run(at_most)[0][0].tolist() for at_most in (2, 7, 7)] == [[2, 4], [6, 8, 10], [12]]


@IS_ORDERED
def test_the_longest_window(is_ordered: bool) -> None:
    (counts, _), error = Squares().window(is_ordered).run(Window.MAX_STEPS)
    assert error is None
    np.testing.assert_array_equal(counts, np.arange(2, 2 * Window.MAX_STEPS + 1, 2))


@IS_ORDERED
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_steps_before_an_error_are_kept(dtype: tf.DType, is_ordered: bool) -> None:
    # The NaN is a step's own.
    iterator = iter(tf.data.Dataset.from_tensor_slices([0.0, 1.0, 2.0, float("nan"), 4.0]))
    window = Window(lambda: ([iterator.get_next()], tf.constant(False)), [dtype], is_ordered=is_ordered)
    (numbers,), error = window.run(3)
    assert error is None and numbers.tolist() == [0, 1, 2]
    (numbers,), error = window.run(100)
    assert isinstance(error, tf.errors.OutOfRangeError)
    np.testing.assert_array_equal(numbers, [np.nan, 4])
    (numbers,), error = window.run(100)
    assert isinstance(error, tf.errors.OutOfRangeError) and numbers.shape == (0,)
