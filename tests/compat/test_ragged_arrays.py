"""Rows of several lengths make an array of objects, as before NumPy 1.24."""

from __future__ import annotations

import numpy as np
import pytest

from keras_legacy_train.compat import ragged_arrays


@pytest.mark.parametrize("make", [ragged_arrays.array, ragged_arrays.asarray])
def test_rows_of_several_lengths(make: object) -> None:
    assert callable(make)
    made = make([[1, 2], [3]])
    assert made.dtype == object and made.tolist() == [[1, 2], [3]]
    np.testing.assert_array_equal(make([[1, 2], [3, 4]], np.float32), np.array([[1, 2], [3, 4]], np.float32))
    with pytest.raises(ValueError, match="inhomogeneous"):
        make([[1, 2], [3]], np.float32)


def test_an_array_is_kept_or_copied_as_numpy_does() -> None:
    given = np.zeros(3)
    assert ragged_arrays.asarray(given) is given
    assert ragged_arrays.asarray(given, None, "C") is given
    assert ragged_arrays.array(given, copy=True) is not given
    assert ragged_arrays.array([1.0], ndmin=2).shape == (1, 1)
