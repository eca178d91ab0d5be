"""The loop over a program that only counts: what it runs and what callbacks are told, for every end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_legacy_train.callbacks import LoopCallback, Sampling, Steps, StopReason
from keras_legacy_train.errors import NanLossDuringTrainingError, NoProgressError
from keras_legacy_train.loop.callback_list import CallbackList
from keras_legacy_train.loop.progress import Epochs, Progress
from keras_legacy_train.loop.recovery import Recovery
from keras_legacy_train.loop.training_loop import TrainingLoop
from keras_legacy_train.programs.base import Program


class Counting(Program):
    """Counts; the loss of a step is its number.

    Args:
        calls: Gets what was run.
        input_ends_after: The last step for which there is input.
        fails_at: The step that raises an error, and the error.
        stride: By how much a step raises the count.
    """

    global_step_name = "count"

    def __init__(
        self,
        calls: list[Any],
        input_ends_after: float = np.inf,
        fails_at: tuple[int, BaseException] | None = None,
        stride: int = 1,
    ):
        self.count = 0
        self._calls = calls
        self._input_ends_after = input_ends_after
        self._fails_at = fails_at
        self._stride = stride

    def global_step(self) -> int:
        return self.count

    def begin_epoch(self) -> None:
        self._calls.append("begin_epoch")

    def epoch_logs(self) -> dict[str, Any]:
        return {"loss": float(self.count)}

    def next_batch(self) -> int:
        if self.count >= self._input_ends_after:
            raise StopIteration
        return self.count

    def run_step(self, step: int, batch: int, requests: Iterable[Any]) -> Steps:
        assert step == batch == self.count
        self._calls.append(("step", step + 1, list(requests)))
        self._run()
        return Steps(step, np.array([self.count]), np.array([self.count]), 0.0, outputs={"x": self.count})

    def run_window(self, step: int, target_step: float, at_most: int) -> Steps:
        assert step == self.count < target_step
        numbers: list[int] = []
        error: BaseException | None = None
        while self.count < target_step and len(numbers) < at_most and error is None:
            try:
                self.next_batch()
                self._run()
            except BaseException as raised:
                error = raised
            else:
                numbers.append(self.count)
        self._calls.append(("window", numbers))
        return Steps(step, np.array(numbers, np.int64), np.array(numbers), 0.0, error=error)

    def stop_window(self) -> None:
        raise AssertionError("nobody interrupts these windows")

    def _run(self) -> None:
        if self._fails_at is not None and self.count + 1 == self._fails_at[0]:
            error, self._fails_at = self._fails_at[1], None
            raise error
        self.count += self._stride


class Told(LoopCallback):
    """Notes what it is told.

    Args:
        watches: The steps it wants to see.
        stops_at: The step at whose end it asks to stop.
        raises_in: A hook that raises.
    """

    def __init__(
        self, calls: list[Any], watches: Iterable[int] = (), stops_at: int = 0, raises_in: str | None = None
    ):
        super().__init__()
        self._calls = calls
        self._watches = sorted(watches)
        self._stops_at = stops_at
        self._raises_in = raises_in

    def _note(self, hook: str, *what: Any) -> None:
        self._calls.append((hook, *what))
        if hook == self._raises_in:
            raise RuntimeError(hook)

    def next_step(self, step: int) -> float:
        return next((each for each in self._watches if each > step), np.inf)

    def on_train_begin(self, logs: Any = None) -> None:
        self._note("train_begin")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._note("epoch_begin", epoch)

    def on_step_begin(self, step: int) -> list[str]:
        self._note("step_begin", step)
        return ["x"]

    def on_step_end(self, step: int, outputs: Any) -> bool:
        self._note("step_end", step, outputs["x"])
        return step == self._stops_at

    def on_steps_end(self, steps: Steps) -> None:
        self._note("steps_end", steps.numbers.tolist())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._note("epoch_end", epoch, logs["loss"])

    def on_loop_end(self, reason: StopReason) -> None:
        self._note("loop_end", reason)

    def on_train_end(self, logs: Any = None) -> None:
        self._note("train_end")


@dataclasses.dataclass
class Outcome:
    """What became of a run.

    Attributes:
        calls: All that was run and told, in order.
        loss: What the loop returned.
        error: What it raised.
    """

    calls: list[Any]
    loss: Any = None
    error: BaseException | None = None

    def told(self, hook: str) -> list[Any]:
        return [call[1:] for call in self.calls if isinstance(call, tuple) and call[0] == hook]

    @property
    def reason(self) -> StopReason:
        ((reason,),) = self.told("loop_end")
        return reason


def run(
    target_step: float,
    program: dict[str, Any] | None = None,
    callback: dict[str, Any] | None = None,
    max_window: int = 100,
    recover: Callable[[Progress], None] | None = None,
    **epochs: Any,
) -> Outcome:
    outcome = Outcome([])
    progress = Progress()
    counting = Counting(outcome.calls, **program or {})
    loop = TrainingLoop(
        counting,
        CallbackList([Told(outcome.calls, **callback or {})]),
        max_window,
        progress,
        Epochs(**epochs),
        None if recover is None else Recovery(lambda: recover(progress)),
    )
    try:
        outcome.loss = loop.run(target_step)
    except BaseException as error:
        outcome.error = error
    if str(outcome.error) != "step_end":  # raised before the step counts
        assert progress.step == counting.count
    return outcome


def test_steps_that_nobody_watches_run_in_windows_up_to_the_next_that_somebody_does() -> None:
    outcome = run(5, callback={"watches": [3]})
    assert outcome.calls == [
        ("train_begin",),
        "begin_epoch",
        ("epoch_begin", 0),
        ("window", [1]),  # the first call is of one step: it tells how long they take
        ("steps_end", [1]),
        ("window", [2]),
        ("steps_end", [2]),
        ("step_begin", 3),
        ("step", 3, ["x"]),
        ("step_end", 3, 3),
        ("steps_end", [3]),
        ("window", [4, 5]),
        ("steps_end", [4, 5]),
        ("loop_end", StopReason.TARGET),
        ("epoch_end", 0, 5.0),
        ("train_end",),
    ]
    assert outcome.loss == 5


def test_nothing_is_run_where_the_target_is_reached() -> None:
    outcome = run(0)
    assert outcome.calls == [("train_begin",), ("loop_end", StopReason.TARGET), ("train_end",)]
    assert outcome.loss is None


ABORTED = tf.errors.AbortedError(None, None, "lost")
ENDS = {
    "target": (StopReason.TARGET, 6, {}, {}, None),
    "callback": (StopReason.CALLBACK, 4, {}, {"watches": [4], "stops_at": 4}, None),
    "end of input": (StopReason.END_OF_INPUT, 3, {"input_ends_after": 3}, {}, None),
    "NaN": (StopReason.NAN, 4, {"fails_at": (5, NanLossDuringTrainingError(5))}, {}, "NaN loss"),
    "Ctrl-C": (StopReason.INTERRUPTED, 4, {"fails_at": (5, KeyboardInterrupt("stop"))}, {}, "stop"),
    "SIGTERM": (StopReason.INTERRUPTED, 4, {"fails_at": (5, SystemExit(143))}, {}, "143"),
    "an error": (StopReason.ERROR, 4, {"fails_at": (5, ValueError("bad"))}, {}, "bad"),
    "a lost server": (StopReason.ERROR, 4, {"fails_at": (5, ABORTED)}, {}, "lost"),
    "a callback's error": (StopReason.ERROR, 2, {}, {"watches": [2], "raises_in": "step_end"}, "step_end"),
    "an error at the begin": (StopReason.ERROR, 0, {}, {"raises_in": "train_begin"}, "train_begin"),
    "an error of an epoch": (StopReason.ERROR, 0, {}, {"raises_in": "epoch_begin"}, "epoch_begin"),
}


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("end", ENDS)
def test_every_end_is_told_once_with_its_reason(end: str, watched: bool) -> None:
    reason, last, program, callback, message = ENDS[end]
    if watched and end != "a callback's error":
        callback = {**callback, "watches": range(1, 7)}
    outcome = run(6, program, callback)
    assert outcome.reason is reason
    assert outcome.calls[-1] == ("train_end",)
    assert len(outcome.told("train_end")) == 1
    assert (outcome.error is None) == (message is None)
    assert message is None or message in str(outcome.error)
    numbers = [number for (told,) in outcome.told("steps_end") for number in told]
    if end == "a callback's error":
        assert numbers == [1]  # of the step that it failed at it is not told
    else:
        assert numbers == list(range(1, last + 1))
    # An epoch is ended where nothing has failed.
    assert len(outcome.told("epoch_end")) == (message is None)


@pytest.mark.parametrize("hook", ["loop_end", "epoch_end", "train_end"])
def test_an_error_at_the_end_is_raised_when_all_have_been_told(hook: str) -> None:
    outcome = run(3, callback={"raises_in": hook})
    assert str(outcome.error) == hook
    assert outcome.told("train_end") == [()]


@given(st.integers(1, 30), st.sets(st.integers(1, 30)), st.integers(1, 7), st.integers(1, 3))
def test_law_each_step_is_told_once_and_in_order(
    target: int, watches: set[int], max_window: int, stride: int
) -> None:
    outcome = run(target, {"stride": stride}, {"watches": watches}, max_window)
    numbers = [number for (told,) in outcome.told("steps_end") for number in told]
    assert numbers == list(range(stride, numbers[-1] + 1, stride))
    assert target <= numbers[-1] < target + stride
    assert all(len(told) <= max_window for (told,) in outcome.told("steps_end"))
    if stride == 1:
        assert [step for step, _ in outcome.told("step_end")] == sorted(w for w in watches if w <= target)


@given(st.integers(1, 25), st.integers(1, 6))
def test_law_epochs_end_where_their_steps_do(target: int, length: int) -> None:
    outcome = run(target, length=length)
    assert outcome.told("epoch_begin") == [(epoch,) for epoch in range(-(-target // length))]
    ends = [*range(length, target, length), target]
    assert outcome.told("epoch_end") == [(epoch, float(end)) for epoch, end in enumerate(ends)]


def test_an_input_that_repeats_begins_the_next_epoch_where_it_has_ended() -> None:
    class EndsOnce(Counting):
        def begin_epoch(self) -> None:
            self._input_ends_after = self.count + 3

    calls: list[Any] = []
    progress = Progress()
    loop = TrainingLoop(
        EndsOnce(calls), CallbackList([Told(calls)]), 100, progress, Epochs(count=2, repeats_input=True)
    )
    assert loop.run(np.inf) == 6
    assert progress == Progress(step=6, epoch=2, epoch_start=6)
    ends = [call for call in calls if call[0] == "epoch_end"]
    assert ends == [("epoch_end", 0, 3.0), ("epoch_end", 1, 6.0)]


def test_a_lost_server_is_recovered_from_at_the_restored_step() -> None:
    restored: list[int] = []

    def recover(progress: Progress) -> None:
        restored.append(progress.step)

    outcome = run(6, {"fails_at": (5, ABORTED)}, recover=recover)
    assert outcome.error is None and outcome.loss == 6
    assert restored == [4]


def test_a_step_that_does_not_count_ends_after_a_thousand() -> None:
    outcome = run(6, {"stride": 0})
    assert isinstance(outcome.error, NoProgressError)
    assert outcome.reason is StopReason.ERROR


class Sampled(Counting):
    """Can also run windows with samples."""

    def sampler(self, every: int, requests: Iterable[Any]) -> Callable[[int, int], Steps]:
        assert list(requests) == ["x"]

        def run_sampled(step: int, at_most: int) -> Steps:
            steps = self.run_window(step, np.inf, at_most)
            pieces = []
            for place in range(0, len(steps), every):
                pieces.append(steps.part(place, place + 1, {"x": int(steps.numbers[place])}))
                pieces.append(steps.part(place + 1, place + every))
            return dataclasses.replace(steps, pieces=pieces)

        return run_sampled


class Sampling5(Told):
    """Wants to see every fifth step, and can look back."""

    looks_back = True

    def next_step(self, step: int) -> float:
        return step - step % 5 + 6 if step % 5 else step + 1

    def sampling(self, step: int) -> Sampling:
        return Sampling(5, ["x"])


@pytest.mark.parametrize("program", [Counting, Sampled])
def test_who_looks_back_is_told_of_samples_as_of_single_steps(program: type[Counting]) -> None:
    calls: list[Any] = []
    loop = TrainingLoop(program([]), CallbackList([Sampling5(calls)]), 50, Progress())
    loop.run(500)
    seen = [call for call in calls if call[0] == "step_end"]
    assert seen == [("step_end", step, step) for step in range(1, 501, 5)]
