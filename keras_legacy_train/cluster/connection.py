"""Connects this process to the servers of a cluster, and watches over them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from types import TracebackType

import tensorflow as tf

from keras_legacy_train.cluster import addresses
from keras_legacy_train.cluster.listening import hang_up, listen_only_at
from keras_legacy_train.cluster.spec import Cluster
from keras_legacy_train.cluster.status import Server, servers_of, wait_for
from keras_legacy_train.errors import ServerUnreachableError

_LOGGER = logging.getLogger("keras_legacy_train")

# How TensorFlow calls the job of this process.
_LOCAL_JOB = "localhost"
_SECONDS_OF_SILENCE_TOLD = 10.0


class Connection:
    """Connects this process to the servers of a cluster while it is entered.

    The servers are asked again and again whether they are there. One that is silent for the timeout is given
    up: calls that wait for it fail.

    Args:
        cluster: The cluster.

    Raises:
        ServerUnreachableError: A server has not answered within the timeout.
        ValueError: Another server answers at the address of one.
    """

    def __init__(self, cluster: Cluster):
        self._cluster = cluster
        self._servers = list(servers_of(cluster.servers))
        self._incarnations: dict[str, int] = {}
        self._given_up: list[str] = []
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None
        self._port = 0

    def __enter__(self) -> Connection:
        self._connect()
        self._watch = threading.Thread(target=self._watch_servers, name="cluster", daemon=True)
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        if self._watch is not None:
            self._watch.join()
        for server in self._servers:
            server.close()

    def is_lost(self) -> bool:
        """Returns whether a server has ended, or has been given up, since this process connected to it."""
        if self._given_up:
            return True
        return any(map(self._has_ended, self._servers))

    def check(self) -> None:
        """Raises ServerUnreachableError if a server has been given up: calls would wait for it for ever."""
        if self._given_up:
            raise ServerUnreachableError(self._given_up, self._cluster.timeout)

    def reconnect(self) -> None:
        """Connects to the servers again, when they are there.

        Raises:
            ServerUnreachableError: One does not come back within the timeout.
        """
        self.check()
        self._connect()

    def _has_ended(self, server: Server) -> bool:
        status = server.status(1.0)
        return status is None or status.incarnation != self._incarnations[server.task]

    def _connect(self) -> None:
        timeout, is_known = self._cluster.timeout, not self._cluster.device
        # A server that is used by one client alone may have any name.
        self._incarnations = wait_for(self._servers, timeout, checks_names=is_known)
        host, self._port = _own_address(self._cluster)
        _connect_process(self._cluster.servers, self._incarnations, host, self._port)
        _LOGGER.info("Connected to %s.", ", ".join(server.name for server in self._servers))

    def _watch_servers(self) -> None:
        timeout = self._cluster.timeout
        interval = min(timeout / 5, 5.0)
        heard = {server.task: time.monotonic() for server in self._servers}
        told: set[str] = set()
        while not self._closed.wait(interval):
            for server in self._servers:
                now = time.monotonic()
                if server.status(interval) is not None:
                    heard[server.task] = time.monotonic()
                    told.discard(server.task)
                    continue
                silence = now - heard[server.task]
                if silence > min(_SECONDS_OF_SILENCE_TOLD, timeout / 2) and server.task not in told:
                    told.add(server.task)
                    _LOGGER.warning(
                        "%s has not answered for %.0f s; it is given up after %g s.",
                        server.name,
                        silence,
                        timeout,
                    )
                if silence > timeout and not self._closed.is_set():
                    self._give_up(server.name)

    def _give_up(self, name: str) -> None:
        if name not in self._given_up:
            self._given_up.append(name)
            _LOGGER.error("%s is given up: it has not answered for %g s.", name, self._cluster.timeout)
        while not self._closed.wait(0.5):  # a call may try to connect again
            hang_up(self._cluster.addresses, self._port)


# What this process is connected to, and as what; TensorFlow keeps the connection for the life of the process.
_connected: tuple[Mapping[str, Mapping[int, str]], Mapping[str, int]] | None = None
_own_port: int | None = None


def _connect_process(
    servers: Mapping[str, Mapping[int, str]], incarnations: Mapping[str, int], host: str, port: int
) -> None:
    """Connects TensorFlow to servers, unless it is.

    Each connection makes TensorFlow forget what it has on servers, so it is made as seldom as can be.
    """
    global _connected
    if _connected == (servers, incarnations):
        return
    jobs = {job: dict(tasks) for job, tasks in servers.items()}
    # By its own choice TensorFlow would name a new port each time, at which it does not listen, and call the
    # machine "localhost".
    jobs[_LOCAL_JOB] = {0: f"{host}:{port}"}
    tf.config.experimental_connect_to_cluster(tf.train.ClusterSpec(jobs), job_name=_LOCAL_JOB)
    listen_only_at(host, port)
    _connected = servers, dict(incarnations)


def _own_address(cluster: Cluster) -> tuple[str, int]:
    """Returns where this process listens for servers, which fetch from it what they compute with."""
    global _own_port
    hosts = [addresses.split(address)[0] for address in cluster.addresses]
    if cluster.address is not None:
        host, port = addresses.split(cluster.address)
    elif all(map(addresses.is_loopback, hosts)):
        host, port = addresses.LOOPBACK, 0
    else:
        host, port = addresses.host_towards(hosts[0]), 0
    if _own_port is None:  # TensorFlow listens at the first one for the life of the process
        # The user's program may have a server of its own at the address that the cluster has for it.
        _own_port = port if port and addresses.is_free(port) else addresses.free_port()
    return host, _own_port
