"""Signals and long waits while a call into TensorFlow waits for input that does not come."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from helpers import SCRIPTS, TESTS, checkpoint_numbers, newest_checkpoint
from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession

v1 = tf.compat.v1

SECOND = "A second signal ends the process at once and leaves the checkpoints as they are."
NO_RUNNER = "No queue runner fills that queue: add one to the graph by tf.compat.v1.train.add_queue_runner()."


@dataclasses.dataclass
class Ended:
    """How a case ended: 0 or minus the number of a signal, and the lines it has printed."""

    status: int
    lines: list[str]


class Cases:
    """Runs cases of blocked_run.py."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPTS / "blocked_run.py"), str(directory)],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, folder: str, place: str, *signals: int, wait_seconds: float = 60.0) -> Ended:
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps([folder, place, signals, wait_seconds]), file=self._process.stdin, flush=True)
        status, output = json.loads(self._process.stdout.readline())
        return Ended(status, output.splitlines())

    def run_at_wait(self, folder: str, place: str, *signals: int) -> Ended:
        """As `run`, but where a dataset is read ahead, the first signal comes when the step waits for it."""
        if place not in ("dataset", "fit"):
            return self.run(folder, place, *signals)
        ended = self.run(folder, place, 0, *signals, wait_seconds=0.5)
        del ended.lines[0]
        return ended

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cases]:
    cases = Cases(tmp_path_factory.mktemp("blocked"))
    yield cases
    cases.close()


QUEUE = f"{{}} waits for the queue 'nobody_fills', which is empty. {NO_RUNNER}"
IN_STEP = {
    "window": QUEUE.format("'cond'"),
    "first step": QUEUE.format("'cond'"),
    "watched step": QUEUE.format("'cond'"),
    "fed step": QUEUE.format("'cond'"),
    "sampled window": QUEUE.format("'cond'"),
    "dataset": "blocked_run.py",
    "py_func": "blocked_run.py",
    "fit": "blocked_run.py",
}
IN_CALL = (
    "init_op",
    "init_fn",
    "local_init_op",
    "evaluate",
    "evaluate, in windows",
    "infer",
    "run_feeds",
    "predict",
    "GraphModel.fit",
)


@pytest.mark.parametrize("place", IN_STEP)
def test_a_second_signal_ends_the_process_where_a_step_does_not_end(place: str, cases: Cases) -> None:
    number = signal.SIGINT if place in ("window", "fit") else signal.SIGTERM
    ended = cases.run_at_wait(place, place, number, number)
    assert ended.status == -number
    (line,) = ended.lines
    assert line.startswith(f"{number.name} takes effect after the current step, which has not ended yet. ")
    assert IN_STEP[place] in line
    assert line.endswith(SECOND)
    assert checkpoint_numbers(cases.directory / place) == [0]


@pytest.mark.parametrize("place", IN_CALL)
def test_a_second_signal_ends_the_process_in_any_other_call(place: str, cases: Cases) -> None:
    ended = cases.run(place, place, signal.SIGINT, signal.SIGINT)
    assert ended.status == -signal.SIGINT
    assert ended.lines == [
        "SIGINT takes effect after the current call into TensorFlow, which has not ended yet."
        f" {QUEUE.format(repr('nobody_fills_Dequeue'))} {SECOND}"
    ]


@pytest.mark.parametrize("place", ["init_op", "evaluate", "predict"])
def test_sigterm_ends_such_a_call_at_once(place: str, cases: Cases) -> None:
    """As it did under TensorFlow 1, since nobody handles it."""
    assert cases.run(f"{place} at once", place, signal.SIGTERM) == Ended(-signal.SIGTERM, [])


def test_the_second_signal_may_be_another_one(cases: Cases) -> None:
    assert cases.run("another", "window", signal.SIGTERM, signal.SIGINT).status == -signal.SIGINT


def test_the_next_run_resumes(cases: Cases) -> None:
    cases.run("resumed", "window", signal.SIGTERM, signal.SIGTERM)
    ended = cases.run("resumed", "resumed")
    assert ended.lines[-1] == "ended by itself"
    assert newest_checkpoint(cases.directory / "resumed") == "model.ckpt-2"


@pytest.mark.parametrize("place", ["window", "watched step", "fed step", "py_func", "dataset", "fit"])
def test_the_first_signal_ends_the_training_where_the_step_ends(place: str, cases: Cases) -> None:
    """Here the input comes after the warning."""
    number = signal.SIGINT if place in ("window", "fit") else signal.SIGTERM
    ended = cases.run_at_wait(f"{place} ends", place, number)
    assert ended.status == 0
    warning, end = ended.lines
    assert warning.startswith(number.name)
    assert end == f"ended by {'KeyboardInterrupt' if number == signal.SIGINT else 'SystemExit 143'}"
    assert checkpoint_numbers(cases.directory / f"{place} ends") == [0, 4]


@pytest.mark.parametrize("place", ["window", "fed step", "dataset", "fit"])
def test_a_long_wait_is_told_of_once(place: str, cases: Cases) -> None:
    """The input comes only after a signal, which comes after that line."""
    ended = cases.run(f"{place} waits", place, 0, signal.SIGINT, wait_seconds=0.5)
    waits, signalled, end = ended.lines
    assert waits.startswith("A step has not ended for 0.5 s. ")
    assert IN_STEP[place] in waits
    assert signalled.startswith("SIGINT")
    assert end == "ended by KeyboardInterrupt"


@pytest.mark.slow
@pytest.mark.parametrize("place", ["evaluate", "infer", "init_op"])
def test_a_long_wait_in_any_other_call(place: str, cases: Cases) -> None:
    waits, *_ = cases.run(f"{place} waits", place, 0, signal.SIGTERM, wait_seconds=0.1).lines
    assert waits == (
        f"A call into TensorFlow has not ended for 0.1 s. {QUEUE.format(repr('nobody_fills_Dequeue'))}"
    )


@pytest.mark.slow
def test_a_handler_of_the_user_is_called_when_the_call_returns(cases: Cases) -> None:
    ended = cases.run("handler", "evaluate with a handler", signal.SIGTERM)
    assert ended.lines[0].startswith("SIGTERM takes effect after the current call into TensorFlow")
    assert ended.lines[1:] == ["handled", "passed on: True", "ended by itself"]


def test_signals_do_not_cut_the_last_save_short(cases: Cases) -> None:
    """And a signal that is not looked for is passed on to who does."""
    assert cases.run("save", "save") == Ended(0, ["passed on: True", "ended by itself"])


def test_signals_of_forked_processes_are_their_own(cases: Cases) -> None:
    assert cases.run("worker", "worker").lines == [f"worker: {-signal.SIGTERM}", "ended by itself"]
    assert checkpoint_numbers(cases.directory / "worker") == [0, 6]


# What is said of a graph.


def awaited(graph: tf.Graph, fetch: tf.Tensor) -> str | None:
    return awaited_input(GraphSession(LiftedGraph(graph)), [fetch.name])


def test_a_queue_with_too_few_elements() -> None:
    with tf.Graph().as_default() as graph:
        queue = v1.RandomShuffleQueue(9, 3, tf.float32, shapes=[[]], name="rows")
        batch = queue.dequeue_many(2, name="batch")
        enqueue = queue.enqueue_many(tf.zeros([4]))
    session = GraphSession(LiftedGraph(graph))
    assert awaited_input(session, [batch.name]) == (
        f"'batch' waits for the queue 'rows', which is empty. {NO_RUNNER}"
    )
    session.run(enqueue)
    assert awaited_input(session, [batch.name]) == (
        f"'batch' waits for the queue 'rows', which has 4 of the 5 elements that it needs. {NO_RUNNER}"
    )
    session.run(enqueue)
    assert awaited_input(session, [batch.name]) is None


def test_a_queue_whose_runner_waits_for_another_queue() -> None:
    with tf.Graph().as_default() as graph:
        names = v1.FIFOQueue(4, tf.float32, shapes=[[]], name="names")
        rows = v1.FIFOQueue(4, tf.float32, shapes=[[]], name="rows")
        v1.train.add_queue_runner(v1.train.QueueRunner(rows, [rows.enqueue(names.dequeue(name="take"))]))
        batch = rows.dequeue(name="batch")
    assert awaited(graph, batch) == (
        "'batch' waits for the queue 'rows', which is empty."
        f" 'take' waits for the queue 'names', which is empty. {NO_RUNNER}"
    )


def test_other_input_than_queues() -> None:
    with tf.Graph().as_default() as graph:
        batch = v1.data.make_one_shot_iterator(tf.data.Dataset.range(3)).get_next()
        nothing = tf.zeros([])
    assert (
        awaited(graph, batch)
        == "It may wait for input: 'IteratorGetNext' for the next element of its dataset."
    )
    assert awaited(graph, nothing) is None


@pytest.mark.slow
def test_what_is_fed_is_not_waited_for() -> None:
    with tf.Graph().as_default() as graph:
        batch = v1.FIFOQueue(4, tf.float32, shapes=[[]]).dequeue()
        seen: list[str | None] = []
        looked = tf.numpy_function(lambda x: [seen.append(awaited_input(session)), x][1], [batch], tf.float32)
    session = GraphSession(LiftedGraph(graph))
    session.run(looked, {batch: 1.0})
    assert seen[0] is not None and "queue" not in seen[0]
