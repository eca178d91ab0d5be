"""Runs the processes of a cluster on the loopback address."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from forked_python import start_forked
from helpers import SCRIPTS, TESTS


class LocalCluster:
    """Runs a script as each task of a cluster, as a context manager that kills what is left.

    Args:
        folder: Where the output of the processes is kept.
        script: The name of a script in `tests/scripts`.
        tasks: How many processes there are of each job.
        arguments: The script's arguments.

    Attributes:
        addresses: The addresses of the tasks, by job.
        commands: What is run in the place of the script, by job; see `run_forked`.
    """

    def __init__(self, folder: Path, script: str, tasks: Mapping[str, int], *arguments: Any):
        self.addresses = {job: free_addresses(number) for job, number in tasks.items()}
        self.commands: dict[str, list[str]] = {}
        self._folder = folder
        self._command = [str(SCRIPTS / script), *map(str, arguments)]
        self._processes: dict[str, BaseProcess] = {}

    def __enter__(self) -> LocalCluster:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes.values():
            process.kill()
            process.join()

    def start(self, *names: str, **environment: str) -> None:
        """Starts tasks, such as `"ps/0"`; again, if they have ended."""
        for name in names:
            job, index = name.split("/")
            task = {"type": job, "index": int(index)}
            # By this `tf.contrib.learn` knows that the master is the chief.
            place = {"environment": "cloud"} if "master" in self.addresses else {}
            cluster = {each: places for each, places in self.addresses.items() if each != "evaluator"}
            self._processes[name] = start_forked(
                self.commands.get(job, self._command),
                directory=TESTS,
                environment={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS / "support")]),
                    "TF_CONFIG": json.dumps({"cluster": cluster, "task": task, **place}),
                    **environment,
                },
                output=self._file(name),
            )

    def start_all(self, **environment: str) -> None:
        """Starts all tasks."""
        self.start(
            *(f"{job}/{index}" for job, all_ in self.addresses.items() for index in range(len(all_))),
            **environment,
        )

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Sends a signal to a task, and waits for its end if the signal ends it."""
        pid = self._processes[name].pid
        assert pid is not None
        os.kill(pid, number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._processes[name].join()

    def wait(self, name: str, timeout: float = 120) -> int:
        """Waits for the end of a task; returns its exit code.

        Raises:
            TimeoutError: It has not ended.
        """
        self._processes[name].join(timeout)
        code = self._processes[name].exitcode
        if code is None:
            raise TimeoutError(f"{name} has not ended in {timeout} s.\n{self.output(name)}")
        return code

    def check_success(self, *names: str, timeout: float = 120) -> None:
        """Waits for the end of tasks.

        Raises:
            AssertionError: One has failed; with what each task of the cluster has printed.
            TimeoutError: One has not ended.
        """
        codes = {name: self.wait(name, timeout) for name in names}
        assert not any(codes.values()), "\n".join(
            f"=== {name}, exit code {process.exitcode} ===\n{self.output(name)}"
            for name, process in self._processes.items()
        )

    def wait_for(self, name: str, text: str, *, times: int = 1, timeout: float = 120) -> None:
        """Waits until a task has printed a text, once or several times in all of its lives.

        Raises:
            TimeoutError: It has not.
        """
        process = self._processes[name]
        for _ in range(int(timeout / 0.05)):
            if self.output(name).count(text) >= times:
                return
            if process.exitcode is not None:
                break
            process.join(0.05)
        raise TimeoutError(f"{name} has not printed {text!r}.\n{self.output(name)}")

    def output(self, name: str) -> str:
        """Returns what a task has printed so far, in all of its lives."""
        file = self._file(name)
        return file.read_text(errors="replace") if file.exists() else ""

    def report(self, name: str) -> dict[str, Any]:
        """Returns the object that a task has printed last, as JSON in a line of its own."""
        lines = [line for line in self.output(name).splitlines() if line.startswith("{")]
        assert lines, self.output(name)
        return dict(json.loads(lines[-1]))

    def _file(self, name: str) -> Path:
        return self._folder / f"{name.replace('/', '-')}.txt"


def free_addresses(number: int) -> list[str]:
    """Returns addresses at which nothing listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(contextlib.closing(socket.socket())) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


@contextlib.contextmanager
def running(cluster: LocalCluster, **environment: str) -> Iterator[LocalCluster]:
    """Starts all tasks of a cluster, and kills them in the end."""
    with cluster:
        cluster.start_all(**environment)
        yield cluster
