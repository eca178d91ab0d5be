"""Records calls, runs plain Session loops to compare with, and reads output directories."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from forked_python import run_forked
from keras_legacy_train import monitors

TESTS = Path(__file__).parents[1]
SCRIPTS = TESTS / "scripts"

# Keys of our checkpoints that are no variables of the graph.
_BOOKKEEPING = {"_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter/.ATTRIBUTES/VARIABLE_VALUE"}


@dataclasses.dataclass
class Job:
    """Holds a graph and the arguments of `train` that belong to it."""

    graph: tf.Graph
    train_op: Any
    loss: tf.Tensor
    feed_fn: Callable[[], dict[Any, Any]] | None = None
    init_feed_dict: dict[Any, Any] | None = None
    step_by: int = 1

    def arguments(self) -> dict[str, Any]:
        """Returns the keyword arguments of `train` that belong to the graph."""
        return {
            "graph": self.graph,
            "train_op": self.train_op,
            "loss_op": self.loss,
            "feed_fn": self.feed_fn,
            "init_feed_dict": self.init_feed_dict,
        }


class Recorder(monitors.BaseMonitor):
    """Asks for `requests` at every step, and records every call and the outputs of each step."""

    def __init__(self, *requests: Any):
        super().__init__()
        self.requests = list(requests)
        self.calls: list[list[Any]] = []
        self.outputs: dict[int, dict[Any, Any]] = {}

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        self.calls.append(["begin", max_steps])

    def step_begin(self, step: int) -> list[Any]:
        super().step_begin(step)
        self.calls.append(["step_begin", step])
        return self.requests

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        self.calls.append(["step_end", step])
        self.outputs[step] = output
        return super().step_end(step, output)

    def post_step(self, step: int, session: Any) -> None:
        super().post_step(step, session)
        self.calls.append(["post_step", step])

    def end(self, session: Any = None) -> None:
        super().end(session)
        self.calls.append(["end"])

    def values(self, request: Any) -> list[Any]:
        """Returns the values of `request` at the watched steps, in order."""
        return [output[request] for output in self.outputs.values()]

    def steps(self, hook: str) -> list[int]:
        """Returns the steps at which `hook` was called, in order."""
        return [call[1] for call in self.calls if call[0] == hook]


class Silent(monitors.BaseMonitor):
    """Watches no step, so that steps run in windows; with it there are no default monitors."""


class EveryNLosses(monitors.EveryN):
    """Records the loss at its active steps."""

    def __init__(self, loss: Any, every_n_steps: int = 100, first_n_steps: int = 1):
        super().__init__(every_n_steps, first_n_steps)
        self.loss = loss
        self.losses: dict[int, Any] = {}
        self.post_steps: list[int] = []

    def every_n_step_begin(self, step: int) -> list[Any]:
        return [self.loss]

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> None:
        self.losses[step] = outputs[self.loss]

    def every_n_post_step(self, step: int, session: Any) -> None:
        self.post_steps.append(step)


class StopAt(monitors.BaseMonitor):
    """Stops after the given step."""

    def __init__(self, step: int):
        super().__init__()
        self.last = step

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        super().step_end(step, output)
        return step >= self.last


class KillAt(monitors.BaseMonitor):
    """Kills the process by SIGKILL after the given step, if there is one."""

    def __init__(self, step: int | None):
        super().__init__()
        self.step = step

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step_end(step, output)


@dataclasses.dataclass
class SessionRun:
    """Holds the results of a plain Session loop: those of each step, and the final variables by name."""

    losses: list[Any]
    requested: list[list[Any]]
    variables: dict[str, np.ndarray]


@contextlib.contextmanager
def initialised_session(job: Job) -> Iterator[tf.compat.v1.Session]:
    """Opens a Session in which everything of `job` is initialised and its queue runners run."""
    v1 = tf.compat.v1
    with job.graph.as_default():
        init_op = v1.global_variables_initializer()
        local_init_op = tf.group(v1.local_variables_initializer(), v1.tables_initializer())
    with v1.Session(graph=job.graph) as session:
        session.run(init_op, job.init_feed_dict)
        session.run(local_init_op)
        coordinator = v1.train.Coordinator()
        runners = job.graph.get_collection(v1.GraphKeys.QUEUE_RUNNERS)
        for runner in runners:
            runner.create_threads(session, coordinator, daemon=True, start=True)
        yield session
        coordinator.request_stop()
        for runner in runners:
            session.run(runner.cancel_op)


def run_in_session(job: Job, steps: int, requests: Iterable[tf.Tensor] = ()) -> SessionRun:
    """Runs `train_op` in a plain Session loop until the global step is `steps`."""
    with job.graph.as_default():
        global_step = tf.compat.v1.train.get_global_step()
        saver = tf.compat.v1.train.Saver()
    losses, requested = [], []
    with initialised_session(job) as session, tempfile.TemporaryDirectory() as directory:
        while (before := session.run(global_step)) < steps:
            feed = job.feed_fn() if job.feed_fn else None
            loss, values, _ = session.run([job.loss, list(requests), job.train_op], feed)
            losses.append(loss)
            requested.append(values)
            assert session.run(global_step) > before, "train_op was not run"
        saver.save(session, str(Path(directory, "model.ckpt")))
        return SessionRun(losses, requested, checkpoint_values(directory))


def newest_checkpoint(output_dir: Any) -> str | None:
    """Returns the name, without the directory, of the newest checkpoint in a directory."""
    path = tf.train.latest_checkpoint(str(output_dir))
    return path and Path(path).name


def checkpoint_values(output_dir: Any, checkpoint: str | None = None) -> dict[str, np.ndarray]:
    """Returns the values in the newest (or the given) checkpoint of a directory, by key."""
    name = checkpoint or newest_checkpoint(output_dir)
    assert name is not None, f"no checkpoint in {output_dir}"
    reader = tf.train.load_checkpoint(str(Path(output_dir, name)))
    names = set(reader.get_variable_to_shape_map()) - _BOOKKEEPING
    return {name: reader.get_tensor(name) for name in names}


def checkpoint_numbers(output_dir: Any) -> list[int]:
    """Returns the steps of the checkpoints in a directory, ascending."""
    return sorted(int(path.stem.rpartition("-")[2]) for path in Path(output_dir).glob("model.ckpt-*.index"))


def listed_checkpoints(output_dir: Any) -> list[str]:
    """Returns the names in the directory's `checkpoint` file, oldest first."""
    state = tf.train.get_checkpoint_state(str(output_dir))
    return [Path(path).name for path in state.all_model_checkpoint_paths]


def assert_values_close(actual: dict[str, Any], expected: dict[str, Any], **tolerance: float) -> None:
    """Checks that every expected value is there and close."""
    missing = sorted(set(expected) - set(actual))
    assert not missing, f"missing {missing}"
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, err_msg=name, **tolerance)


def assert_values_equal(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    """Checks that keys and values are the same, bit for bit."""
    assert sorted(actual) == sorted(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)


def read_events(output_dir: Any) -> list[Any]:
    """Returns all events of a directory's event files, in order."""
    events: list[Any] = []
    for path in sorted(Path(output_dir).glob("events.out.tfevents.*")):
        events.extend(tf.compat.v1.train.summary_iterator(str(path)))
    return events


def scalar_events(output_dir: Any) -> dict[str, dict[int, float]]:
    """Returns the `simple_value` scalars of a directory: tag → step → value."""
    scalars: dict[str, dict[int, float]] = {}
    for event in read_events(output_dir):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                scalars.setdefault(value.tag, {})[event.step] = value.simple_value
    return scalars


def run_python(*arguments: Any, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a script in a process of its own, where it finds `tests/support`, until it has ended."""
    paths = [str(TESTS.parent), str(TESTS / "support")]
    command = list(map(str, arguments))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    ended = run_forked(command, directory=TESTS, environment=environment, timeout=timeout)
    return subprocess.CompletedProcess(command, *ended)
