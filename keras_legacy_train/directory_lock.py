"""One trainer at a time in a directory."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
from pathlib import Path
from typing import Any

from keras_legacy_train.errors import DirectoryInUseError

_LOGGER = logging.getLogger("keras_legacy_train")
_NAME = ".trainer.lock"


class DirectoryLock:
    """Held, as a context manager, by who trains in a directory.

    The lock is a file that names its holder, since not every file system has `flock`. It is taken over from a
    holder on this machine that no longer runs.

    Args:
        directory: The directory, which must exist.

    Raises:
        DirectoryInUseError: On entering, if somebody else trains there.
    """

    def __init__(self, directory: str):
        self._directory = directory
        self._path = Path(directory, _NAME)

    def __enter__(self) -> DirectoryLock:
        try:
            self._create()
        except FileExistsError:
            holder = self._holder()
            if _is_running(holder):
                raise DirectoryInUseError(self._directory, holder["pid"], holder["host"]) from None
            _LOGGER.warning("Taking over %s from a trainer that has ended: %s.", self._directory, holder)
            self._path.unlink(missing_ok=True)
            self._create()
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # the directory may be gone by now
            self._path.unlink()

    def _create(self) -> None:
        with self._path.open("x") as file:
            json.dump({"pid": os.getpid(), "host": socket.gethostname()}, file)

    def _holder(self) -> dict[str, Any]:
        """Who the file names; nobody if it was cut short while it was written."""
        try:
            holder = json.loads(self._path.read_text())
            return {"pid": int(holder["pid"]), "host": str(holder["host"])}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return {}


def _is_running(holder: dict[str, Any]) -> bool:
    if not holder:
        return False
    if holder["host"] != socket.gethostname():
        return True  # nobody here can tell
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as somebody else
    return True
