"""Addresses of servers, and sockets that hear only what is meant for them."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from keras_legacy_train.cluster import addresses
from keras_legacy_train.cluster.listening import hang_up, listen_only_at, listen_to_this_process

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these filters")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket of this process that listens at all addresses, as TensorFlow's servers do."""
    with contextlib.closing(socket.socket()) as made:
        made.bind(("", 0))
        made.listen()
        yield made


def hears(port: int, host: str) -> bool:
    """Whether what listens at a port hears what is sent to a host."""
    try:
        socket.create_connection((host, port), timeout=0.2).close()
    except TimeoutError:
        return False
    return True


@linux_only
def test_a_socket_hears_one_address_alone(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    own = listen_to_this_process(port)
    assert own.startswith("127.") and hears(port, own) and not hears(port, "127.0.0.1")
    listen_only_at("127.0.0.1", port)
    assert hears(port, "127.0.0.1")
    listen_only_at("0.0.0.0", port)
    listen_only_at("0.0.0.0", port)  # there is no filter any more
    assert hears(port, own)


def test_other_systems_are_warned(
    listener: socket.socket, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listener.getsockname()[1]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert listen_to_this_process(port) == "127.0.0.1"
    listen_only_at("127.0.0.1", port)
    (message,) = log.messages
    assert f"listens at port {port} of all addresses of this machine, not only at 127.0.0.1" in message
    assert hears(port, "127.0.0.1")


def test_connections_to_a_server_are_closed_and_others_are_not(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with contextlib.ExitStack() as opened:
        other = opened.enter_context(contextlib.closing(socket.create_server(("127.0.0.1", 0))))
        ours = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
        theirs = opened.enter_context(listener.accept()[0])
        kept = opened.enter_context(socket.create_connection(other.getsockname()))
        hang_up([f"127.0.0.1:{port}"], own_port=addresses.free_port())
        for each in (ours, theirs):
            each.settimeout(5)
            assert each.recv(1) == b""
        assert kept.send(b"x") == 1


def test_addresses_are_told_apart(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    port = listener.getsockname()[1]
    assert not addresses.is_free(port) and addresses.is_free(addresses.free_port())
    assert addresses.host_towards("127.0.0.1") == "127.0.0.1"
    assert addresses.is_loopback("127.0.0.1") and not addresses.is_loopback("192.0.2.1")

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert not addresses.is_loopback("no-such-host.invalid")
