"""Which process it was, and whether it still runs."""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from pathlib import Path

_PROC = Path("/proc")


@dataclasses.dataclass(frozen=True)
class ProcessIdentity:
    """What tells a process from every other one; a number alone is given again to later ones.

    Attributes:
        pid: The process's number.
        host: Name of its machine.
        started: When it began, in ticks since the machine was started; `None` where that is not known, as
            for what follows.
        boot: Which start of the machine that was.
        namespace: Within what the number is unique: a container has numbers of its own.
    """

    pid: int
    host: str
    started: str | None = None
    boot: str | None = None
    namespace: str | None = None

    @classmethod
    def own(cls) -> ProcessIdentity:
        """That of this process."""
        return cls(os.getpid(), socket.gethostname(), _start(os.getpid()), _boot(), _namespace())

    def is_running(self) -> bool | None:
        """Whether the process runs; `None` if that cannot be seen from here."""
        same_machine = self.host == socket.gethostname()
        if not same_machine or _differ(self.boot, _boot()) or _differ(self.namespace, _namespace()):
            return None
        if not _exists(self.pid):
            return False
        return not _differ(self.started, _start(self.pid))

    def ended_with_machine(self, last_seen: float) -> bool:
        """Whether this machine was started anew since the process was last seen, at that time of the clock.

        Another machine may have the same name; then there are signs of it since this one was started.
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
    """The fields of `/proc/<pid>/stat` behind the command's name; nothing where there is no such file."""
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
