"""Draws monitors to train with."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import strategies as st

from keras_legacy_train import monitors
from keras_legacy_train.testing.graph_specs import Job


@dataclasses.dataclass(frozen=True)
class MonitorSpec:
    """Describes a monitor, which `build` makes anew for each run.

    Attributes:
        kind: `"every n"`, `"print"`, `"capture"` or `"stop"`.
        n: Steps from one active step to the next; for `"stop"`, the step to stop at.
        first_n: Number of steps at the beginning that are all active.
    """

    kind: str = "every n"
    n: int = 1
    first_n: int = 1

    def build(self, job: Job) -> monitors.BaseMonitor:
        """Makes the monitor for a graph."""
        if self.kind == "print":
            return monitors.PrintTensor([job.loss], every_n=self.n, first_n=self.first_n)
        if self.kind == "capture":
            return monitors.CaptureVariable("model/w:0", every_n=self.n, first_n=self.first_n)
        if self.kind == "stop":
            return monitors.StopAtStep(last_step=max(self.n, 1))
        return monitors.EveryN(self.n, self.first_n)


def monitor_specs(max_size: int = 3) -> st.SearchStrategy[list[MonitorSpec]]:
    """Draws lists of monitors of this package, for a `GraphSpec`.

    Args:
        max_size: Largest number of monitors in a list.
    """
    spec: Any = st.builds(
        MonitorSpec,
        kind=st.sampled_from(["every n", "print", "capture", "stop"]),
        n=st.integers(0, 8),
        first_n=st.integers(0, 3),
    )
    return st.lists(spec, max_size=max_size)
