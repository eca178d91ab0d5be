"""Finds out which processes of a cluster are there, before TensorFlow waits for them without end."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Mapping

from keras_legacy_train.cluster import addresses
from keras_legacy_train.errors import ServerUnreachableError

_SECONDS_BETWEEN_CALLS = 0.1
_SECONDS_FOR_AN_ANSWER = 1.0
_GREETING = b"keras_legacy_train "
_NO_GREETING = ""
_MAX_BYTES = 2**16


def call_roll(own: str, members: Mapping[str, str], cluster: str, timeout: float) -> None:
    """Waits until all other processes answer, and answers them.

    A process answers while it waits here itself. Afterwards TensorFlow's server answers in its place, which
    is enough if the process has asked this one before. If it has not, it is left over from an earlier run,
    and will find out that the others have ended.

    Args:
        own: The name of this process.
        members: The address of each process, `"host:port"`, by its name.
        cluster: What the cluster looks like to this process: for all of them the same text of one line.
        timeout: Seconds to wait.

    Raises:
        ServerUnreachableError: Some have not answered in time.
        ValueError: One has another cluster.
        OSError: The own address is in use, or is none of this machine.
    """
    deadline = time.monotonic() + timeout
    missing = {name: address for name, address in members.items() if name != own}
    with _Answers(members[own], cluster) as answers:
        while missing:
            for name, address in list(missing.items()):
                left = deadline - time.monotonic()
                answer = _ask(address, own, max(0.05, min(_SECONDS_FOR_AN_ANSWER, left)))
                if answer is not None and answer not in (cluster, _NO_GREETING):
                    time.sleep(_SECONDS_FOR_AN_ANSWER)  # the other one asks, too
                    raise ValueError(
                        f"The processes have different clusters. {name} at {address} has {answer:.500}, and"
                        f" this one has {cluster:.500}."
                    )
                if answer == cluster or (answer == _NO_GREETING and name in answers.askers):
                    del missing[name]
            if missing and time.monotonic() >= deadline:
                silent = [f"{name} at {address}" for name, address in missing.items()]
                raise ServerUnreachableError(silent, timeout)
            if missing:
                time.sleep(_SECONDS_BETWEEN_CALLS)


class _Answers:
    """Says what the cluster is to everybody who connects, as a context manager.

    Args:
        address: Where.
        cluster: What is said.

    Attributes:
        askers: The names of those who have connected.

    Raises:
        OSError: On entering, if the address is in use or is none of this machine.
    """

    def __init__(self, address: str, cluster: str):
        self.askers: set[str] = set()
        self._address = address
        self._word = _GREETING + cluster.encode() + b"\n"
        self._listener = socket.socket()
        self._thread = threading.Thread(target=self._answer_all, daemon=True)

    def __enter__(self) -> _Answers:
        host, port = addresses.split(self._address)
        place = host if addresses.is_loopback(host) else ""  # the host may be a name for others only
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((place, port))
            self._listener.listen()
        except OSError as error:
            self._listener.close()
            message = f"This process cannot listen at {self._address}: {error.strerror}"
            raise OSError(error.errno, message) from error
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # which wakes the thread
        self._listener.close()
        self._thread.join()

    def _answer_all(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_SECONDS_FOR_AN_ANSWER)
                connection.sendall(self._word)
                self.askers.add(_line(connection).decode(errors="replace"))


def _ask(address: str, own: str, timeout: float) -> str | None:
    """Returns what the cluster is to a process, `_NO_GREETING` for TensorFlow's server, `None` for nobody."""
    try:
        with socket.create_connection(addresses.split(address), timeout=timeout) as connection:
            answer = _line(connection)
            if not answer.startswith(_GREETING):
                return _NO_GREETING if answer else None
            connection.sendall(own.encode() + b"\n")
            return answer.removeprefix(_GREETING).decode(errors="replace")
    except OSError:
        return None


def _line(connection: socket.socket) -> bytes:
    """Reads until the end of a line, or until what is read is no greeting."""
    line = b""
    while len(line) < _MAX_BYTES and not line.endswith(b"\n"):
        part = connection.recv(_MAX_BYTES)
        line += part
        if not part or not line.startswith(_GREETING[: len(line)]):
            break
    return line.rstrip(b"\n")
