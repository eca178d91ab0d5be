"""Servers that answer, that are silent, and that are others than they should be. The test plays them."""

from __future__ import annotations

import struct
import threading
from typing import Any

import pytest
import tensorflow as tf

from keras_legacy_train import _tensorflow, errors
from keras_legacy_train.cluster import connection as connections
from keras_legacy_train.cluster.spec import Cluster
from keras_legacy_train.cluster.status import Status, wait_for


class Server:
    """Answers as long as it lives."""

    def __init__(self, task: str = "/job:ps/replica:0/task:0"):
        self.task = self.answers_as = task
        self.name = "ps 0 at a:1"
        self.lives = True
        self.incarnation = 1

    def status(self, timeout: float) -> Status | None:
        return Status(self.answers_as, self.incarnation) if self.lives else None

    def close(self) -> None:
        self.lives = False


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture) -> None:
    server, hung_up = Server(), threading.Event()
    monkeypatch.setattr(connections, "servers_of", lambda places: [server])
    monkeypatch.setattr(connections, "_connect_process", lambda *arguments: None)
    monkeypatch.setattr(connections, "hang_up", lambda addresses, port: hung_up.set())
    with connections.Connection(Cluster({"ps": {0: "127.0.0.1:1"}}, timeout=0.1)) as connection:
        connection.check()
        assert not connection.is_lost()
        server.incarnation = 2  # it was started again
        assert connection.is_lost()
        connection.reconnect()
        assert not connection.is_lost()
        server.lives = False
        assert hung_up.wait(30)  # so that calls that wait for it fail
        assert connection.is_lost()
        for call in (connection.check, connection.reconnect):
            with pytest.raises(errors.ServerUnreachableError, match=r"No answer for 0\.1 s from ps 0 at a:1"):
                call()
    assert "Connected to ps 0 at a:1." in log.messages
    assert any("has not answered for" in message and "given up after" in message for message in log.messages)
    assert "ps 0 at a:1 is given up: it has not answered for 0.1 s." in log.messages


def test_a_server_that_is_another_one_is_named() -> None:
    server: Any = Server()
    assert wait_for([server], 1.0) == {server.task: 1}
    server.answers_as = "/job:ps/replica:0/task:1"
    assert wait_for([server], 1.0, checks_names=False) == {server.task: 1}
    with pytest.raises(
        ValueError, match="different clusters: ps 0 at a:1 says that it is /job:ps/replica:0/task:1"
    ):
        wait_for([server], 1.0)


def varint(data: bytes) -> tuple[int, bytes]:
    value = shift = 0
    for place, byte in enumerate(data, 1):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, data[place:]
    raise AssertionError("it does not end")


def test_messages_without_a_class_are_written_and_read() -> None:
    server = tf.train.ServerDef(
        job_name="ps", protocol="grpc", default_session_config={"operation_timeout_in_ms": 3}
    )
    server.cluster.job.add(name="ps").tasks[0] = "a" * 200
    request = _tensorflow.create_context_request(server, 300)
    assert request[0] == 0x0A
    size, rest = varint(request[1:])
    assert tf.train.ServerDef.FromString(rest[:size]) == server
    assert rest[size] == 0x18
    seconds, rest = varint(rest[size + 1 :])
    assert seconds == 300 and rest[0] == 0x39
    (context,) = struct.unpack("<Q", rest[1:])
    assert 0 <= context < 2**63

    devices = [
        tf.config.list_logical_devices("CPU")[0].name,
        "/job:ps/replica:0/task:1/device:CPU:0" + "x" * 200,
    ]
    kind = type(next(_tensorflow.device_attributes(b"\x0a\x02\x0a\x00")))
    messages = [kind(name=name, incarnation=3).SerializeToString() for name in devices]
    reply = b"".join(b"\x0a" + encoded(len(message)) + message for message in messages)
    assert [each.name for each in _tensorflow.device_attributes(reply)] == devices


def encoded(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + encoded(number >> 7)
