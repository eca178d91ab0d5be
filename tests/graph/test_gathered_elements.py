"""What is taken from a generator several elements at a time is what came one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from keras_legacy_train.graph.rewriting.datasets.elements import GatheredElements

NUMBER = np.array(0, np.int64)
# The lengths of the elements of a generator, and -1 where it raises an error.
LENGTHS = st.lists(st.sampled_from([1, 1, 1, 2, -1]), max_size=12)


def _elements(lengths: list[int]) -> Iterator[Any]:
    for position, length in enumerate(lengths):
        yield ValueError(position) if length < 0 else [np.full(length, position), np.array(position)]


@given(LENGTHS, st.integers(1, 5))
def test_rows_and_errors_come_in_their_order(lengths: list[int], count: int) -> None:
    source = _elements(lengths)

    def next_element(number: np.ndarray) -> Any:
        element = next(source)
        if isinstance(element, Exception):
            raise element
        return element

    gathered = GatheredElements(next_element, count)
    seen: list[Any] = []
    while True:
        try:
            rows, positions = gathered(NUMBER)
        except StopIteration:
            break
        except ValueError as error:
            seen.append(str(error))
            continue
        assert 1 <= len(rows) == len(positions) <= count
        seen.extend(zip(rows.tolist(), positions.tolist(), strict=True))
    expected = [
        str(each) if isinstance(each, Exception) else (each[0].tolist(), each[1].tolist())
        for each in _elements(lengths)
    ]
    assert seen == expected


def test_iterators_of_one_generator_do_not_mix() -> None:
    sources = {0: iter("ab"), 1: iter("xyz")}
    gathered = GatheredElements(lambda number: [np.array(next(sources[int(number)]), object)], 3)
    (first,), (second,) = gathered(np.array(0)), gathered(np.array(1))
    assert (first.tolist(), second.tolist()) == (["a", "b"], ["x", "y", "z"])
