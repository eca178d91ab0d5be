"""Writes files so that they outlast a power cut. TensorFlow leaves it to the system when to write to disk."""

from __future__ import annotations

import contextlib
import errno
import os

TEMPORARY_SUFFIX = ".temporary"

# What file systems answer on which a directory cannot be synchronised by itself.
_NOT_FOR_DIRECTORIES = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)


def sync_file(path: str) -> None:
    """Waits until the contents of a file are on disk."""
    _sync(path)


def sync_directory(path: str) -> None:
    """Waits until the list of the files in a directory is on disk."""
    try:
        _sync(path)
    except OSError as error:
        if error.errno not in _NOT_FOR_DIRECTORIES:
            raise


def write_durably(path: str, data: bytes) -> None:
    """Writes a file that appears, or replaces an earlier one, only when it is complete and on disk."""
    temporary = path + TEMPORARY_SUFFIX
    with contextlib.suppress(FileNotFoundError):
        os.remove(temporary)  # a killed save has left it
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
