"""Laws of the roll call by which the workers of a strategy find each other."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from clusters import free_addresses
from keras_legacy_train import ServerUnreachableError, cluster
from keras_legacy_train.cluster.roll_call import call_roll

# How a server of TensorFlow begins to speak.
SETTINGS = b"\0\0\6\4\0\0\0\0\0"


def tf_config(monkeypatch: pytest.MonkeyPatch, addresses: list[str], **task: object) -> None:
    value = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": 0, **task}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(value))


def test_a_worker_that_never_comes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = free_addresses(3)
    tf_config(monkeypatch, addresses)
    with pytest.raises(ServerUnreachableError) as caught:
        cluster.multi_worker_mirrored_strategy(timeout=0.2)
    assert caught.value.servers == [f"worker {index} at {addresses[index]}" for index in (1, 2)]


def test_all_go_on_when_the_last_has_come() -> None:
    addresses = free_addresses(3)
    names = [f"worker {index}" for index in range(3)]
    members = dict(zip(names, addresses, strict=True))
    problems: list[BaseException] = []

    def call(index: int) -> None:
        try:
            call_roll(names[index], members, "the cluster", timeout=30)
        except BaseException as error:  # looked at below
            problems.append(error)
            raise
        server = socket.create_server(("127.0.0.1", int(addresses[index].rpartition(":")[2])))
        servers.append(server)  # as TensorFlow's is from here on, it speaks first
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(SETTINGS)

    servers: list[socket.socket] = []
    threads = [threading.Thread(target=call, args=[index], daemon=True) for index in range(3)]
    for thread in threads:
        thread.start()
    while len(servers) + len(problems) < 3:
        threads[0].join(0.01)
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    assert not problems


def test_a_worker_with_another_cluster_is_named() -> None:
    members = dict(zip("ab", free_addresses(2), strict=True))
    errors: list[str] = []

    def call(own: str) -> None:
        try:
            call_roll(own, members, f"the cluster of {own}", timeout=5)
        except ValueError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=call, args=[own]) for own in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 2
    assert all("different clusters" in error and "the cluster of a" in error for error in errors)


def test_a_worker_of_an_earlier_run_does_not_count() -> None:
    members = dict(zip(("old", "new"), free_addresses(2), strict=True))
    with socket.create_server(("127.0.0.1", int(members["old"].rpartition(":")[2]))) as server:

        def speak() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(SETTINGS)

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        with pytest.raises(ServerUnreachableError, match="old at"):
            call_roll("new", members, "the cluster", timeout=0.5)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_an_address_in_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        tf_config(monkeypatch, [address, *free_addresses(1)])
        with pytest.raises(OSError, match=f"cannot listen at {address}"):
            cluster.multi_worker_mirrored_strategy(timeout=0.2)


def test_a_parameter_server_is_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"ps": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": places, "task": {"type": "ps", "index": 0}}))
    with pytest.raises(ValueError, match="this process is ps 0"):
        cluster.multi_worker_mirrored_strategy(timeout=0.2)
