"""Measures `train` against its peers on input pipelines as people write them.

    python benchmarks/pipelines.py                     # all pipelines
    python benchmarks/pipelines.py map records         # these
    python benchmarks/pipelines.py map --only train,keras-100
    python benchmarks/pipelines.py --busy              # beside a process for each core that uses all of it
    python benchmarks/pipelines.py map --steps 300,1000,3000

The model is a softmax regression, 784 to 10, of batches of 32. Prints the microseconds a step of each peer
and their ratio to those of `train` in the same round: medians over the rounds, in which the peers take turns.
"Reading" takes the batches and does nothing with them; no training can go below it with the TensorFlow of
today.

With `--steps` it prints the seconds of whole trainings of so many steps in a fresh process instead, from the
making of the graph or model to the end, with what is built and optimized at first use.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import run
from peers import PEERS
from workloads import PIPELINES, WORKLOADS

COMPARED = ("train", "estimator", "session-tf1", "keras-100", "reading")
OURS = COMPARED[0]


@contextlib.contextmanager
def other_work(processes: int) -> Iterator[None]:
    """Has other processes use the machine, one core each, while it is entered."""
    spin = [sys.executable, "-c", "while True: pass"]
    started = [subprocess.Popen(spin) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def measure(
    pipeline: str, compared: Sequence[str], rounds: int, options: Sequence[str], key: str
) -> dict[str, list[float]]:
    """Returns a measurement of each peer in each round.

    Raises:
        run.MeasurementError: A peer has failed.
    """
    taken: dict[str, list[float]] = {peer: [] for peer in compared}
    for _ in range(rounds):
        for peer in compared:
            taken[peer].append(run.measure(pipeline, peer, options)[key])
    return taken


def show(title: str, unit: str, taken: dict[str, list[float]]) -> None:
    """Prints the medians, and their ratios where `train` is among the peers."""
    print(f"\n{title} (load {os.getloadavg()[0]:.1f})")
    for peer, values in taken.items():
        line = f"  {PEERS[peer].title:<40}{statistics.median(values):>10.1f} {unit}"
        line += f" ({min(values):.1f} to {max(values):.1f})"
        if OURS in taken:
            ratios = [each / ours for each, ours in zip(values, taken[OURS], strict=True)]
            line += f"{statistics.median(ratios):>8.2f} x train"
        print(line, flush=True)


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pipelines", nargs="*", default=PIPELINES, choices=[*PIPELINES, []])
    parser.add_argument("--only", default=",".join(COMPARED), help="names of peers, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="how long the pace is taken")
    parser.add_argument("--warm-up-seconds", type=float, default=1.5)
    parser.add_argument("--busy", action="store_true", help="beside a process for each core that uses it")
    parser.add_argument("--steps", default="", help="times whole trainings of so many steps")
    arguments = parser.parse_args()
    from workloads.pipelines import save_records

    save_records(str(run.OUTPUT_DIR / "records"))
    pace = ["--warm-up-steps=300", f"--seconds={arguments.seconds}"]
    pace.append(f"--warm-up-seconds={arguments.warm_up_seconds}")
    with other_work(os.cpu_count() or 1 if arguments.busy else 0):
        for pipeline in arguments.pipelines:
            title = WORKLOADS[pipeline].title
            compared = [peer for peer in arguments.only.split(",") if PEERS[peer].can(pipeline)]
            if not arguments.steps:
                show(title, "µs", measure(pipeline, compared, arguments.rounds, pace, "microseconds"))
                continue
            for steps in arguments.steps.split(","):
                options = [*pace, f"--target={steps}"]
                taken = measure(pipeline, compared, arguments.rounds, options, "training_seconds")
                show(f"{title}: {steps} steps", "s", taken)


if __name__ == "__main__":
    main()
