"""Reads files where anything may lie: a FIFO, a device, a file that never ends."""

from __future__ import annotations

import errno
import os
import stat


def open_regular(path: str | os.PathLike[str]) -> int:
    """Opens a regular file, or a link to one, for reading, and returns the file descriptor.

    Raises:
        OSError: There is no such file, or it is something else: to open that could block for ever.
    """
    _check_regular(os.stat(path), path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check_regular(os.fstat(descriptor), path)  # it may have been replaced meanwhile
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """Reads all of a regular file, or of a link to one.

    Raises:
        OSError: There is no such file, it is something else, or it is longer than `max_bytes`.
    """
    with open(open_regular(path), "rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise OSError(errno.EFBIG, f"longer than {max_bytes} bytes", os.fspath(path))
    return data


def size_of_regular(path: str | os.PathLike[str]) -> int:
    """Returns the size of a regular file in bytes.

    Raises:
        OSError: There is no such file, or it is something else.
    """
    status = os.stat(path)
    _check_regular(status, path)
    return status.st_size


def _check_regular(status: os.stat_result, path: str | os.PathLike[str]) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
