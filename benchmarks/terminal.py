"""Runs a command at a terminal of its own, so that progress bars and logs cost what they cost users."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence


def run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Runs a command to its end.

    Args:
        command: The program and its arguments.
        environment: Variables to add to those of this process.

    Returns:
        Its exit status and the end of what it has written.
    """
    receiver, terminal = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "110", "LINES": "40", **environment}
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=variables
    ) as process:
        os.close(terminal)
        written = b""
        while chunk := _read(receiver):
            written = (written + chunk)[-10_000:]
        os.close(receiver)
    return process.returncode, written.decode(errors="replace")


def _read(receiver: int) -> bytes:
    try:
        return os.read(receiver, 65_536)
    except OSError:  # what Linux answers once the program has closed its end
        return b""
