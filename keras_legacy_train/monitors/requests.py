"""Finding in the outputs of a step what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def find_output(outputs: Mapping[Any, Any], request: Any) -> Any:
    """Returns the value of a request.

    Args:
        outputs: What `step_end` got.
        request: A tensor, operation, variable or name that was returned by `step_begin`.

    Raises:
        KeyError: It is not among the outputs.
    """
    # By identity: under TF 2 behaviour `==` of two tensors adds an operation to the graph.
    for key, value in outputs.items():
        if key is request:
            return value
    name = request if isinstance(request, str) else request.name
    for key in (name, f"{name}:0"):
        if key in outputs:
            return outputs[key]
    raise KeyError(name)


def check_request(name: str, request: Any) -> Any:
    """Returns what a monitor will ask for, if it is a name or something that has one.

    Raises:
        ValueError: It is neither. `name`, the argument that gave it, is in the message.
    """
    if not isinstance(getattr(request, "name", request), str):
        raise ValueError(f"{name} must be a tensor, an operation, a variable or a name; it is {request!r}.")
    return request


def format_outputs(outputs: Mapping[Any, Any], requests: Mapping[str, Any]) -> str:
    """Returns `"tag = value, tag = value"` for the requests, by tag, that are among the outputs."""
    found = []
    for tag, request in requests.items():
        try:
            found.append(f"{tag} = {find_output(outputs, request)}")
        except KeyError:
            continue  # a subclass may choose to ask for less
    return ", ".join(found)
