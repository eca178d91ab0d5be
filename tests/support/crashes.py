"""Sends jobs to crash_server.py."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from helpers import TESTS


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Tells how a job's process ended.

    Attributes:
        returncode: 0, 1 after an error, or minus the number of the signal that ended it.
        output: What it has printed.
    """

    returncode: int
    output: str

    @property
    def was_killed(self) -> bool:
        return self.returncode == -signal.SIGKILL


class CrashServer:
    """Runs jobs of crash_server.py, as a context manager."""

    def __enter__(self) -> CrashServer:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crash_server.py"))],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # else its start would count as part of the first run
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def run(
        self,
        job: str,
        *,
        kill_before: int | None = None,
        kill_after: float | None = None,
        signal_number: int = signal.SIGKILL,
        **arguments: Any,
    ) -> Outcome:
        """Runs a job in a process of its own.

        Args:
            job: Its name.
            kill_before: The number of the file operation before which it is killed.
            kill_after: The seconds after which it gets a signal.
            signal_number: Which signal.
            **arguments: Those of the job.
        """
        request = {
            "job": job,
            "kill_before": kill_before,
            "kill_after": kill_after,
            "signal": signal_number,
            "arguments": arguments,
        }
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return Outcome(**json.loads(self._process.stdout.readline()))
