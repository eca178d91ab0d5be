"""A window keeps the outputs of every run, also where it ends early."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train.programs.output_window import OutputWindow

pytestmark = pytest.mark.usefixtures("eager_mode")


def window_over(dataset: tf.data.Dataset, size: int) -> OutputWindow:
    """Returns a window that doubles batches of two, and names them."""
    iterator = iter(dataset)
    handle = iterator._iterator_resource

    def compute() -> list[tf.Tensor]:
        (batch,) = tf.raw_ops.IteratorGetNextSync(
            iterator=handle, output_types=[tf.float64], output_shapes=[tf.TensorShape([None])]
        )
        return [2 * batch, tf.strings.as_string(batch[:, None], precision=0)]

    window = OutputWindow(compute, [tf.TensorSpec([2], tf.float64), tf.TensorSpec([2, 1], tf.string)], size)
    window.iterator = iterator  # it is deleted with its last reference
    return window


def test_a_window_keeps_the_outputs_of_each_run_and_ends_with_one_of_another_shape() -> None:
    window = window_over(tf.data.Dataset.range(7, output_type=tf.float64).batch(2), 8)
    (doubled, names), odd, error = window.run(1)
    np.testing.assert_array_equal(doubled, [[0, 2]])
    assert (odd, error) == (None, None)
    (doubled, names), odd, error = window.run(8)
    np.testing.assert_array_equal(doubled, [[4, 6], [8, 10]])
    assert names.tolist() == [[[b"2"], [b"3"]], [[b"4"], [b"5"]]]
    np.testing.assert_array_equal(odd[0], [12])
    assert odd[1].tolist() == [[b"6"]]
    assert error is None
    (doubled, _), odd, error = window.run(8)
    assert len(doubled) == 0
    assert odd is None
    assert isinstance(error, tf.errors.OutOfRangeError)


def test_the_runs_before_an_error_are_kept() -> None:
    window = window_over(tf.data.Dataset.range(6, output_type=tf.float64).batch(2), 8)
    (doubled, names), odd, error = window.run(8)
    np.testing.assert_array_equal(doubled, [[0, 2], [4, 6], [8, 10]])
    assert names.shape == (3, 2, 1)
    assert odd is None
    assert isinstance(error, tf.errors.OutOfRangeError)


def test_runs_are_given_rows_and_end_with_one_of_another_shape() -> None:
    rows = [tf.TensorSpec([None, None], tf.float32)]
    window = OutputWindow(lambda row: [row], [tf.TensorSpec([2], tf.float32)], 8, rows)
    (kept,), odd, error = window.run(3, np.arange(6, dtype=np.float32).reshape(3, 2))
    np.testing.assert_array_equal(kept, [[0, 1], [2, 3], [4, 5]])
    assert (odd, error) == (None, None)
    (kept,), odd, error = window.run(3, np.ones((3, 1), np.float32))
    assert len(kept) == 0
    np.testing.assert_array_equal(odd[0], [1])


def test_a_run_whose_outputs_have_another_shape_in_any_case_ends_the_window() -> None:
    rows = [tf.TensorSpec([None, 2], tf.float32)]
    window = OutputWindow(lambda row: [tf.concat([row, row], 0)], [tf.TensorSpec([2], tf.float32)], 8, rows)
    (kept,), odd, error = window.run(3, np.arange(6, dtype=np.float32).reshape(3, 2))
    assert len(kept) == 0 and error is None
    np.testing.assert_array_equal(odd[0], [0, 1, 0, 1])
