"""The ways a run ends: what is saved, that every `end` is called, and what then is returned or raised."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import (
    SCRIPTS,
    Job,
    Recorder,
    StopAt,
    checkpoint_numbers,
    checkpoint_values,
    newest_checkpoint,
    run_python,
)
from keras_legacy_train import monitors, train

v1 = tf.compat.v1


class CountsEnds(monitors.BaseMonitor):
    """Never asks for a step; counts the calls of `end`."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = 0

    def end(self, session: Any = None) -> None:
        super().end(session)
        self.ends += 1


WATCHING = pytest.mark.parametrize("watched", [True, False], ids=["watched", "in windows"])


def run(job: Job, output_dir: Path, watched: bool, *others: Any, **arguments: Any) -> Any:
    """Trains with monitors whose `end` must be called whatever happens."""
    counters = [CountsEnds(), CountsEnds()]
    watchers = [counters[0], *([Recorder()] if watched else []), *others, counters[1]]
    try:
        return train(output_dir=output_dir, monitors=watchers, **{**job.arguments(), **arguments})
    finally:
        assert [counter.ends for counter in counters] == [1, 1]


def counting(raise_at: int | None = None, error: BaseException | None = None) -> Job:
    """A loss that is the number of the run, from a function of the host that can raise."""
    runs = 0

    def count() -> np.float32:
        nonlocal runs
        runs += 1
        if runs == raise_at and error is not None:
            raise error
        return np.float32(runs)

    def build() -> graphs.Parts:
        loss = tf.ensure_shape(v1.py_func(count, [], tf.float32), [])
        with tf.control_dependencies([loss]):
            train_op = v1.assign_add(v1.train.get_or_create_global_step(), 1)
        return train_op.op, loss

    return graphs.job(build)


@WATCHING
@pytest.mark.parametrize("limit", ["steps", "max_steps"])
def test_ends_by_its_target(limit: str, watched: bool, tmp_path: Path) -> None:
    assert run(counting(), tmp_path, watched, **{limit: 6}) == 6
    assert checkpoint_numbers(tmp_path) == [0, 6]


@WATCHING
def test_ends_by_a_monitor(watched: bool, tmp_path: Path) -> None:
    assert run(counting(), tmp_path, watched, StopAt(4), steps=9) == 4
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


@WATCHING
def test_ends_by_a_keras_callback(watched: bool, tmp_path: Path) -> None:
    class Stops(keras.callbacks.Callback):
        batches = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.batches += 1
            self.model.stop_training = self.batches == 4

    assert run(counting(), tmp_path, watched, steps=9, callbacks=[Stops()]) == 4
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


@WATCHING
@pytest.mark.parametrize(
    "end",
    [StopIteration(), tf.errors.OutOfRangeError(None, None, "the end")],
    ids=["StopIteration", "OutOfRangeError"],
)
def test_ends_by_feed_fn(end: Exception, watched: bool, tmp_path: Path) -> None:
    job = graphs.build("feed_adam")
    batches = [job.feed_fn() for _ in range(5)] if job.feed_fn else []

    def feed_fn() -> Any:
        if not batches:
            raise end
        return batches.pop(0)

    loss = run(job, tmp_path, watched, steps=100, feed_fn=feed_fn)
    assert isinstance(loss, np.float32)
    assert newest_checkpoint(tmp_path) == "model.ckpt-5"


def finite_iterator_job() -> Job:
    """Eight batches, the loss the mean of each; no part of the step can be done without a batch."""

    def build() -> graphs.Parts:
        data = tf.data.Dataset.range(16).batch(2)
        batch = v1.data.make_one_shot_iterator(data).get_next()
        w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
        loss = tf.reduce_mean(tf.cast(batch, tf.float32)) * (1 + w)
        return graphs.minimize(v1.train.GradientDescentOptimizer(0.0), loss), loss

    return graphs.job(build)


@WATCHING
def test_ends_with_the_input(watched: bool, tmp_path: Path) -> None:
    assert run(finite_iterator_job(), tmp_path, watched, steps=100) == 14.5
    assert newest_checkpoint(tmp_path) == "model.ckpt-8"


@pytest.mark.parametrize("max_window", [1, 3, 8, 1000])
def test_ends_with_the_input_inside_a_window_of_any_size(max_window: int, tmp_path: Path) -> None:
    assert run(finite_iterator_job(), tmp_path, False, max_window=max_window) == 14.5
    assert newest_checkpoint(tmp_path) == "model.ckpt-8"


def test_input_that_is_empty_from_the_start(tmp_path: Path) -> None:
    job = graphs.build("feed_adam")
    assert run(job, tmp_path, False, steps=5, feed_fn=iter([]).__next__) is None
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"


@WATCHING
def test_ends_with_the_queue(watched: bool, tmp_path: Path) -> None:
    assert run(graphs.build("queue"), tmp_path, watched, steps=100) > 0
    assert newest_checkpoint(tmp_path) == "model.ckpt-16"


@WATCHING
def test_an_operation_fails(watched: bool, tmp_path: Path) -> None:
    with pytest.raises(tf.errors.OpError, match="out of luck"):
        run(counting(5, RuntimeError("out of luck")), tmp_path, watched, steps=9)
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


@WATCHING
def test_feed_fn_fails(watched: bool, tmp_path: Path) -> None:
    job = graphs.build("feed_adam")
    batches = [job.feed_fn() for _ in range(3)] if job.feed_fn else []
    with pytest.raises(IndexError):
        run(job, tmp_path, watched, steps=9, feed_fn=lambda: batches.pop(0))
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"


def failing_queue_job() -> Job:
    """A queue whose enqueue operation fails at the fifth element."""
    elements = iter([np.float32(1)] * 4)

    def produce() -> np.float32:
        try:
            return next(elements)
        except StopIteration:
            raise ValueError("no more luck") from None

    def build() -> graphs.Parts:
        queue = v1.FIFOQueue(2, tf.float32, shapes=[[]])
        enqueue = queue.enqueue(tf.ensure_shape(v1.py_func(produce, [], tf.float32), []))
        v1.train.add_queue_runner(v1.train.QueueRunner(queue, [enqueue]))
        w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
        loss = tf.square(w - queue.dequeue())
        return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), loss), loss

    return graphs.job(build)


@WATCHING
def test_an_enqueue_operation_fails(watched: bool, tmp_path: Path) -> None:
    with pytest.raises(tf.errors.OpError, match="no more luck"):
        run(failing_queue_job(), tmp_path, watched, steps=100)
    newest = newest_checkpoint(tmp_path)
    assert newest is not None
    assert checkpoint_values(tmp_path)["global_step"] == int(newest.rpartition("-")[2]) <= 4


@WATCHING
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, GeneratorExit])
def test_a_monitor_raises_what_is_no_ordinary_error(
    error: type[BaseException], watched: bool, tmp_path: Path
) -> None:
    class Raises(Recorder):
        def step_end(self, step: int, output: dict[Any, Any]) -> bool:
            if step == 4:
                raise error
            return super().step_end(step, output)

    with pytest.raises(error):
        run(counting(), tmp_path, watched, Raises(), steps=9)
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


def killed_run(output_dir: Path, signal_number: int, sender: str) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own that gets a signal during its step 50 (see `signalled_run.py`)."""
    return run_python(SCRIPTS / "signalled_run.py", output_dir, int(signal_number), sender, timeout=120)


SENDERS = pytest.mark.parametrize("sender", ["window", "watched step", "feed_fn"])


@SENDERS
@pytest.mark.parametrize(
    ("signal_number", "ending"),
    [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "SystemExit 143")],
    ids=["SIGINT", "SIGTERM"],
)
def test_signal(signal_number: int, ending: str, sender: str, tmp_path: Path) -> None:
    ended = killed_run(tmp_path, signal_number, sender)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines == [f"ended by {ending}", "end called 1 time", "earlier handler restored"]
    step = int(str(newest_checkpoint(tmp_path)).rpartition("-")[2])
    assert step >= 49
    assert checkpoint_values(tmp_path)["global_step"] == step
    assert checkpoint_values(tmp_path)["runs"] == step


def test_train_in_a_thread_leaves_signals_alone(tmp_path: Path) -> None:
    import threading

    results: list[Any] = []
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=lambda: results.append(run(counting(), tmp_path, False, steps=3)))
    thread.start()
    thread.join()
    assert results == [3]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_handlers_are_restored_after_an_ordinary_end(number: signal.Signals, tmp_path: Path) -> None:
    before: Callable[..., Any] | int | None = signal.getsignal(number)
    run(counting(), tmp_path, True, steps=2)
    assert signal.getsignal(number) is before


def test_queue_threads_are_gone_afterwards(tmp_path: Path) -> None:
    import threading

    before = set(threading.enumerate())
    run(graphs.build("queue"), tmp_path, False, steps=3)
    assert [thread for thread in set(threading.enumerate()) - before if thread.is_alive()] == []
