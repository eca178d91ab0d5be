"""Reads values for tensors from the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from keras_legacy_train.command_line.reporting import fail


def parse_feeds(texts: Sequence[str] | None) -> dict[str, Any] | None:
    """Returns what `NAME=VALUE` texts feed to tensors, `None` if there are none.

    A value is read as JSON: a number, `true`, a list. What is no JSON is a string.
    """
    feeds = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not name or not sign:
            fail(f"--feed: {text!r} is not of the form NAME=VALUE")
        try:
            feeds[name] = json.loads(value)
        except ValueError:
            feeds[name] = value
    return feeds or None
