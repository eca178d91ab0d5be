"""Makes a table of the measurements, with medians over the rounds."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from peers import PEERS
from workloads import WORKLOADS

# Results of `Clock.results` by workload and peer, one for each round.
Samples = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]

OURS = "train"


class Row(NamedTuple):
    """Describes one peer on one workload.

    Attributes:
        workload, peer: Their names.
        microseconds: Time of a step, the median over the rounds.
        spread: Half the difference between slowest and fastest round, as a part of the median.
        ratio: `microseconds` by that of our `train` at all defaults; above 1, `train` is faster.
        megabytes: Peak memory of the process, the median.
        gpu_percent: How busy the GPU was, the median; `None` without one.
        first_step_seconds: Time from the call until the first step was done, the median.
    """

    workload: str
    peer: str
    microseconds: float
    spread: float
    ratio: float | None
    megabytes: float
    gpu_percent: float | None
    first_step_seconds: float


def rows(samples: Samples) -> Iterator[Row]:
    """Yields the table's rows, by workload, fastest peer first."""
    for workload, by_peer in samples.items():
        medians = {peer: _median(taken, "microseconds") for peer, taken in by_peer.items() if taken}
        for peer in sorted(medians, key=medians.__getitem__):
            times = [sample["microseconds"] for sample in by_peer[peer]]
            yield Row(
                workload,
                peer,
                medians[peer],
                (max(times) - min(times)) / 2 / medians[peer],
                medians[peer] / medians[OURS] if OURS in medians else None,
                _median(by_peer[peer], "peak_megabytes"),
                None
                if by_peer[peer][0].get("gpu_percent") is None
                else _median(by_peer[peer], "gpu_percent"),
                _median(by_peer[peer], "first_step_seconds"),
            )


def table(samples: Samples) -> str:
    """Returns the table as text."""
    titles = (
        f"{'µs a step':>11}{'spread':>8}{'by train':>10}{'memory, MB':>12}{'first step, s':>15}{'GPU':>6}"
    )
    lines = [f"{'':<44}{titles}"]
    shown = None
    for row in rows(samples):
        if row.workload != shown:
            shown = row.workload
            lines += ["", WORKLOADS[shown].title]
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(
            f"  {PEERS[row.peer].title:<42}{row.microseconds:>11.1f}{row.spread:>8.0%}{ratio:>10}"
            f"{row.megabytes:>12.0f}{row.first_step_seconds:>15.2f}"
            + ("" if row.gpu_percent is None else f"{row.gpu_percent:>5.0f}%")
        )
    return "\n".join(lines)


def _median(samples: Sequence[Mapping[str, Any]], key: str) -> float:
    """Returns the median of a measurement."""
    return float(statistics.median(sample[key] for sample in samples))
