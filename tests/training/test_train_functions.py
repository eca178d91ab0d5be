"""`train` with functions over `tf.Variable`s in the place of the graph."""

from __future__ import annotations

import collections
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_helpers import RATE, CallCounter, Descent, gap_after, train, w_after
from helpers import (
    EveryNLosses,
    Recorder,
    Silent,
    checkpoint_numbers,
    checkpoint_values,
    newest_checkpoint,
)
from keras_legacy_train import (
    CheckpointMismatchError,
    NoProgressError,
    monitors,
)

pytestmark = pytest.mark.usefixtures("v2_behavior")


def targets(count: int | None = None) -> tf.data.Dataset:
    """0, 1, 2, …"""
    numbers = tf.data.Dataset.range(10**6 if count is None else count)
    return numbers.map(lambda number: tf.cast(number, tf.float32))


# What a step is.


@pytest.mark.parametrize("kind", ["key", "function"])
def test_without_batches(kind: str, tmp_path: Path) -> None:
    """The loss is that before the step, steps run in windows, and are traced but once or twice."""
    job, counter = Descent(), CallCounter()
    loss_op = "loss" if kind == "key" else job.loss
    options: dict[str, Any] = {"monitors": [Silent()], "callbacks": [counter]}
    loss = train(None, tmp_path, job.step, loss_op, steps=60, **options)
    assert isinstance(loss, np.float32)
    np.testing.assert_allclose(
        counter.losses, [gap_after(step) ** 2 for step in range(60)], rtol=1e-4, atol=1e-9
    )
    np.testing.assert_allclose(job.w.numpy(), w_after(60), rtol=1e-6)
    assert len(counter.calls) < 10
    assert job.traces <= 2


@pytest.mark.parametrize("source", ["function", "dataset"])
@pytest.mark.parametrize("kind", ["key", "function"])
def test_with_batches(kind: str, source: str, tmp_path: Path) -> None:
    job, counter = Descent(), CallCounter()
    numbers = itertools.count()
    feed_fn = targets() if source == "dataset" else lambda: np.float32(next(numbers))
    loss_op = "loss" if kind == "key" else job.loss_on
    options: dict[str, Any] = {"monitors": [Silent()], "callbacks": [counter]}
    train(None, tmp_path, job.step_on, loss_op, feed_fn=feed_fn, steps=40, **options)
    w, losses = 0.0, []
    for target in range(40):
        losses.append((target - w) ** 2)
        w += RATE * (target - w)
    np.testing.assert_allclose(counter.losses, losses, rtol=1e-5)
    np.testing.assert_allclose(job.w.numpy(), w, rtol=1e-5)
    assert (len(counter.calls) < 10) == (source == "dataset")


Pair = collections.namedtuple("Pair", ["x", "y"])

BATCHES: dict[str, tuple[Callable[[], Any], Callable[[Any], tf.Tensor]]] = {
    "number": (lambda: 2.0, lambda batch: batch),
    "array": (lambda: np.full([3], 2.0, np.float32), lambda batch: batch[0]),
    "list": (lambda: [2.0, 1.0], lambda batch: batch[0]),
    "tensor": (lambda: tf.constant(2.0), lambda batch: batch),
    "tuple": (lambda: (np.float32(1.0), [1.0]), lambda batch: batch[0] + batch[1][0]),
    "named tuple": (lambda: Pair(1.0, np.float32(1.0)), lambda batch: batch.x + batch.y),
    "dict": (lambda: {"x": np.float32(2.0)}, lambda batch: batch["x"]),
    "nested": (lambda: {"x": ({"y": 2.0},)}, lambda batch: batch["x"][0]["y"]),
    "ragged": (lambda: tf.ragged.constant([[2.0], [1.0, 3.0]]), lambda batch: batch[0, 0]),
}


@pytest.mark.parametrize("form", BATCHES)
def test_forms_of_a_batch(form: str, tmp_path: Path) -> None:
    give, read = BATCHES[form]
    job = Descent()
    train(None, tmp_path, lambda batch: job.step_on(read(batch)), "loss", feed_fn=give, steps=2)
    np.testing.assert_allclose(job.w.numpy(), 2.0 * (1 - (1 - RATE) ** 2), rtol=1e-6)


def test_python_control_flow_in_a_step(tmp_path: Path) -> None:
    """A step is converted as by `tf.function`."""
    job = Descent()

    def step() -> dict[str, Any]:
        if job.w < 1.0:
            job.w.assign_add(0.4)
        else:
            job.w.assign_sub(1.0)
        return {"loss": job.w.read_value()}

    recorder = Recorder("loss")
    train(None, tmp_path, step, "loss", steps=4, monitors=[recorder])
    np.testing.assert_allclose(recorder.values("loss"), [0.4, 0.8, 1.2, 0.2], rtol=1e-5)


def test_a_loss_of_shape_1_and_of_another_dtype(tmp_path: Path) -> None:
    w = tf.Variable([4.0], dtype=tf.float64, name="w")
    loss = train(None, tmp_path, lambda: w.assign(w / 2), lambda: tf.square(w), steps=2)
    assert isinstance(loss, np.float64)
    assert loss == 4.0


def test_jit_compile(tmp_path: Path) -> None:
    job = Descent()
    loss = train(None, tmp_path, job.step, "loss", steps=30, jit_compile=True, monitors=[Silent()])
    np.testing.assert_allclose(loss, gap_after(29) ** 2, rtol=1e-4)
    np.testing.assert_allclose(job.w.numpy(), w_after(30), rtol=1e-6)


def test_monitors_ask_for_what_a_step_returns_and_for_variables(tmp_path: Path) -> None:
    job = Descent("scope/w")
    asked = ["loss", "gap:0", "steps", "history", "scope/w", "scope/w:0", job.w, "global_step"]
    recorder = Recorder(*asked)
    train(None, tmp_path, job.step, "loss", steps=2, monitors=[recorder])
    output = recorder.outputs[2]
    gap = gap_after(1)
    np.testing.assert_allclose(output["loss"], gap**2, rtol=1e-6)
    np.testing.assert_allclose(output["gap:0"], gap, rtol=1e-6)
    np.testing.assert_allclose(output["history"], [gap, gap**2], rtol=1e-6)
    assert output["steps"] == 1
    assert output["global_step"] == 2
    assert output["scope/w"] == output["scope/w:0"] == output[job.w] == np.float32(w_after(2))


def test_session_in_post_step_and_end(tmp_path: Path) -> None:
    job, seen = Descent(), []

    class Reads(monitors.BaseMonitor):
        def post_step(self, step: int, session: Any) -> None:
            seen.append(session.run("w:0"))

        def end(self, session: Any) -> None:
            seen.append(session.run({"w": job.w})["w"])

    train(None, tmp_path, job.step, "loss", steps=2, monitors=[Reads()])
    np.testing.assert_allclose(seen, [w_after(1), w_after(2), w_after(2)], rtol=1e-6)


# Steps, and who counts them.


def test_steps_and_max_steps(tmp_path: Path) -> None:
    job = Descent()
    options: dict[str, Any] = {"train_op": job.step, "loss_op": "loss"}
    assert train(None, tmp_path, steps=0, **options) is None
    train(None, tmp_path, steps=3, **options)
    train(None, tmp_path, max_steps=5, **options)
    assert train(None, tmp_path, max_steps=5, **options) is None
    assert checkpoint_numbers(tmp_path) == [0, 3, 5]
    np.testing.assert_allclose(job.w.numpy(), w_after(5), rtol=1e-6)


@pytest.mark.parametrize("monitor", [Recorder, Silent])
def test_a_global_step_that_train_op_raises(monitor: Any, tmp_path: Path) -> None:
    """By two: steps are 1, 3, 5, and the end is where the count is reached or passed."""
    step, job = tf.Variable(0, name="my_step"), Descent()

    def train_op() -> dict[str, Any]:
        step.assign_add(2)
        return job.step()

    watcher = monitor()
    train(None, tmp_path, train_op, "loss", step, max_steps=5, monitors=[watcher])
    assert step.numpy() == 6
    assert tf.train.load_variable(str(tmp_path), "my_step") == 6
    assert newest_checkpoint(tmp_path) == "model.ckpt-6"
    if monitor is Recorder:
        assert watcher.steps("step_end") == [1, 3, 5]


def test_a_keras_variable_as_global_step(tmp_path: Path) -> None:
    step = keras.Variable(0, dtype="int64", name="my_step", trainable=False)
    train(
        None, tmp_path, lambda: {"loss": tf.cast(step.value.assign_add(1), tf.float32)}, "loss", step, steps=3
    )
    assert tf.train.load_variable(str(tmp_path), "my_step") == 3


@pytest.mark.parametrize("monitor", [Recorder, Silent])
def test_a_global_step_that_nobody_raises(
    monitor: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    step, job = tf.Variable(0, name="my_step"), Descent()
    with pytest.raises(NoProgressError, match="my_step") as raised:
        train(None, tmp_path, job.step, "loss", step, steps=5, monitors=[monitor()])
    assert raised.value.variable == "my_step"
    assert caplog.messages.count("Global step 'my_step' was not incremented by train op at step 0.") == 1


def test_end_of_the_input(tmp_path: Path) -> None:
    for name, feed_fn in {
        "dataset": targets(7),
        "function": itertools.islice(itertools.count(0.0), 7).__next__,
    }.items():
        job = Descent()
        recorder = Recorder()
        directory = tmp_path / name
        assert train(None, directory, job.step_on, "loss", feed_fn=feed_fn, monitors=[recorder]) is not None
        assert newest_checkpoint(directory) == "model.ckpt-7"
        assert recorder.steps("step_end") == list(range(1, 8))
        assert recorder.calls[-1] == ["end"]


@pytest.mark.parametrize("at", [1, 4])
def test_an_exception_of_feed_fn(at: int, tmp_path: Path) -> None:
    numbers = itertools.count(1)

    def give() -> float:
        number = next(numbers)
        return 1.0 / (at - number) if number == at else 1.0

    job = Descent()
    with pytest.raises(ZeroDivisionError):
        train(None, tmp_path / "new", job.step_on, "loss", feed_fn=give, steps=9)
    if at == 1:
        assert not (tmp_path / "new").exists()
    else:
        assert newest_checkpoint(tmp_path / "new") == "model.ckpt-3"


def test_an_exception_of_a_monitor(tmp_path: Path) -> None:
    class Raises(monitors.BaseMonitor):
        def step_end(self, step: int, output: Any) -> None:
            if step == 3:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(None, tmp_path, Descent().step, "loss", steps=9, monitors=[Raises()])
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"


def test_after_an_aborted_step_it_goes_on_from_the_newest_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Aborts(Recorder):
        def step_end(self, step: int, output: Any) -> bool:
            stop = super().step_end(step, output)
            if step == 5 and self.steps("step_end").count(5) == 1:
                raise tf.errors.AbortedError(None, None, "once")
            return stop

    epochs: list[int] = []

    class Epochs(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            epochs.append(epoch)

    job, monitor = Descent(), Aborts("loss")
    options: dict[str, Any] = {"steps_per_epoch": 2, "monitors": [monitor], "callbacks": [Epochs()]}
    train(None, tmp_path, job.step, "loss", steps=6, **options)
    assert monitor.steps("step_end") == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6]
    assert epochs == [0, 1, 2, 0, 1, 2]
    np.testing.assert_allclose(job.w.numpy(), w_after(6), rtol=1e-6)
    assert [text for text in caplog.messages if "going on from the newest checkpoint" in text]


# Checkpoints.


def test_checkpoints_have_the_names_of_the_variables(tmp_path: Path) -> None:
    w, count = tf.Variable([1.0, 2.0], name="layer/w"), tf.Variable(0, name="count", dtype=tf.int32)
    untouched = tf.Variable(5.0, name="untouched")

    def step() -> dict[str, Any]:
        count.assign_add(1)
        return {"loss": tf.reduce_sum(w.assign(w * 0.5)) + 0 * untouched}

    train(None, tmp_path, step, "loss", steps=3)
    assert set(checkpoint_values(tmp_path)) == {"layer/w", "count", "untouched", "global_step"}
    np.testing.assert_array_equal(tf.train.load_variable(str(tmp_path), "layer/w"), [0.125, 0.25])
    assert tf.train.load_variable(str(tmp_path), "count") == 3
    assert tf.train.load_variable(str(tmp_path), "global_step") == 3


def test_a_graph_goes_on_from_their_checkpoint(tmp_path: Path) -> None:
    """The names are those of a graph with the same variables."""
    train(None, tmp_path, Descent().step, "loss", steps=3)
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        w = v1.get_variable("w", [])
        train_op = tf.group(v1.assign_add(w, 1.0), v1.assign_add(v1.train.create_global_step(), 1))
        loss = tf.identity(w)
    train(graph, tmp_path, train_op, loss, steps=2)
    np.testing.assert_allclose(tf.train.load_variable(str(tmp_path), "w"), w_after(3) + 2, rtol=1e-6)
    assert newest_checkpoint(tmp_path) == "model.ckpt-5"


def test_checkpoint_without_a_variable(tmp_path: Path) -> None:
    train(None, tmp_path, Descent().step, "loss", steps=1)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CheckpointMismatchError, match="other"):
        train(None, tmp_path, Descent("other").step, "loss", steps=1)
    assert sorted(tmp_path.iterdir()) == before


def test_init_op_and_init_fn_are_called_where_there_is_no_checkpoint(tmp_path: Path) -> None:
    seen: list[Any] = []
    for steps in (0, 1):
        job = Descent()
        train(
            None,
            tmp_path,
            job.step,
            "loss",
            init_op=lambda job=job: job.w.assign(1.0),
            init_fn=lambda session: seen.append(session.run(["w", "global_step:0"])),
            steps=steps,
        )
    assert seen == [[1.0, 0]]
    np.testing.assert_allclose(job.w.numpy(), 1.0 + RATE * 2.0)


def test_the_position_in_the_input_is_saved(tmp_path: Path) -> None:
    def run(directory: Path, pieces: list[int]) -> np.ndarray:
        for steps in pieces:
            data = targets(50).shuffle(20, seed=1).repeat()
            job = Descent()
            train(None, directory, job.step_on, "loss", feed_fn=data, steps=steps, save_input_state=True)
        names = [name for name, _ in tf.train.list_variables(str(directory))]
        assert "input/state" in names
        return job.w.numpy()

    assert run(tmp_path / "pieces", [3, 4, 5]) == run(tmp_path / "whole", [12])


# Laws.

PIECES = st.lists(st.integers(0, 8), min_size=1, max_size=3)


class Spiral:
    """A step with random numbers whose state is a variable, so that every run draws the same.

    Args:
        seed: Of the random numbers.
        counts: Whether the step raises a global step of its own.
    """

    def __init__(self, seed: int, counts: bool):
        self.seed = tf.Variable(np.array([seed, 0], np.int32), name="seed")
        self.w = tf.Variable(np.float32([0.3, -0.7]), name="w")
        self.number = tf.Variable(0, name="number") if counts else None

    def __call__(self, shift: Any = 0.0) -> dict[str, Any]:
        noise = tf.random.stateless_normal([2], self.seed)
        self.seed.assign_add([0, 1])
        if self.number is not None:
            self.number.assign_add(1)
        self.w.assign(tf.math.sin(1.7 * self.w) + 0.01 * noise + shift / 100)
        return {"loss": tf.reduce_sum(self.w.read_value()), "first": self.w.read_value()[0]}

    def state(self) -> list[np.ndarray]:
        return [self.seed.numpy(), self.w.numpy()]


@pytest.mark.slow
@settings(max_examples=6)
@given(
    seed=st.integers(0, 9),
    pieces=PIECES,
    source=st.sampled_from([None, "dataset"]),
    every_n=st.none() | st.integers(1, 7),
    max_window=st.none() | st.integers(1, 9),
    counts=st.booleans(),
)
def test_windows_equal_single_steps_and_pieces_equal_the_whole(
    seed: int,
    pieces: list[int],
    source: str | None,
    every_n: int | None,
    max_window: int | None,
    counts: bool,
) -> None:
    """Whoever counts the steps, wherever batches come from, and however it is watched."""

    def run(pieces: list[int], monitor: Any, **options: Any) -> tuple[list[float], list[np.ndarray]]:
        losses: list[float] = []
        if source:
            options |= {"feed_fn": targets(), "save_input_state": True}
        with tempfile.TemporaryDirectory() as directory:
            for steps in pieces:
                step, counter = Spiral(seed, counts), CallCounter()
                options |= {"monitors": [monitor], "callbacks": [counter]}
                train(None, directory, step, "loss", step.number, steps=steps, **options)
                losses += counter.losses
        return losses, step.state()

    losses, values = run([sum(pieces)], Recorder())
    monitor = EveryNLosses("loss", every_n) if every_n else Silent()
    others, other_values = run(pieces, monitor, max_window=max_window)
    assert others == losses
    np.testing.assert_equal(other_values, values)
