"""Measures `train` and `fit` against their peers, each the real program in an environment of its own.

    python benchmarks/run.py                               # everything; takes hours on two cores
    python benchmarks/run.py --quick                       # everything once, to see that it works
    python benchmarks/run.py --only linear,train,contrib   # these workloads and peers

Each measurement is a process of its own, at a terminal of its own with logs on, since that is how people
train. The rounds are interleaved: each peer is measured once a round, so that a slow minute of the machine
slows all of them.

Measurements:

- Microseconds a step: see `Clock`. The training is started with a target it never reaches, and is stopped
  when the measurement is done.
- First step: from the call that trains until the first step is done. An Estimator, a Keras model and a
  `tf.function` build their graph within that time, the others before.
- Peak memory: of the whole process, TensorFlow included.
- How busy the GPU is, where there is one: the part of the time in which a kernel runs.

Every peer has the same model, optimizer, data and batch size, its own defaults, and all cores. Run nothing
else beside it. `environments` says which interpreters the peers run in, and how to choose others.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import chart
import environments
import gpu
import results
import terminal
from peers import PEERS
from workloads import DIGITS_VARIABLE, PIPELINES, RECORDS_VARIABLE, WORKLOADS, save_digits

OUTPUT_DIR = environments.ROOT / "build" / "benchmarks"
PICTURE = environments.ROOT / "docs" / "benchmark.svg"

# A measurement that takes longer has failed.
TIMEOUT_SECONDS = 600


@dataclasses.dataclass
class Report:
    """Holds the results of all measurements.

    Attributes:
        samples: Results of `Clock.results` by workload and peer, one for each round.
        failures: The end of the output of failed measurements, by workload and peer.
    """

    samples: dict[str, dict[str, list[dict[str, Any]]]]
    failures: dict[str, dict[str, str]]


class MeasurementError(Exception):
    """Says that a peer has failed. The message is the end of its output."""


def measure(workload: str, peer: str, options: Sequence[str]) -> dict[str, Any]:
    """Runs one peer on one workload.

    Raises:
        MeasurementError: It ended with an error, or took too long.
    """
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory, "result.json")
        command = [
            environments.interpreter(PEERS[peer].environment),
            str(Path(__file__).with_name("measure.py")),
        ]
        command += ["--peer", peer, "--workload", workload, "--result", str(result), *options]
        variables = {
            DIGITS_VARIABLE: str(OUTPUT_DIR / "digits.npz"),
            RECORDS_VARIABLE: str(OUTPUT_DIR / "records"),
        }
        with gpu.GpuMeter() as meter:
            status, written = terminal.run(command, variables, TIMEOUT_SECONDS)
        if status:
            last_lines = written.strip().splitlines()[-8:]
            raise MeasurementError("\n".join([*last_lines, f"It ended with status {status}."]))
        sample: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        if "interval" in sample:
            sample["gpu_percent"] = meter.percent_busy(sample["interval"])
        return sample


def run(
    jobs: Sequence[tuple[str, str]], rounds: int, options: Sequence[str], save: Callable[[Report], None]
) -> Report:
    """Measures all jobs once a round.

    Args:
        jobs: Pairs of workload and peer.
        rounds: Number of rounds.
        options: Options of `measure.py`.
        save: Called with the report so far, after each measurement.
    """
    report = Report({}, {})
    for number in range(1, rounds + 1):
        for workload, peer in jobs:
            if peer in report.failures.get(workload, {}):
                continue
            print(f"round {number} of {rounds}: {workload}, {peer}", end=" … ", flush=True)
            try:
                sample = measure(workload, peer, options)
            except MeasurementError as failure:
                report.failures.setdefault(workload, {})[peer] = str(failure)
                print("failed", flush=True)
            else:
                report.samples.setdefault(workload, {}).setdefault(peer, []).append(sample)
                print(f"{sample['microseconds']:.1f} µs a step", flush=True)
            save(report)
    return report


def machine() -> dict[str, Any]:
    """Describes the machine and the software that the numbers depend on."""
    packages = ("tensorflow", "keras", "numpy", "keras_legacy_train")
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "load": os.getloadavg(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def _processor() -> str:
    """Returns the name of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def choose(only: str) -> list[tuple[str, str]]:
    """Returns the pairs of workload and peer to measure, without those that a peer cannot train.

    Args:
        only: Names of workloads and peers, separated by commas; empty for all.

    Raises:
        SystemExit: A name is neither a workload nor a peer.
    """
    chosen = only.split(",") if only else []
    unknown = sorted(set(chosen) - set(WORKLOADS) - set(PEERS))
    if unknown:
        raise SystemExit(
            f"Neither a workload nor a peer: {', '.join(unknown)}."
            f" Workloads: {', '.join(WORKLOADS)}. Peers: {', '.join(PEERS)}."
        )
    has_gpu = gpu.is_available()
    usual = [
        name
        for name, workload in WORKLOADS.items()
        if name not in PIPELINES and (has_gpu or not workload.wants_gpu)
    ]
    workloads = [name for name in WORKLOADS if name in chosen] or usual
    peers = [name for name in PEERS if name in chosen] or list(PEERS)
    return [(w, p) for w in workloads for p in peers if PEERS[p].can(w)]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", help="names of workloads and peers, separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="how long the pace is taken")
    parser.add_argument("--warm-up-seconds", type=float, default=3)
    parser.add_argument("--warm-up-steps", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="one round of half a second")
    parser.add_argument("--output", default=str(OUTPUT_DIR / "results.json"), help="where the numbers go")
    parser.add_argument("--picture", nargs="?", const=str(PICTURE), help="draw them, too")
    arguments = parser.parse_args()
    if arguments.picture:
        importlib.import_module("matplotlib")  # if it is not there, say so now and not after hours
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 0.5
        arguments.warm_up_seconds, arguments.warm_up_steps = 0.5, 5
    options = [
        f"--seconds={arguments.seconds}",
        f"--warm-up-seconds={arguments.warm_up_seconds}",
        f"--warm-up-steps={arguments.warm_up_steps}",
    ]
    OUTPUT_DIR.mkdir(parents=True, exist_ok=True)
    save_digits(str(OUTPUT_DIR / "digits.npz"))
    jobs = choose(arguments.only)
    for environment in sorted({PEERS[peer].environment for _, peer in jobs}):
        environments.interpreter(environment)

    def save(report: Report) -> None:
        written = {"machine": machine(), "arguments": vars(arguments), **dataclasses.asdict(report)}
        Path(arguments.output).write_text(json.dumps(written, indent=1), encoding="utf-8")

    report = run(jobs, arguments.rounds, options, save)
    print(f"\n{results.table(report.samples)}")
    if arguments.picture:
        chart.draw(report.samples, arguments.picture)
    for workload, by_peer in report.failures.items():
        for peer, message in by_peer.items():
            print(f"\n{workload}, {peer} failed:\n{message}")
    raise SystemExit(bool(report.failures))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"An environment could not be made: {error}") from None
