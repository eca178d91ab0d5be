"""Reads `TF_CONFIG`, by which a platform tells a process of its cluster."""

from __future__ import annotations

import json
import os
from typing import Any

VARIABLE = "TF_CONFIG"


def read_tf_config() -> dict[str, Any]:
    """Returns what the environment variable `TF_CONFIG` holds; an empty dict if there is none.

    Raises:
        ValueError: It is no JSON object, or its `task` is none.
    """
    text = os.environ.get(VARIABLE, "{}")
    try:
        tf_config = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"TF_CONFIG is not valid JSON ({error}): {text!r:.500}") from error
    if not isinstance(tf_config, dict) or not isinstance(tf_config.get("task", {}), dict):
        raise ValueError(
            f'TF_CONFIG must be a JSON object such as {{"cluster": {{…}}, "task": {{…}}}}: {text!r:.500}'
        )
    return tf_config
