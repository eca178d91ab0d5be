"""Measures how busy a GPU is, by `nvidia-smi`."""

from __future__ import annotations

import datetime
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from types import TracebackType

_COMMAND = [
    "nvidia-smi",
    "--query-gpu=timestamp,utilization.gpu",
    "--format=csv,noheader,nounits",
    "--loop-ms=100",
]


def is_available() -> bool:
    """Returns whether this machine has a GPU."""
    return shutil.which("nvidia-smi") is not None


class GpuMeter:
    """Measures ten times a second how busy the GPU is, while it is entered. Does nothing without a GPU."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._readings: list[tuple[float, float]] = []

    def __enter__(self) -> GpuMeter:
        if is_available():
            self._process = subprocess.Popen(_COMMAND, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._process.terminate()
        written, _ = self._process.communicate()
        for line in written.splitlines()[:-1]:  # the last may be cut off
            moment, percent = line.split(", ")
            parsed = datetime.datetime.strptime(moment, "%Y/%m/%d %H:%M:%S.%f")
            self._readings.append((parsed.timestamp(), float(percent)))

    def percent_busy(self, interval: Sequence[float]) -> float | None:
        """Returns the mean over an interval, given by two times as of `time.time`; `None` without a GPU."""
        began, ended = interval
        within = [percent for moment, percent in self._readings if began <= moment <= ended]
        return statistics.fmean(within) if within else None
