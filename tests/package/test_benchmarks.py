"""What the benchmarks compute and choose; that they run is for `make benchmark` to show."""

from __future__ import annotations

import datetime
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """Imports a module as the scripts there do."""
    monkeypatch.syspath_prepend(BENCHMARKS)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


class Time:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now

    def time(self):
        return 1_000_000 + self.now


def told(clock, time, moments):
    """Tells the clock of (seconds, steps) in turn; returns at which of them training may stop."""
    stops = []
    for time.now, steps in moments:
        if clock.tell(steps):
            stops.append(steps)
    return stops


def test_the_pace_is_taken_after_the_warm_up(load, monkeypatch):
    module, time = load("clock"), Time()
    monkeypatch.setattr(module, "time", time)
    clock = module.Clock(seconds=10, warm_up_seconds=3, warm_up_steps=100)
    clock.start()
    # Slow at first; the warm-up is over at 105 steps, ten seconds later there are 1105.
    assert told(clock, time, [(2, 1), (4, 90), (6, 95), (7, 105), (12, 600), (17, 1105)]) == [1105]
    results = clock.results()
    assert results["steps"] == 1000
    assert results["microseconds"] == pytest.approx(10_000)
    assert results["first_step_seconds"] == 2
    assert results["peak_megabytes"] > 1
    assert results["interval"] == [1_000_007, 1_000_017]


def test_a_training_that_ends_early_has_no_results(load, monkeypatch):
    module, time = load("clock"), Time()
    monkeypatch.setattr(module, "time", time)
    clock = module.Clock(seconds=10, warm_up_seconds=3, warm_up_steps=100)
    clock.start()
    assert told(clock, time, [(1, 1), (5, 200), (14, 300)]) == []
    with pytest.raises(RuntimeError, match="ended before"):
        clock.results()


def test_a_whole_training_ends_at_its_target(load):
    clock = load("clock").Clock(seconds=10, warm_up_seconds=3, warm_up_steps=100, target=300)
    clock.start()
    assert [clock.tell(steps) for steps in (1, 299, 300)] == [False, False, True]


def sample(microseconds):
    return {"microseconds": microseconds, "peak_megabytes": 100.0, "first_step_seconds": 0.5}


def test_the_table_has_medians_and_the_ratio_to_train(load):
    results = load("results")
    samples = {
        "linear": {
            "contrib": [sample(400.0), sample(500.0), sample(1000.0)],
            "train": [sample(20.0), sample(25.0), sample(30.0)],
        }
    }
    ours, original = results.rows(samples)
    assert (ours.peer, ours.microseconds, ours.spread, ours.ratio) == ("train", 25.0, 0.2, 1.0)
    assert (original.peer, original.microseconds, original.spread, original.ratio) == (
        "contrib",
        500.0,
        0.6,
        20.0,
    )
    lines = results.table(samples).splitlines()
    assert [line.split()[-5:] for line in lines[-2:]] == [
        ["25.0", "20%", "1.00", "100", "0.50"],
        ["500.0", "60%", "20.00", "100", "0.50"],
    ]


def test_without_train_there_is_no_ratio(load):
    results = load("results")
    (row,) = results.rows({"linear": {"loop": [sample(10.0)]}})
    assert row.ratio is None
    assert "10.0" in results.table({"linear": {"loop": [sample(10.0)]}})


@pytest.mark.parametrize("has_gpu", [False, True])
def test_jobs_are_chosen_by_workload_and_peer(load, monkeypatch, has_gpu):
    run, workloads, peers = load("run"), load("workloads").WORKLOADS, load("peers").PEERS
    monkeypatch.setattr(run.gpu, "is_available", lambda: has_gpu)
    assert list(run.choose("feed,train,contrib")) == [("feed", "train"), ("feed", "contrib")]
    assert list(run.choose("conv-large,train")) == [("conv-large", "train")]
    everything = list(run.choose(""))
    others = workloads.keys() - set(load("workloads").PIPELINES)
    usual = {name for name in others if has_gpu or not workloads[name].wants_gpu}
    assert {workload for workload, _ in everything} == usual
    assert {peer for _, peer in everything} == {
        name for name, peer in peers.items() if any(map(peer.can, usual))
    }
    assert list(run.choose("map,reading,session-tf1")) == [("map", "session-tf1"), ("map", "reading")]
    with pytest.raises(SystemExit, match="nonsense"):
        run.choose("linear,nonsense")


def test_how_busy_the_gpu_is_is_the_mean_over_an_interval(load, monkeypatch, tmp_path):
    lines = [
        "2026/01/01 00:00:00.000, 0",
        "2026/01/01 00:00:01.000, 80",
        "2026/01/01 00:00:02.000, 90",
        "2026/",
    ]
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '%s\\n' " + " ".join(map(repr, lines)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with load("gpu").GpuMeter() as meter:
        meter._process.wait()
    start = datetime.datetime(2026, 1, 1).timestamp()
    assert meter.percent_busy([start + 0.5, start + 2.5]) == 85
    assert meter.percent_busy([start + 5, start + 6]) is None


def test_without_a_gpu_nothing_is_told_of_it(load, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with load("gpu").GpuMeter() as meter:
        pass
    assert meter.percent_busy([0, 1e12]) is None


def test_a_command_runs_at_a_terminal(load):
    program = "import sys, os; print(sys.stderr.isatty(), os.environ['WHO']); sys.exit(3)"
    status, written = load("terminal").run([sys.executable, "-c", program], {"WHO": "me"}, seconds=60)
    assert (status, written.split()) == (3, ["True", "me"])


def test_a_command_that_hangs_is_killed(load):
    program = "print('here', flush=True); import signal; signal.pause()"
    status, written = load("terminal").run([sys.executable, "-c", program], {}, seconds=1)
    assert status < 0
    assert written.strip() in ("here", "")


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["train", "train-bare", "train-xla", "fit", "keras", "session", "loop"])
def test_a_peer_is_measured(peer, tmp_path):
    result = tmp_path / "result.json"
    command = [sys.executable, BENCHMARKS / "measure.py", "--peer", peer, "--workload", "linear"]
    command += ["--seconds=0.1", "--warm-up-seconds=0.1", "--warm-up-steps=3", "--result", result]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    results = json.loads(result.read_text())
    assert results["steps"] > 0
    assert results["microseconds"] > 0


@pytest.mark.slow
def test_variables_are_copied_once_while_they_are_saved():
    options = json.dumps({"gigabytes": 0.25, "seconds": 3, "save_secs": 1})
    command = [sys.executable, str(BENCHMARKS / "costs.py"), "copies", "--options", options]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert 0.9 < json.loads(printed)["copies"]["copies"] < 1.3
