"""Collects the values of a variable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.monitors.requests import check_request, find_output
from keras_legacy_train.types import Fetch, OutputDict


class CaptureVariable(EveryN):
    """Keeps the value of a variable, or of any tensor, at each active step.

    Stands for `tf.contrib.learn.monitors.CaptureVariable`. It keeps all values in memory, which suits tests
    and short runs.

    Args:
        var_name: Name of the variable or tensor, such as `"w:0"`; or the variable or tensor itself.
        every_n: Steps from one value to the next. See `EveryN`.
        first_n: Up to this step, the value of every step is kept. See `EveryN`.

    Raises:
        ValueError: An argument is invalid.
    """

    def __init__(self, var_name: Fetch, every_n: int = 100, first_n: int = 1):
        super().__init__(every_n, first_n)
        self._var_name = check_request("var_name", var_name)
        self._var_values: dict[int, Any] = {}

    @property
    def values(self) -> dict[int, Any]:
        """Returns the values so far by step, as NumPy scalars and arrays."""
        return self._var_values

    def every_n_step_begin(self, step: int) -> Iterable[Fetch] | None:
        super().every_n_step_begin(step)
        return [self._var_name]

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool | None:
        super().every_n_step_end(step, outputs)
        self._var_values[step] = find_output(outputs, self._var_name)
        return False
