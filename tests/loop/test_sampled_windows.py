"""Steps that somebody samples run in one call with those between, and nobody can tell."""

from __future__ import annotations

import logging
import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
from helpers import Job, assert_values_equal, checkpoint_numbers, checkpoint_values, read_events
from keras_legacy_train import callbacks, train
from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.loop.schedule import Sampling, SamplingPolicy
from keras_legacy_train.monitors import EveryN, PrintTensor, SummarySaver
from strategies import RANDOM_LAYERS, Spec, build, specs

v1 = tf.compat.v1

STEPS = 20


@pytest.fixture(scope="module")
def early() -> Iterator[None]:
    """Samples are taken within windows even where that does not pay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SamplingPolicy, "MIN_SAMPLES", 1)
        patch.setattr(SamplingPolicy, "MIN_WINDOWS", 0)
        yield


class Samples(EveryN):
    """Notes what it is told at the active steps; need not be there."""

    def __init__(self, requests: list[Any], every_n_steps: int = 100, first_n_steps: int = 1):
        super().__init__(every_n_steps, first_n_steps)
        self.requests = requests
        self.seen: dict[int, list[Any]] = {}
        self.post_steps: list[int] = []

    def sampling(self, step: int) -> Sampling | None:
        return self.sampling_of(self.requests, step)

    def every_n_step_begin(self, step: int) -> list[Any]:
        return self.requests

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> None:
        self.seen[step] = [outputs[request] for request in self.requests]

    def every_n_post_step(self, step: int, session: Any) -> None:
        self.post_steps.append(step)


class Windows(callbacks.LoopCallback):
    """Notes how many steps ran in each call, and all losses."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []
        self.losses: dict[int, Any] = {}

    def on_steps_end(self, steps: Any) -> None:
        self.lengths.append(len(steps))
        self.losses.update(zip(steps.numbers.tolist(), steps.losses.tolist(), strict=True))


def run(
    make_job: Callable[[], Job], make_monitor: Callable[[Job], Any], **options: Any
) -> tuple[Any, Windows, Any, dict[str, np.ndarray]]:
    """The monitor, the windows, the loss or error, and the variables of the last checkpoint."""
    job, windows = make_job(), Windows()
    monitor = make_monitor(job)
    with tempfile.TemporaryDirectory() as output_dir:
        arguments = {"monitors": [monitor], "callbacks": [windows], "steps": STEPS, **options}
        try:
            end = train(output_dir=output_dir, **arguments, **job.arguments())
        except (Exception, KeyboardInterrupt) as error:
            end = type(error)
        return monitor, windows, end, checkpoint_values(output_dir)


def assert_same(make_job: Callable[[], Job], make_monitor: Callable[[Job], Any], **options: Any) -> Windows:
    """Compares windows with single steps; returns the windows."""
    expected, single, expected_end, expected_variables = run(make_job, make_monitor, max_window=1, **options)
    monitor, windows, end, variables = run(make_job, make_monitor, **options)
    assert end == expected_end
    assert list(monitor.seen) == list(expected.seen)
    for step, values in expected.seen.items():
        assert_values_equal(dict(enumerate(monitor.seen[step])), dict(enumerate(values)))
        assert [type(value) for value in monitor.seen[step]] == [type(value) for value in values]
    if end is not NanLossDuringTrainingError:  # of the steps of its window not everybody is told
        assert monitor.post_steps == expected.post_steps
        np.testing.assert_equal(windows.losses, single.losses)
    assert_values_equal(variables, expected_variables)
    return windows


def assert_same_for_spec(spec: Spec, every: int, first: int) -> Windows:
    def make_monitor(job: Job) -> Samples:
        step = tf.compat.v1.train.get_global_step(job.graph)  # a layer may have made it, in its scope
        names = ["loss:0", f"{step.op.name}:0"]
        return Samples([job.graph.as_graph_element(name) for name in names], every, first)

    return assert_same(lambda: build(spec)[0], make_monitor)


@pytest.mark.usefixtures("early")
@settings(max_examples=4)
@given(specs(), st.integers(1, 7), st.integers(0, 3))
def test_sampled_windows_equal_single_steps(spec: Spec, every: int, first: int) -> None:
    assert_same_for_spec(spec, every, first)


@pytest.mark.slow
@pytest.mark.usefixtures("early")
@settings(max_examples=150)
@given(specs(), st.integers(1, 7), st.integers(0, 3))
def test_sampled_windows_equal_single_steps_at_length(spec: Spec, every: int, first: int) -> None:
    assert_same_for_spec(spec, every, first)


@pytest.mark.usefixtures("early")
@pytest.mark.parametrize("name", RANDOM_LAYERS)
def test_random_numbers_are_the_same(name: str) -> None:
    windows = assert_same_for_spec(Spec(input="one-shot iterator", layers=(name,)), 3, 1)
    assert max(windows.lengths) > 3  # or nothing was sampled


def counting(raise_at: int | None = None, raises: Callable[[], Any] | None = None) -> Callable[[], Job]:
    """Makes a graph whose loss is the number of the run, but at `raise_at` what the host makes of it."""

    def make() -> Job:
        runs = 0

        def count() -> np.float32:
            nonlocal runs
            runs += 1
            made = raises() if runs == raise_at and raises is not None else None
            return np.float32(runs if made is None else made)

        def build_parts() -> graphs.Parts:
            loss = tf.ensure_shape(v1.py_func(count, [], tf.float32), [])
            with tf.control_dependencies([loss]):
                train_op = v1.assign_add(v1.train.get_or_create_global_step(), 1)
            return train_op.op, loss

        return graphs.job(build_parts)

    return make


def fail() -> None:
    raise RuntimeError("no more")


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


ENDINGS: dict[str, Callable[[], Any]] = {
    "NaN": lambda: np.nan,
    "an error": fail,
    "the end of the input": lambda: next(iter([])),
}


@pytest.mark.usefixtures("early")
@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("step", [10, 12], ids=["sampled", "between"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_endings(ending: str, step: int, fails: bool) -> None:
    """Of which steps a monitor was told, and what then came, is as without windows."""
    windows = assert_same(
        counting(step, ENDINGS[ending]),
        lambda job: Samples([job.loss], every_n_steps=3),
        fail_on_nan_loss=fails,
    )
    if ending != "NaN":
        assert max(windows.losses) == step - 1
        assert max(windows.lengths) > 3
    elif not fails:
        assert max(windows.losses) == STEPS


@pytest.mark.usefixtures("early")
def test_an_interrupt_ends_a_sampled_window(tmp_path: Path) -> None:
    """After a whole step, of which the monitor is told as of those before."""
    job, windows = counting(500, interrupt)(), Windows()
    monitor = Samples([job.loss], every_n_steps=3)
    with pytest.raises(KeyboardInterrupt):
        train(output_dir=tmp_path, monitors=[monitor], callbacks=[windows], steps=10**6, **job.arguments())
    done = max(windows.losses)
    assert 500 <= done < 10**6
    assert max(windows.lengths) > 3
    assert checkpoint_numbers(tmp_path)[-1] == done
    assert list(monitor.seen) == list(range(1, done + 1, 3))


@pytest.mark.usefixtures("early")
def test_two_monitors_with_the_same_steps(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Lines and events come in the order of the steps, and are those of single steps."""
    lines, events = [], []
    for max_window in (1, None):
        job = graphs.build("linear_sgd")
        with job.graph.as_default():
            summary_op = v1.summary.merge(
                [v1.summary.scalar("l", job.loss), v1.summary.histogram("h", job.loss)]
            )
        folder = tmp_path / str(max_window)
        monitors = [PrintTensor({"loss": job.loss}, 5), SummarySaver(summary_op, 5, folder)]
        windows = Windows()
        caplog.clear()
        with caplog.at_level(logging.INFO, "keras_legacy_train"):
            train(
                output_dir=folder,
                monitors=monitors,
                callbacks=[windows],
                steps=50,
                log_every_steps=3,
                max_window=max_window,
                **job.arguments(),
            )
        found = [line.partition("(")[0] for line in caplog.messages if re.search(r"tep \d+[:,]", line)]
        lines.append(found)
        events.append(
            [(event.step, event.summary) for event in read_events(folder) if event.HasField("summary")]
        )
    assert max(windows.lengths) > 5
    assert len(lines[0]) > 20
    assert lines[0] == lines[1]
    assert without_speed(events[0]) == without_speed(events[1])


def without_speed(events: list[Any]) -> list[Any]:
    return [event for event in events if event[1].value[0].tag != "global_step/sec"]


class Reads(PrintTensor):
    """Reads a variable by the session, so that it must be there."""

    read: dict[int, Any]

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool | None:
        self.read[step] = v1.get_default_session().run("global_step:0")
        return super().every_n_step_end(step, outputs)


@pytest.mark.usefixtures("early")
def test_a_subclass_that_does_more_is_there(tmp_path: Path) -> None:
    job, windows = graphs.build("linear_sgd"), Windows()
    monitor = Reads([job.loss], every_n=4)
    monitor.read = {}
    train(output_dir=tmp_path, monitors=[monitor], callbacks=[windows], steps=40, **job.arguments())
    assert monitor.read == {step: step for step in [*range(1, 40, 4), 40]}
    assert max(windows.lengths) == 3


class ComparesSteps(callbacks.TerminateOnNaN):
    """Notes what the global step is when it is told of steps."""

    def __init__(self, variables: dict[int, int]) -> None:
        super().__init__()
        self.variables = variables

    def on_steps_end(self, steps: Any) -> None:
        super().on_steps_end(steps)
        (weight,) = (w for w in self.model.weights if "global_step" in w.path)
        self.variables[steps.last] = int(weight.numpy())


@pytest.mark.usefixtures("early")
def test_a_callback_that_does_more_is_told_when_they_are_the_last(tmp_path: Path) -> None:
    job = graphs.build("linear_sgd")
    monitor, variables = Samples([job.loss], 3), dict[int, int]()
    watchers = [ComparesSteps(variables), windows := Windows()]
    train(output_dir=tmp_path, monitors=[monitor], callbacks=watchers, steps=40, **job.arguments())
    assert max(windows.lengths) > 3
    assert variables == {step: step for step in variables}
    assert len(monitor.seen) == 14


@pytest.mark.usefixtures("early")
def test_a_vector_is_watched(tmp_path: Path) -> None:
    job, windows = graphs.build("linear_sgd"), Windows()
    (weight, *_) = job.graph.get_collection("trainable_variables")
    monitor = Samples([weight.name], 3)
    train(output_dir=tmp_path, monitors=[monitor], callbacks=[windows], steps=40, **job.arguments())
    assert list(monitor.seen) == [*range(1, 41, 3)]
    assert max(windows.lengths) == 2


@pytest.mark.usefixtures("early")
def test_monitors_with_other_steps(tmp_path: Path) -> None:
    job, windows = graphs.build("linear_sgd"), Windows()
    every = [3, 5, 11]
    monitors = [Samples([job.loss], n) for n in every]
    train(output_dir=tmp_path, monitors=monitors, callbacks=[windows], steps=40, **job.arguments())
    for monitor, n in zip(monitors, every, strict=True):
        assert list(monitor.seen) == sorted({*range(1, 40, n), 40})
        assert [values for (values,) in monitor.seen.values()] == [
            pytest.approx(windows.losses[step]) for step in monitor.seen
        ]


def test_the_default_monitors_of_a_fast_step(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """As they come, once there is enough to do: each line and event in its place."""
    job, windows = graphs.build("linear_sgd"), Windows()
    with job.graph.as_default():
        v1.summary.scalar("summary", job.loss)
    with caplog.at_level(logging.INFO, "keras_legacy_train"):
        train(output_dir=tmp_path, callbacks=[windows], steps=40_000, **job.arguments())
    assert max(windows.lengths) > 800
    found = [re.match(r"(Step|training step) (\d+)[:,] loss", line) for line in caplog.messages]
    lines = [(line[1], int(line[2])) for line in found if line is not None]
    printed = [step for kind, step in lines if kind == "Step"]
    logged = [step for kind, step in lines if kind != "Step"]
    assert printed == [*range(1, 40_000, 100), 40_000]
    assert logged == list(range(10, 40_001, 10))
    assert lines == sorted(lines, key=lambda line: line[1])
    tags: dict[str, list[int]] = {}
    for event in read_events(tmp_path):
        for value in event.summary.value:
            tags.setdefault(value.tag, []).append(event.step)
    assert tags["summary"] == printed
    assert tags["loss"] == printed
