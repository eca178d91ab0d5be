"""Locks an output directory, so that one trainer at a time is at work there."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import logging
import os
import re
import stat
import threading
import uuid
from pathlib import Path
from typing import Any

from keras_legacy_train.checkpoints.directory import verify_writable
from keras_legacy_train.checkpoints.process_identity import ProcessIdentity
from keras_legacy_train.checkpoints.regular_files import read_regular
from keras_legacy_train.errors import DirectoryInUseError

_LOGGER = logging.getLogger("keras_legacy_train")
_NAME = ".trainer.lock"
_TOKEN = re.compile(r"[0-9a-f]{32}")
# A lock file has about 300. A process number has 32 bits.
_MAX_BYTES = 2**16
_MAX_PID = 2**32 - 1
# What file systems without hard links answer.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


@dataclasses.dataclass(frozen=True)
class _Holder:
    """Holds the contents of a lock file.

    Attributes:
        token: Unique to this holder.
        process: The process; `None` if the file does not name one.
        last_seen: The file's modification time, in seconds.
    """

    token: str
    process: ProcessIdentity | None
    last_seen: float = dataclasses.field(compare=False)


@dataclasses.dataclass(frozen=True)
class LockHolder:
    """Tells who holds a directory.

    Attributes:
        process: The trainer.
        last_seen: When it last gave a sign, in seconds since the epoch.
        is_running: Whether it runs; `None` if that cannot be seen from this machine.
    """

    process: ProcessIdentity
    last_seen: float
    is_running: bool | None


def lock_holder(directory: str) -> LockHolder | None:
    """Returns who holds a directory, or `None`. Changes nothing.

    Args:
        directory: The directory; it need not exist.

    Raises:
        OSError: The lock file cannot be read.
    """
    holder = _read_holder(Path(directory, _NAME))
    if holder is None or holder.process is None:
        return None
    process, last_seen = holder.process, holder.last_seen
    is_running = False if process.ended_with_machine(last_seen) else process.is_running()
    return LockHolder(process, last_seen, is_running)


class DirectoryLock:
    """Locks a directory for one trainer, as a context manager. A missing directory is made on entering, and
    removed on leaving if it is still empty.

    The lock is a file that names its holder, since not every file system has `flock`. While the lock is held,
    a thread renews the file's date every `HEARTBEAT` seconds. The lock is taken over, with a warning, from a
    holder that is gone: on this machine, one whose process has ended; on another, one that has not renewed
    the date for `STALE_AFTER` seconds.

    Two trainers cannot both succeed the same holder: the right to succeed it is a lock file as well, taken in
    the same way.

    Args:
        directory: The directory.

    Raises:
        DirectoryInUseError: On entering, if somebody else trains there.
        PermissionError: On entering, if nothing can be written there.
    """

    HEARTBEAT = 30.0
    STALE_AFTER = 300.0

    def __init__(self, directory: str):
        self._directory = Path(directory)
        self._path = self._directory / _NAME
        self._token = uuid.uuid4().hex
        self._own_file = self._path.with_name(f"{_NAME}.{self._token}")
        self._made: list[Path] = []
        self._released = threading.Event()
        self._heart: threading.Thread | None = None

    def __enter__(self) -> DirectoryLock:
        self._made = _make_directories(self._directory)
        try:
            self._write_own_file()
            try:
                self._take(self._path)
                self._remove_litter()
            finally:
                self._own_file.unlink()
        except BaseException:
            _remove_if_empty(self._made)
            raise
        self._heart = threading.Thread(target=self._beat, name="keras_legacy_train lock", daemon=True)
        self._heart.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._released.set()
        if self._heart is not None:
            self._heart.join()
        if self._is_ours():
            self._path.unlink(missing_ok=True)
        _remove_if_empty(self._made)

    def check(self) -> None:
        """Raises DirectoryInUseError if another trainer has taken the directory over.

        It may do so when this one has not renewed the date for a while. This one must not write any more.
        """
        holder = _read_holder(self._path)
        if holder is not None and holder.process is not None and holder.token != self._token:
            raise self._in_use(holder.process)

    def _take(self, path: Path) -> None:
        """Takes a lock file, also from a holder that is gone."""
        while not self._create(path):
            holder = _read_holder(path)
            if holder is None:
                continue  # released in this moment
            if holder.token == self._token:
                return  # a network file system has made the link, and then lost its answer
            if holder.process is not None and not self._is_gone(holder.process, holder.last_seen):
                raise self._in_use(holder.process)
            right_to_succeed = self._path.with_name(f"{_NAME}.after-{holder.token}")
            self._take(right_to_succeed)
            try:
                if _read_holder(path) == holder:  # else somebody succeeded it earlier
                    if path == self._path:
                        _LOGGER.warning(
                            "Taking over %s from a trainer that is gone: %s.", self._directory, holder.process
                        )
                    self._replace(path)
                    return
            finally:
                right_to_succeed.unlink(missing_ok=True)

    def _write_own_file(self) -> None:
        process = dataclasses.asdict(ProcessIdentity.own())
        with self._own_file.open("x") as file:
            json.dump({**process, "token": self._token}, file)

    def _create(self, path: Path) -> bool:
        """Creates `path` as a copy of our file, all at once; returns `False` if it exists already."""
        try:
            os.link(self._own_file, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            try:
                with path.open("x") as file:
                    file.write(self._own_file.read_text())
            except FileExistsError:
                return False
        return True

    def _replace(self, path: Path) -> None:
        """Replaces the file at `path` by a copy of ours."""
        copy = self._own_file.with_name(f"{self._own_file.name}.copy")
        self._create(copy)
        if path.is_dir() and not path.is_symlink():  # which no file can replace
            path.rename(path.with_name(f"{path.name.lstrip('.')}.{self._token}.damaged"))
        os.replace(copy, path)

    def _is_gone(self, process: ProcessIdentity, last_seen: float) -> bool:
        is_running = process.is_running()
        if is_running is not None:
            return not is_running
        return process.ended_with_machine(last_seen) or self._is_old(last_seen)

    def _is_old(self, last_seen: float) -> bool:
        """Tells whether a date, by the file system's clock, is too old for a holder that still runs."""
        return self._own_file.stat().st_mtime - last_seen > self.STALE_AFTER

    def _is_ours(self) -> bool:
        holder = _read_holder(self._path)
        return (
            holder is not None
            and holder.token == self._token
            and holder.process is not None
            and holder.process.pid == os.getpid()  # not in a child of this process
        )

    def _in_use(self, process: ProcessIdentity) -> DirectoryInUseError:
        return DirectoryInUseError(str(self._directory), process.pid, process.host)

    def _beat(self) -> None:
        while not self._released.wait(self.HEARTBEAT):
            # If the directory is gone or can no longer be written to, the next checkpoint tells.
            with contextlib.suppress(OSError):
                if self._is_ours():
                    os.utime(self._path)

    def _remove_litter(self) -> None:
        """Deletes the files of processes that were killed while they took a lock."""
        for path in self._directory.glob(f"{_NAME}.*"):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                if self._is_old(path.lstat().st_mtime):
                    path.unlink()


def _read_holder(path: Path) -> _Holder | None:
    """Reads who holds a lock file; returns `None` if there is no such file."""
    try:
        status = path.lstat()
        text = read_regular(path, _MAX_BYTES) if stat.S_ISREG(status.st_mode) else b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno not in (errno.EFBIG, errno.EINVAL):
            raise
        text = b""  # no trainer has written it
    return _Holder(*_parse(text, token=str(status.st_ino)), status.st_mtime)


def _parse(text: bytes, token: str) -> tuple[str, ProcessIdentity | None]:
    """Returns the token and the process in a lock file.

    They are `token` and `None` where the file is none that a trainer writes, as after a power cut.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return token, None
    if not isinstance(fields, dict):
        return token, None
    found = fields.get("token")
    if isinstance(found, str) and _TOKEN.fullmatch(found):
        token = found
    return token, _process(fields)


def _process(fields: dict[str, Any]) -> ProcessIdentity | None:
    """Returns the process that the fields of a lock file name, or `None` if no process can be so."""
    pid, host = fields.get("pid"), fields.get("host")
    if type(pid) is not int or not 0 < pid <= _MAX_PID or not isinstance(host, str) or not host.isprintable():
        return None
    details = (fields.get(name) for name in ("started", "boot", "namespace"))
    return ProcessIdentity(pid, host, *(each if isinstance(each, str) else None for each in details))


def _make_directories(directory: Path) -> list[Path]:
    """Makes a directory and its parents; returns those it had to make, the innermost first."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    verify_writable(str(directory))
    return missing


def _remove_if_empty(directories: list[Path]) -> None:
    with contextlib.suppress(OSError):  # not empty
        for directory in directories:
            directory.rmdir()
