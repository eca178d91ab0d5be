"""The arithmetic of windows and triggers."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_legacy_train.loop.schedule import EveryNSteps, EverySeconds, next_watched
from keras_legacy_train.programs.window_size import WindowSize

STEPS = st.integers(0, 10**6)


@given(STEPS, st.lists(st.one_of(STEPS.map(float), st.just(math.inf))))
def test_next_watched_is_the_first_that_anyone_wants(step: int, wanted: list[float]) -> None:
    watched = next_watched(step, wanted)
    assert watched > step
    assert all(watched <= max(each, step + 1) for each in wanted)
    assert watched in {step + 1, math.inf, *wanted}
    assert math.isinf(watched) == all(math.isinf(each) for each in wanted)


@given(st.integers(-3, 20), STEPS, st.lists(st.integers(1, 9), max_size=60))
def test_every_n_steps_fires_on_crossing(n: int, start: int, increments: list[int]) -> None:
    trigger = EveryNSteps(n, start)
    step, last, fired = start, start, []
    for increment in increments:
        step += increment
        due = trigger.next_step()
        if trigger.fires(step):
            fired.append(step)
            assert step >= due and step - last >= n
            last = step
        else:
            assert step < due and step - last < n
    assert fired == sorted(set(fired))


@given(st.integers(-3, 20), STEPS, st.lists(st.integers(0, 9), max_size=60))
def test_every_n_steps_in_a_window_fires_as_in_single_steps(
    n: int, start: int, increments: list[int]
) -> None:
    steps = list(itertools.accumulate(increments, initial=start))[1:]
    one_by_one, at_once = EveryNSteps(n, start), EveryNSteps(n, start)
    assert at_once.firings(steps) == [i for i, step in enumerate(steps) if one_by_one.fires(step)]
    assert at_once == one_by_one


def test_every_n_steps_at_steps_of_one() -> None:
    trigger = EveryNSteps(10, 3)
    assert [step for step in range(4, 40) if trigger.fires(step)] == [13, 23, 33]


@pytest.mark.parametrize("n", [0, -1, 1])
def test_every_n_steps_of_one_or_less_fires_always(n: int) -> None:
    trigger = EveryNSteps(n, 0)
    assert [step for step in range(1, 5) if trigger.fires(step)] == [1, 2, 3, 4]


def test_every_seconds() -> None:
    trigger = EverySeconds(10, last=100)
    assert [now for now in range(100, 140, 3) if trigger.fires(now)] == [112, 124, 136]


@pytest.mark.parametrize("seconds", [None, 0])
def test_every_seconds_never(seconds: float | None) -> None:
    assert not EverySeconds(seconds, last=0).fires(1e9)


@given(st.integers(1, 10**5), st.floats(1e-7, 10), st.integers(2, 30))
def test_windows_reach_their_time_within_a_few_calls(limit: int, seconds_a_step: float, calls: int) -> None:
    size = WindowSize(limit, seconds=0.5)
    sizes = []
    for _ in range(calls):
        sizes.append(size())
        size.took(sizes[-1], sizes[-1] * seconds_a_step)
    assert sizes[0] == 1
    assert all(1 <= each <= limit for each in sizes)
    assert all(after <= WindowSize.GROWTH * before for before, after in itertools.pairwise(sizes))
    assert sizes == sorted(sizes)
    assert all(each == 1 or each * seconds_a_step <= 0.5 * (1 + 1e-9) for each in sizes)
    if calls > 8:
        fitting = max(1, int(0.5 / seconds_a_step))
        assert sizes[-1] == pytest.approx(min(limit, fitting), rel=0.01, abs=1)


def test_a_window_shrinks_when_the_steps_slow_down() -> None:
    size = WindowSize(1000, seconds=0.5)
    size.took(1000, 0.5)
    assert size() == 1000
    size.took(1000, 80.0)
    assert size() == 6


def test_an_empty_window_teaches_nothing() -> None:
    size = WindowSize(1000)
    size.took(0, 0.0)
    assert size() == 1
