"""Starts all tasks of a cluster on this machine, each as a process of its own.

On several machines the platform starts them, and sets `TF_CONFIG`. The scripts here then go straight to the
work of their task.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence


def task_name() -> str | None:
    """Returns the name of the task that this process has been started as; `None` if it is none."""
    task = json.loads(os.environ.get("TF_CONFIG", "{}")).get("task")
    return None if task is None else f"{task['type']} {task['index']}"


def run_tasks(command: Sequence[str], numbers: Mapping[str, int]) -> int:
    """Runs `python COMMAND` as each task, until one fails, or all but the parameter servers have ended.

    Args:
        command: A script, and its arguments.
        numbers: How many tasks there are of each job.

    Returns:
        The exit code of the task that has failed; 0 if none has.
    """
    cluster = {job: free_addresses(number) for job, number in numbers.items() if job != "evaluator"}
    servers: list[subprocess.Popen[bytes]] = []
    others: list[subprocess.Popen[bytes]] = []
    with contextlib.ExitStack() as stack:
        for job, number in numbers.items():
            for index in range(number):
                tf_config = {"cluster": cluster, "task": {"type": job, "index": index}}
                environment = os.environ | {"TF_CONFIG": json.dumps(tf_config)}
                process = subprocess.Popen([sys.executable, *command], env=environment)
                stack.callback(end, process)
                (servers if job == "ps" else others).append(process)
        while any(process.poll() is None for process in others):
            failed = [process for process in (*servers, *others) if process.poll()]
            if failed:
                return failed[0].wait()
            time.sleep(0.1)
        return max((process.wait() for process in others), key=abs)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process; parameter servers do not end by themselves."""
    process.terminate()
    process.wait()


def free_addresses(number: int) -> list[str]:
    """Returns addresses of this machine at which nothing listens."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
