"""Finds the values that a monitor asked for in the outputs of a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_legacy_train.types import Fetch


def find_output(outputs: Mapping[Any, Any], request: Fetch) -> Any:
    """Returns the value of a request.

    Args:
        outputs: The outputs that `step_end` got.
        request: A tensor, operation, variable or name that `step_begin` returned.

    Raises:
        KeyError: The outputs do not hold it.
    """
    # Compares by identity: under TF 2 behaviour `==` of two tensors adds an operation to the graph.
    for key, value in outputs.items():
        if key is request:
            return value
    name = request if isinstance(request, str) else request.name
    for key in (name, f"{name}:0"):
        if key in outputs:
            return outputs[key]
    raise KeyError(name)


def check_request(name: str, request: Any) -> Fetch:
    """Checks and returns what a monitor will ask for.

    Args:
        name: The argument that gave the request, for the message.
        request: The request.

    Raises:
        ValueError: The request is not a name and has none.
    """
    if not isinstance(getattr(request, "name", request), str):
        raise ValueError(f"{name} must be a tensor, an operation, a variable or a name; it is {request!r}.")
    return request


def format_outputs(outputs: Mapping[Any, Any], requests: Mapping[str, Any]) -> str:
    """Returns `"tag = value, tag = value"` for those requests that the outputs hold.

    Args:
        outputs: The outputs of a step.
        requests: The requests by tag.
    """
    found = []
    for tag, request in requests.items():
        try:
            found.append(f"{tag} = {find_output(outputs, request)}")
        except KeyError:
            continue  # A subclass may ask for less than this class does.
    return ", ".join(found)
