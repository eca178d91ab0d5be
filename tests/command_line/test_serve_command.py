"""`serve` is one line for bad input; see `tests/cluster` for a server that serves."""

from __future__ import annotations

import json
import socket

import pytest

from command_line_helpers import refusal


def test_what_cannot_be_served_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(tf_config: object) -> str:
        text = tf_config if isinstance(tf_config, str) else json.dumps(tf_config)
        monkeypatch.setenv("TF_CONFIG", text)
        return refusal("serve")

    task = {"type": "ps", "index": 0}
    assert "TF_CONFIG is not valid JSON" in refused("{")
    assert "TF_CONFIG must name a task of its cluster" in refused({})
    assert "TF_CONFIG must name a task of its cluster" in refused({"cluster": {"ps": []}, "task": task})
    assert "--all-addresses" in refused({"cluster": {"ps": ["0.0.0.0:2222"]}, "task": task})
    assert 'must be "host:port"' in refused({"cluster": {"ps": ["nowhere"]}, "task": task})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        expected = f"The server cannot listen at {address}: Address already in use"
        assert expected in refused({"cluster": {"ps": [address]}, "task": task})
