"""Draws the results as a chart.

python benchmarks/chart.py build/benchmarks/results.json docs/benchmark.svg
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from peers import PEERS
from results import Row, Samples, rows
from workloads import WORKLOADS

# The peers shown, in this order, and their colours.
_SHOWN = {
    "contrib": "#b0b0b0",
    "estimator": "#909090",
    "session": "#707070",
    "keras": "#e8a33d",
    "keras-100": "#f3cf94",
    "train": "#2f6db5",
    "train-xla": "#7fb0e6",
    "train-auto": "#a9cbef",
    "fit": "#2f9e77",
    "loop": "#d9d9d9",
}


def draw(samples: Samples, path: str) -> None:
    """Draws the time of a step, in a panel for each workload.

    Args:
        samples: What was measured.
        path: The SVG file to write.
    """
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    by_workload: dict[str, list[Row]] = {}
    for row in rows(samples):
        if row.peer in _SHOWN:
            by_workload.setdefault(row.workload, []).append(row)
    columns = 2
    lines = -(-len(by_workload) // columns)
    figure, panels = pyplot.subplots(lines, columns, figsize=(11, 2.6 * lines), squeeze=False)
    for panel in panels.flat[len(by_workload) :]:
        panel.set_axis_off()
    for panel, (workload, measured) in zip(panels.flat, by_workload.items(), strict=False):
        _draw_panel(panel, WORKLOADS[workload].title, measured)
    figure.tight_layout()
    figure.savefig(path)


def _draw_panel(panel: Any, title: str, measured: list[Row]) -> None:
    """Draws a bar for each peer into a panel."""
    order = list(_SHOWN)
    measured = sorted(measured, key=lambda row: order.index(row.peer), reverse=True)
    bars = panel.barh(
        [PEERS[row.peer].title for row in measured],
        [row.microseconds for row in measured],
        color=[_SHOWN[row.peer] for row in measured],
    )
    panel.bar_label(bars, [f"{row.microseconds:,.0f}" for row in measured], padding=3, fontsize=7)
    panel.set_title(f"{title}: µs a step", fontsize=9, loc="left")
    panel.tick_params(labelsize=7)
    panel.margins(x=0.15)
    panel.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("results", help="the JSON file that the benchmarks have written")
    parser.add_argument("picture", help="the file to write")
    arguments = parser.parse_args()
    with open(arguments.results, encoding="utf-8") as file:
        draw(json.load(file)["samples"], arguments.picture)


if __name__ == "__main__":
    main()
