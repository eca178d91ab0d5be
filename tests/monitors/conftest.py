"""Fixtures of the tests of monitors: a graph to watch, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from monitor_helpers import Clock, Line


@pytest.fixture
def line() -> Iterator[Line]:
    """Makes a `Line` and closes its Session after the test."""
    line = Line()
    with line.session:
        yield line


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replaces `time.time`."""
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock
