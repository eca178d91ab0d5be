"""Fixtures of the tests of `fit`."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _v2_behavior(v2_behavior: None) -> None:
    """Applies `v2_behavior` to every test of the room: all of them train Keras models."""
