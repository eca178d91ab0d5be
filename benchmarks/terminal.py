"""Runs a command at a terminal of its own, so that progress bars and logs cost what they cost users."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence


def run(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[int, str]:
    """Runs a command to its end, or kills it when its time is over.

    Args:
        command: The program and its arguments.
        environment: Variables to add to those of this process.
        seconds: How long it may take.

    Returns:
        Its exit status, negative if it was killed, and the end of its output.
    """
    deadline = time.monotonic() + seconds
    receiver, terminal = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "110", "LINES": "40", **environment}
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=variables
    ) as process:
        os.close(terminal)
        written = b""
        while chunk := _read(receiver, deadline - time.monotonic()):
            written = (written + chunk)[-10_000:]
        os.close(receiver)
        if time.monotonic() >= deadline:
            process.kill()
    return process.returncode, written.decode(errors="replace")


def _read(receiver: int, seconds: float) -> bytes:
    """Reads output of the program; returns nothing if it has ended or the seconds are over."""
    if not select.select([receiver], [], [], max(seconds, 0))[0]:
        return b""
    try:
        return os.read(receiver, 65_536)
    except OSError:  # Linux raises it once the program has closed its end
        return b""
