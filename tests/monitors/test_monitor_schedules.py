"""When monitors act: exact steps for `EveryN`, and the law that skipping unwatched steps changes nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
from keras_legacy_train import train
from keras_legacy_train.monitors import BaseMonitor, EveryN, StopAtStep
from keras_legacy_train.monitors.scheduling import next_step


class Noting(EveryN):
    """Notes the calls of the three hooks, in order."""

    def __init__(self, every_n_steps: int = 100, first_n_steps: int = 1):
        super().__init__(every_n_steps, first_n_steps)
        self.calls: list[tuple[str, int]] = []

    def every_n_step_begin(self, step: int) -> list[Any]:
        self.calls.append(("begin", step))
        return []

    def every_n_step_end(self, step: int, outputs: Any) -> bool:
        self.calls.append(("end", step))
        return False

    def every_n_post_step(self, step: int, session: Any) -> None:
        self.calls.append(("post", step))

    def steps(self, hook: str) -> list[int]:
        return [step for name, step in self.calls if name == hook]


def watch(monitor: Any, step: int) -> bool:
    monitor.step_begin(step)
    stop = monitor.step_end(step, {})
    monitor.post_step(step, None)
    return bool(stop)


def run_every_step(monitor: Any, start: int, raises: list[int], max_steps: int | None) -> None:
    """A training of single steps; each raises the global step by the next of `raises`."""
    monitor.begin(max_steps=max_steps)
    step = start
    for by in raises:
        if watch(monitor, step + 1):
            break
        step += by
    monitor.end()


def run_watched_steps(
    monitor: Any, start: int, raises: list[int], max_steps: int | None, window: int
) -> None:
    """The same training, in windows of at most so many steps up to where the monitor wants control."""
    monitor.begin(max_steps=max_steps)
    step, done = start, 0
    while done < len(raises):
        watched = next_step(monitor, step)
        assert watched > step
        if watched == step + 1:
            stop = watch(monitor, step + 1)
            if stop:
                break
            step, done = step + raises[done], done + 1
        else:
            for by in raises[done : done + window]:
                if step + 1 >= watched:
                    break
                step, done = step + by, done + 1
            monitor.steps_passed(step)
    monitor.end()


@pytest.mark.parametrize(
    ("n", "first_n", "start", "max_steps", "expected"),
    [
        # n, first n
        (0, 0, 0, None, [*range(1, 21)]),
        (0, 1, 0, 20, [*range(1, 21)]),
        (1, 0, 0, None, [*range(1, 21)]),
        (1, 2, 0, 20, [*range(1, 21)]),
        (2, 0, 0, None, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]),
        (2, 1, 0, None, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]),
        (2, 2, 0, None, [1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]),
        (8, 0, 0, None, [8, 16]),
        (8, 1, 0, None, [1, 9, 17]),
        (8, 2, 0, None, [1, 2, 10, 18]),
        # and the last step
        (2, 1, 0, 20, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 20]),
        (8, 0, 0, 20, [8, 16, 20]),
        (8, 1, 0, 20, [1, 9, 17, 20]),
        (8, 2, 0, 20, [1, 2, 10, 18, 20]),
        (100, 1, 0, 20, [1, 20]),
        (100, 0, 0, 20, [20]),
        (100, 0, 0, None, []),
        # resumed
        (0, 1, 100, None, [*range(101, 121)]),
        (1, 1, 100, None, [*range(101, 121)]),
        (2, 0, 100, None, [*range(101, 121, 2)]),
        (8, 0, 100, None, [101, 109, 117]),
        (8, 2, 100, 120, [101, 109, 117, 120]),
        (8, 105, 100, None, [101, 102, 103, 104, 105, 113]),
        (115, 1, 100, None, [115]),
        (200, 1, 100, 120, [120]),
        (200, 1, 100, None, []),
    ],
)
@pytest.mark.parametrize("window", [None, 1, 1000], ids=["every step", "windows of 1", "windows"])
def test_every_n_acts_at(
    n: int, first_n: int, start: int, max_steps: int | None, expected: list[int], window: int | None
) -> None:
    monitor = Noting(n, first_n)
    if window is None:
        run_every_step(monitor, start, [1] * 20, max_steps)
    else:
        run_watched_steps(monitor, start, [1] * 20, max_steps, window)
    assert monitor.steps("begin") == monitor.steps("end") == expected
    last = start + 20
    assert monitor.steps("post") == (expected if last in expected else [*expected, last])


def test_every_n_crosses_where_the_step_rises_by_more_than_one() -> None:
    monitor = Noting(8, 1)
    run_every_step(monitor, 0, [3] * 10, None)
    assert monitor.steps("begin") == [1, 10, 19, 28]


def test_every_n_asks_for_its_next_step_only() -> None:
    monitor = Noting(8, 2)
    monitor.begin(max_steps=20)
    asked = []
    step = 0
    while step < 20:
        step = int(next_step(monitor, step))
        watch(monitor, step)
        asked.append(step)
    assert asked == [1, 2, 10, 18, 20]
    assert next_step(monitor, 20) == 28


def test_every_n_acts_again_in_a_second_run() -> None:
    monitor = Noting(8, 1)
    run_every_step(monitor, 0, [1] * 10, 10)
    run_every_step(monitor, 10, [1] * 10, 20)
    assert monitor.steps("begin") == [1, 9, 10, 18, 20]


def test_every_n_post_step_is_not_called_where_no_step_ran() -> None:
    monitor = Noting(8, 1)
    run_every_step(monitor, 0, [1] * 5, None)
    assert monitor.steps("post") == [1, 5]
    run_every_step(monitor, 5, [], None)
    assert monitor.steps("post") == [1, 5]


def test_every_n_returns_what_its_hooks_return() -> None:
    class Asks(EveryN):
        def every_n_step_begin(self, step: int) -> list[Any]:
            return ["loss:0"]

        def every_n_step_end(self, step: int, outputs: Any) -> bool:
            return outputs == {"loss:0": 1}

    monitor = Asks(10)
    monitor.begin()
    assert monitor.step_begin(1) == ["loss:0"]
    assert monitor.step_end(1, {"loss:0": 1}) is True
    monitor.post_step(1, None)
    assert monitor.step_begin(2) == []
    assert monitor.step_end(2, {"loss:0": 1}) is False


@given(
    n=st.integers(-1, 12),
    first_n=st.integers(-1, 12),
    start=st.integers(0, 30),
    raises=st.lists(st.integers(1, 4), max_size=40),
    last=st.none() | st.integers(0, 40),
    window=st.integers(1, 50),
)
def test_windows_change_nothing(
    n: int, first_n: int, start: int, raises: list[int], last: int | None, window: int
) -> None:
    # The step that training ends at lies on the way there, or beyond all of them.
    begun = [start + sum(raises[:i]) + 1 for i in range(len(raises))]
    max_steps = None if last is None else (begun[last] if last < len(begun) else start + sum(raises) + 5)
    raises = raises if last is None else raises[: last + 1]

    single, windows = Noting(n, first_n), Noting(n, first_n)
    run_every_step(single, start, raises, max_steps)
    run_watched_steps(windows, start, raises, max_steps, window)

    for hook in ("begin", "end"):
        assert windows.steps(hook) == single.steps(hook)
    # At the end, a window tells the global step; the last run was numbered one more than the one before it.
    same_numbers = all(by == 1 for by in raises)
    assert len(windows.steps("post")) == len(single.steps("post"))
    assert windows.steps("post") == single.steps("post") or not same_numbers


@given(
    num_steps=st.integers(1, 30),
    start=st.integers(0, 30),
    raises=st.lists(st.integers(1, 4), max_size=40),
    window=st.integers(1, 50),
)
def test_stop_at_step_stops_windows_where_it_stops_steps(
    num_steps: int, start: int, raises: list[int], window: int
) -> None:
    class Stops(StopAtStep):
        stopped: int | None = None

        def next_step(self, step: int) -> float:
            return super().next_step(step)

        def step_end(self, step: int, output: Any) -> bool | None:
            stop = super().step_end(step, output)
            if stop:
                self.stopped = step
            return stop

    single, windows = Stops(num_steps=num_steps), Stops(num_steps=num_steps)
    run_every_step(single, start, raises, None)
    run_watched_steps(windows, start, raises, None, window)
    assert windows.stopped == single.stopped
    if all(by == 1 for by in raises):
        assert single.stopped == (start + num_steps if num_steps <= len(raises) else None)


# What the loop asks: does this class speak for itself?


class Watching:
    """Not a monitor by descent, like much that was passed in 2016."""

    def step_begin(self, step: int) -> list[Any]:
        return []


@pytest.mark.parametrize("hook", ["step_begin", "step_end", "post_step"])
@pytest.mark.parametrize("base", [BaseMonitor, EveryN, StopAtStep])
def test_overriding_a_hook_means_every_step(base: type, hook: str) -> None:
    cls = type("Overriding", (base,), {hook: lambda self, *_: None})
    monitor = cls(last_step=90) if base is StopAtStep else cls()
    assert next_step(monitor, 10) == 11
    assert next_step(type("Child", (cls,), {})(**({"last_step": 90} if base is StopAtStep else {})), 10) == 11


@pytest.mark.parametrize("hook", ["step_begin", "step_end", "post_step"])
def test_a_hook_set_on_the_instance_means_every_step(hook: str) -> None:
    monitor = BaseMonitor()
    setattr(monitor, hook, lambda *_: None)
    assert next_step(monitor, 10) == 11


def test_overriding_other_methods_means_the_schedule_that_was() -> None:
    class Quiet(EveryN):
        def begin(self, max_steps: int | None = None) -> None: ...

        def end(self, session: Any = None) -> None: ...

        def every_n_step_begin(self, step: int) -> list[Any]:
            return []

    assert next_step(Quiet(50), 10) == 50
    assert next_step(BaseMonitor(), 10) == math.inf


def test_a_class_speaks_for_its_own_hooks_and_those_below() -> None:
    class Every10(EveryN):
        def step_begin(self, step: int) -> Any:
            return super().step_begin(step)

        def next_step(self, step: int) -> float:
            return step + 10

    class Child(Every10):
        pass

    assert next_step(Every10(), 3) == 13
    assert next_step(Child(), 3) == 13


def test_a_class_does_not_speak_for_a_mixin() -> None:
    class Mixin(BaseMonitor):
        def step_end(self, step: int, output: Any) -> bool | None:
            return super().step_end(step, output)

    class Before(Mixin, EveryN):
        pass

    class After(EveryN, Mixin):
        pass

    assert next_step(Before(50), 10) == next_step(After(50), 10) == 11


def test_an_instance_may_speak_for_itself() -> None:
    monitor = BaseMonitor()
    monitor.step_end = lambda step, output: None  # type: ignore[method-assign]
    monitor.next_step = lambda step: step + 7  # type: ignore[method-assign]
    assert next_step(monitor, 10) == 17


@pytest.mark.parametrize("answer", [-1, 0, 10])
def test_an_answer_that_lies_behind_means_the_next_step(answer: int) -> None:
    cls = type("Late", (BaseMonitor,), {"next_step": lambda self, step: answer})
    assert next_step(cls(), 10) == 11


def test_what_is_no_base_monitor_sees_every_step() -> None:
    assert next_step(Watching(), 10) == 11


# Subclasses as people wrote them in 2016.


class WithoutInit(EveryN):
    def __init__(self, out: list[int]):
        self.out = out

    def every_n_step_end(self, step: int, outputs: Any) -> None:
        self.out.append(step)


class OnlyStepEnd(BaseMonitor):
    def __init__(self, out: list[int]):
        self.out = out

    def step_end(self, step: int, outputs: Any) -> None:
        self.out.append(step)


class ReturnsNothing(BaseMonitor):
    def __init__(self, out: list[int]):
        self.out = out

    def begin(self, max_steps: int | None = None) -> None:
        pass

    def step_begin(self, step: int) -> None:
        pass

    def step_end(self, step: int, outputs: Any) -> None:
        self.out.append(step)

    def end(self) -> None:  # type: ignore[override]
        pass


class OnlyPostStep(BaseMonitor):
    def __init__(self, out: list[int]):
        super().__init__()
        self.out = out

    def post_step(self, step: int, session: Any) -> None:
        self.out.append(step)


class EndsWithoutSession(EveryN):
    def __init__(self, out: list[int]):
        super().__init__(every_n_steps=2)
        self.out = out

    def every_n_step_end(self, step: int, outputs: Any) -> tuple[()]:  # type: ignore[override]
        self.out.append(step)
        return ()

    def end(self) -> None:  # type: ignore[override]
        super().end()


class CallsSuperInStepBegin(EveryN):
    def __init__(self, out: list[int]):
        super().__init__(every_n_steps=3)
        self.out = out

    def step_begin(self, step: int) -> Any:
        super().step_begin(step)
        return []

    def every_n_step_end(self, step: int, outputs: Any) -> None:
        self.out.append(step)


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (WithoutInit, [1]),
        (OnlyStepEnd, [1, 2, 3, 4, 5]),
        (ReturnsNothing, [1, 2, 3, 4, 5]),
        (OnlyPostStep, [1, 2, 3, 4, 5]),
        (EndsWithoutSession, [1, 3, 5]),
        (CallsSuperInStepBegin, [1, 4]),
    ],
)
@pytest.mark.parametrize("window", [None, 1000], ids=["every step", "windows"])
def test_monitors_of_2016(cls: Any, expected: list[int], window: int | None) -> None:
    out: list[int] = []
    monitor = cls(out)
    if window is None:
        run_every_step(monitor, 0, [1] * 5, None)
    else:
        run_watched_steps(monitor, 0, [1] * 5, None, window)
    assert out == expected


@settings(max_examples=100)
@given(
    pieces=st.lists(st.integers(1, 30), min_size=2, max_size=4),
    n=st.integers(-1, 12),
    first_n=st.integers(-1, 12),
)
def test_a_resumed_training_keeps_the_schedule(pieces: list[int], n: int, first_n: int) -> None:
    """In new processes, that is, with new monitors; only the ends of the pieces are active besides."""
    whole = Noting(n, first_n)
    run_every_step(whole, 0, [1] * sum(pieces), sum(pieces))
    done, ends, active = 0, set(), set()
    for length in pieces:
        piece = Noting(n, first_n)
        if done:
            piece.resumed(done)
        run_watched_steps(piece, done, [1] * length, done + length, window=7)
        done += length
        ends.add(done)
        active |= set(piece.steps("end"))
    assert active == set(whole.steps("end")) | ends


def test_train_tells_monitors_that_it_resumes(tmp_path: Path) -> None:
    for steps, expected in ((7, [1, 5, 7]), (5, [9, 12])):
        monitor = Noting(4)
        train(output_dir=tmp_path, steps=steps, monitors=[monitor], **graphs.build("linear_sgd").arguments())
        assert monitor.steps("end") == expected
