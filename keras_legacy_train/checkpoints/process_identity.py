"""Identifies a process, so that another one can tell whether it still runs."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from pathlib import Path

_PROC = Path("/proc")


@dataclasses.dataclass(frozen=True)
class ProcessIdentity:
    """Identifies a process. Its number alone does not: the system uses numbers again.

    Attributes:
        pid: The process number.
        host: Name of its machine.
        started: Start time in ticks since the machine was booted; `None` if it is not known.
        boot: Identifier of that boot of the machine, or `None`.
        namespace: Identifier of the namespace of process numbers, or `None`. Every container has its own.
    """

    pid: int
    host: str
    started: str | None = None
    boot: str | None = None
    namespace: str | None = None

    @classmethod
    def own(cls) -> ProcessIdentity:
        """Returns the current process's identity."""
        return cls(os.getpid(), socket.gethostname(), _start(os.getpid()), _boot(), _namespace())

    def is_running(self) -> bool | None:
        """Tells whether the process runs; returns `None` if that cannot be seen from here."""
        same_machine = self.host == socket.gethostname()
        if not same_machine or _differ(self.boot, _boot()) or _differ(self.namespace, _namespace()):
            return None
        if not _exists(self.pid):
            return False
        return not _differ(self.started, _start(self.pid))

    def ended_with_machine(self, last_seen: float) -> bool:
        """Tells whether this machine was booted again after the process was last seen.

        Another machine may have the same name. Its process would have been seen after this boot.

        Args:
            last_seen: When the process was last seen, in seconds since the epoch.
        """
        rebooted = self.host == socket.gethostname() and _differ(self.boot, _boot())
        return rebooted and last_seen < time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it runs, as somebody else
    return _state(pid)[:1] != ["Z"]  # a zombie has ended


def _start(pid: int) -> str | None:
    fields = _state(pid)
    return fields[19] if len(fields) > 19 else None


def _state(pid: int) -> list[str]:
    """Returns the fields of `/proc/<pid>/stat` after the command's name; none if there is no such file."""
    return (_text(_PROC / str(pid) / "stat") or "").rpartition(")")[2].split()


def _boot() -> str | None:
    return _text(_PROC / "sys/kernel/random/boot_id")


def _namespace() -> str | None:
    try:
        return os.readlink(_PROC / "self/ns/pid")
    except OSError:  # not on Linux
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
