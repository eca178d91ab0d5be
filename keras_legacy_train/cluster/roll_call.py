"""Finds out which processes of a cluster are there, before TensorFlow waits for them without end."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping

from keras_legacy_train.cluster import addresses
from keras_legacy_train.errors import ServerUnreachableError

_SECONDS_BETWEEN_CALLS = 0.1
_SECONDS_FOR_AN_ANSWER = 1.0
_GREETING = b"keras_legacy_train "
_MAX_BYTES = 2**16


def call_roll(own: str, peers: Mapping[str, str], cluster: str, timeout: float) -> None:
    """Waits until all other processes answer, and answers them.

    A process answers while it waits here itself, and when TensorFlow's server runs there already.

    Args:
        own: The address of this process, `"host:port"`.
        peers: The addresses of the others, by what messages call them.
        cluster: What the cluster looks like to this process: for all of them the same text of one line.
        timeout: Seconds to wait.

    Raises:
        ServerUnreachableError: Some have not answered in time.
        ValueError: One has another cluster.
        OSError: The own address is in use, or is none of this machine.
    """
    word = _GREETING + cluster.encode()
    deadline = time.monotonic() + timeout
    missing = dict(peers)
    with _answering(own, word):
        while missing:
            for name, address in list(missing.items()):
                answer = _ask(address, max(0.0, min(_SECONDS_FOR_AN_ANSWER, deadline - time.monotonic())))
                if answer.startswith(_GREETING) and answer.rstrip(b"\n") != word:
                    time.sleep(_SECONDS_FOR_AN_ANSWER)  # the other one asks, too
                    theirs = answer.removeprefix(_GREETING).decode(errors="replace").strip()
                    raise ValueError(
                        f"The processes have different clusters. {name} at {address} has {theirs:.500}, and"
                        f" this one has {cluster:.500}."
                    )
                if answer:
                    del missing[name]
            if missing and time.monotonic() >= deadline:
                silent = [f"{name} at {address}" for name, address in missing.items()]
                raise ServerUnreachableError(silent, timeout)
            if missing:
                time.sleep(_SECONDS_BETWEEN_CALLS)


@contextlib.contextmanager
def _answering(address: str, word: bytes) -> Iterator[None]:
    """Says a word to everybody who connects."""
    host, port = addresses.split(address)
    place = host if addresses.is_loopback(host) else ""  # the host may be a name for others only
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"This process cannot listen at {address}: {error.strerror}") from error

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # it was closed
                return
            with connection, contextlib.suppress(OSError):
                connection.sendall(word + b"\n")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # which wakes the thread
        listener.close()
        thread.join()


def _ask(address: str, timeout: float) -> bytes:
    """Returns what a process says to whom connects; nothing if it is not there."""
    answer = b""
    try:
        with socket.create_connection(addresses.split(address), timeout=max(timeout, 0.05)) as connection:
            while len(answer) < _MAX_BYTES and _GREETING.startswith(answer[: len(_GREETING)]):
                part = connection.recv(_MAX_BYTES)
                answer += part
                if not part or answer.endswith(b"\n"):
                    break
    except OSError:
        pass
    return answer
