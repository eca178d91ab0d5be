"""Takes elements from the generator of a dataset; called by TensorFlow while it reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow

# How much is taken at a time. With more, a call of Python is a small part of the time.
_MOST_BYTES = 2**24

# Takes the number of an iterator and returns the arrays of its next element.
NextElement = Callable[[np.ndarray], Sequence[np.ndarray]]


class NextNumbers:
    """Takes the next element of a generator as TensorFlow's function does, in a tenth of the time.

    That is, elements of arrays and numbers. All else is given to TensorFlow, which converts it or says what
    is wrong with it.

    Args:
        next_element: TensorFlow's function.
        generator: What it calls.
    """

    def __init__(self, next_element: NextElement, generator: _tensorflow.Generator):
        self._next_element = next_element
        self._generator = generator
        self._dtypes = [dtype.as_numpy_dtype for dtype in generator.dtypes]
        self._shapes: list[tuple[int, ...]] = []  # of the last element, which are as declared

    def __call__(self, iterator: np.ndarray) -> Sequence[np.ndarray]:
        """Returns the arrays of the next element.

        Args:
            iterator: The number of the iterator, `int64[]`.

        Raises:
            Exception: What the generator raises.
        """
        element = next(self._generator.iterator(iterator))
        arrays = self._arrays(element)
        if arrays is not None:
            return arrays
        with self._generator.giving(element, iterator):
            return self._next_element(iterator)

    def _arrays(self, element: Any) -> list[np.ndarray] | None:
        """Returns the arrays of an element; `None` if it is not one of arrays and numbers, as declared."""
        leaves: list[Any] = []
        if not _flatten(element, self._generator.structure, leaves):
            return None
        arrays = []
        for leaf, dtype in zip(leaves, self._dtypes, strict=True):
            array = _array(leaf, dtype)
            if array is None:
                return None
            arrays.append(array)
        shapes = _shapes(arrays)
        if shapes != self._shapes:
            if not all(map(tf.TensorShape.is_compatible_with, self._generator.shapes, shapes)):
                return None
            self._shapes = shapes
        return arrays


class GatheredElements:
    """Takes several elements of a generator at a time, and returns them stacked.

    Fewer are returned if they are large, where the generator ends or fails, and before one of other shapes.
    What came after them is kept for the next call.

    Args:
        next_element: Takes the next element, or raises what the generator raises.
        count: How many elements are taken at most.
    """

    def __init__(self, next_element: NextElement, count: int):
        self._next_element = next_element
        self._count = count
        # An element or an error, by the number of the iterator.
        self._kept: dict[int, Sequence[np.ndarray] | Exception] = {}

    def __call__(self, iterator: np.ndarray) -> list[np.ndarray]:
        """Returns the stacked arrays of the next elements.

        Args:
            iterator: The number of the iterator, `int64[]`.

        Raises:
            Exception: What the generator raises in the place of the first of them.
        """
        elements = [self._first(iterator)]
        shapes = _shapes(elements[0])
        count = min(self._count, 1 + _MOST_BYTES // (1 + sum(array.nbytes for array in elements[0])))
        while len(elements) < count:
            following = self._next(iterator)
            if isinstance(following, Exception) or _shapes(following) != shapes:
                self._kept[int(iterator)] = following
                break
            elements.append(following)
        return [np.stack(arrays) for arrays in zip(*elements, strict=True)]

    def _first(self, iterator: np.ndarray) -> Sequence[np.ndarray]:
        following = self._kept.pop(int(iterator), None)
        if following is None:
            following = self._next(iterator)
        if isinstance(following, Exception):
            raise following
        return following

    def _next(self, iterator: np.ndarray) -> Sequence[np.ndarray] | Exception:
        try:
            # Copied, since a generator may fill the same array again and again.
            return [np.array(array) for array in self._next_element(iterator)]
        except Exception as error:  # of any kind: it is raised when its turn comes
            return error


def _shapes(arrays: Sequence[np.ndarray]) -> list[tuple[int, ...]]:
    return [array.shape for array in arrays]


def _flatten(element: Any, structure: Any, leaves: list[Any]) -> bool:
    """Appends the leaves of an element in TensorFlow's order; returns whether it has the structure."""
    if isinstance(structure, tf.DType):
        leaves.append(element)
        return True
    if type(element) is type(structure) is tuple and len(element) == len(structure):
        return all(_flatten(*parts, leaves) for parts in zip(element, structure, strict=True))
    if type(element) is type(structure) is dict and element.keys() == structure.keys():
        return all(_flatten(element[key], structure[key], leaves) for key in sorted(structure))
    return False


def _array(value: Any, dtype: Any) -> np.ndarray | None:
    """Returns the array of a number or an array, if it has the dtype or is a number that has it, too."""
    if not isinstance(value, (np.ndarray, np.generic, int, float)):
        return None
    array = np.asarray(value, order="C")
    if array.dtype == dtype:
        return array
    if array.ndim or array.dtype.kind not in "iuf" or np.dtype(dtype).kind not in "iuf":
        return None
    converted = array.astype(dtype)
    return converted if converted.dtype.kind == "f" or converted == array else None
