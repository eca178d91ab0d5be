"""One trainer at a time in a directory."""

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

from keras_legacy_train.checkpoints.directory import verify_writable
from keras_legacy_train.checkpoints.process_identity import ProcessIdentity
from keras_legacy_train.errors import DirectoryInUseError

_LOGGER = logging.getLogger("keras_legacy_train")
_NAME = ".trainer.lock"
_TOKEN = re.compile(r"[0-9a-f]{32}")
# What file systems without hard links answer.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


@dataclasses.dataclass(frozen=True)
class _Holder:
    """What a lock file says.

    Attributes:
        token: Given to no other holder.
        process: Which process it is; `None` if the file cannot be read.
        last_seen: The file's date, in seconds.
    """

    token: str
    process: ProcessIdentity | None
    last_seen: float = dataclasses.field(compare=False)


class DirectoryLock:
    """Held, as a context manager, by who trains in a directory. The directory is made if it is missing, and
    removed again if nothing has been written to it.

    The lock is a file that names its holder, since not every file system has `flock`. While it is held, a
    thread gives the file a new date every `HEARTBEAT` seconds. It is taken over, with a warning, from a
    holder that is gone: on this machine, one whose process has ended; elsewhere, one that has not renewed the
    date for `STALE_AFTER` seconds.

    Nobody takes over what another one has just taken over: the right to succeed a certain holder is a lock
    file, too, taken in the same way.

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
        """Raises DirectoryInUseError if somebody has taken the directory over.

        That is rightly done to a trainer that showed no sign for a while; when it goes on it must not write.
        """
        holder = self._holder(self._path)
        if holder is not None and holder.process is not None and holder.token != self._token:
            raise self._in_use(holder.process)

    def _take(self, path: Path) -> None:
        """Becomes the holder of a lock file, after the one before if that is gone."""
        while not self._create(path):
            holder = self._holder(path)
            if holder is None:
                continue  # released in this moment
            if holder.token == self._token:
                return  # a network file system has made the link, and then lost its answer
            if holder.process is not None and not self._is_gone(holder.process, holder.last_seen):
                raise self._in_use(holder.process)
            right_to_succeed = self._path.with_name(f"{_NAME}.after-{holder.token}")
            self._take(right_to_succeed)
            try:
                if self._holder(path) == holder:  # else somebody succeeded it earlier
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
        """Puts a copy of our file at `path`, all of it at once; `False` if there is a file already."""
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
        """Puts a copy of our file in the place of the one at `path`."""
        copy = self._own_file.with_name(f"{self._own_file.name}.copy")
        self._create(copy)
        os.replace(copy, path)

    def _holder(self, path: Path) -> _Holder | None:
        """Who a lock file names, `None` if there is no such file."""
        try:
            status = path.lstat()
            text = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _Holder(*_parse(text, token=str(status.st_ino)), status.st_mtime)

    def _is_gone(self, process: ProcessIdentity, last_seen: float) -> bool:
        is_running = process.is_running()
        if is_running is not None:
            return not is_running
        return process.ended_with_machine(last_seen) or self._is_old(last_seen)

    def _is_old(self, last_seen: float) -> bool:
        """Whether a date, by the clock of the file system, lies too far back for a holder that runs."""
        return self._own_file.stat().st_mtime - last_seen > self.STALE_AFTER

    def _is_ours(self) -> bool:
        holder = self._holder(self._path)
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
        """Deletes what processes have left that were killed while they took a lock."""
        for path in self._directory.glob(f"{_NAME}.*"):
            with contextlib.suppress(FileNotFoundError):
                if self._is_old(path.lstat().st_mtime):
                    path.unlink()


def _parse(text: bytes, token: str) -> tuple[str, ProcessIdentity | None]:
    """The token and the process in a lock file; `token` and `None` where it was cut short by a power cut."""
    try:
        fields = json.loads(text)
        process = ProcessIdentity(
            int(fields["pid"]),
            str(fields["host"]),
            fields.get("started"),
            fields.get("boot"),
            fields.get("namespace"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return token, None
    if _TOKEN.fullmatch(str(fields.get("token"))):
        token = fields["token"]
    return (token, process) if process.pid > 0 else (token, None)


def _make_directories(directory: Path) -> list[Path]:
    """Makes a directory and its parents; returns those that were missing, the innermost first."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    verify_writable(str(directory))
    return missing


def _remove_if_empty(directories: list[Path]) -> None:
    with contextlib.suppress(OSError):  # not empty
        for directory in directories:
            directory.rmdir()
