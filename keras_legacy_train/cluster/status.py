"""Asks servers whether they are there."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import grpc

from keras_legacy_train import _tensorflow
from keras_legacy_train.errors import ServerUnreachableError

_LOGGER = logging.getLogger("keras_legacy_train")

_METHOD = "/tensorflow.WorkerService/GetStatus"
_SECONDS_BETWEEN_QUESTIONS = 0.2
_SECONDS_BETWEEN_LINES = 30.0


class Status(NamedTuple):
    """Holds what a server says of itself.

    Attributes:
        task: Its task, `"/job:ps/replica:0/task:0"`.
        incarnation: A number that another process at the same address does not have.
    """

    task: str
    incarnation: int


class Server:
    """Stands for a server of a cluster.

    Args:
        job: Its job.
        index: Its number among those of the job.
        address: Where it is, `"host:port"`.

    Attributes:
        name: What messages call it.
        task: Its task, as devices name it.
    """

    def __init__(self, job: str, index: int, address: str):
        self.name = f"{job} {index} at {address}"
        self.task = f"/job:{job}/replica:0/task:{index}"
        self._channel = open_channel(address)
        self._ask = self._channel.unary_unary(_METHOD)

    def status(self, timeout: float) -> Status | None:
        """Returns what the server says of itself; `None` if it has not answered.

        Args:
            timeout: Seconds to wait.
        """
        try:
            reply = self._ask(b"", timeout=timeout)
        except grpc.RpcError:
            return None
        device = next(iter(_tensorflow.device_attributes(reply)))
        task, _, _ = device.name.partition("/device:")
        return Status(task, device.incarnation)

    def close(self) -> None:
        """Lets go of the connection to the server."""
        self._channel.close()


def open_channel(address: str) -> grpc.Channel:
    """Returns a channel to a server, past any proxy."""
    return grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])


def servers_of(places: Mapping[str, Mapping[int, str]]) -> Iterator[Server]:
    """Yields the servers at some addresses, which are given by job and number."""
    for job, tasks in places.items():
        for index, address in tasks.items():
            yield Server(job, index, address)


def wait_for(servers: list[Server], timeout: float, *, checks_names: bool = True) -> dict[str, int]:
    """Waits until all servers answer.

    Args:
        servers: The servers.
        timeout: Seconds to wait.
        checks_names: Whether each must be the task that it is called by.

    Returns:
        The incarnation of each, by its task.

    Raises:
        ServerUnreachableError: One has not answered in time.
        ValueError: Another task answers at the address of one.
    """
    deadline = time.monotonic() + timeout
    next_line = time.monotonic() + min(_SECONDS_BETWEEN_LINES, timeout / 3)
    incarnations: dict[str, int] = {}
    waiting = list(servers)
    while waiting:
        server = waiting[0]
        status = server.status(max(min(deadline - time.monotonic(), 5.0), 0.1))
        if status is not None:
            if checks_names and status.task != server.task:
                raise ValueError(
                    f"The processes have different clusters: {server.name} says that it is {status.task}."
                )
            incarnations[server.task] = status.incarnation
            waiting.pop(0)
            continue
        now = time.monotonic()
        if now >= deadline:
            raise ServerUnreachableError([each.name for each in waiting], timeout)
        if now >= next_line:
            next_line = now + _SECONDS_BETWEEN_LINES
            _LOGGER.info("Waiting for %s.", ", ".join(each.name for each in waiting))
        time.sleep(_SECONDS_BETWEEN_QUESTIONS)
    return incarnations
