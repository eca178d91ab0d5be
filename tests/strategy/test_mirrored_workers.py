"""Trains a Keras model by two workers on the loopback address: they are as one, and go on after each loss."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clusters import LocalCluster, running
from helpers import SCRIPTS, checkpoint_numbers, run_python
from keras_legacy_train import _keras

pytestmark = pytest.mark.skipif(
    not _keras.ADDS_UP_OVER_REPLICAS, reason="Keras adds up over replicas since 3.10"
)
STEPS = 12
WORKERS = ("worker/0", "worker/1")


def two_workers(folder: Path, output_dir: Path, steps: int = STEPS) -> LocalCluster:
    return LocalCluster(folder, "mirrored_worker.py", {"worker": 2}, output_dir, steps)


def ends(cluster: LocalCluster) -> list[int]:
    return [cluster.wait(name, timeout=300) for name in WORKERS]


def assert_same_weights(report: dict[str, Any], expected: dict[str, Any], **tolerance: float) -> None:
    for weight, expected_weight in zip(report["weights"], expected["weights"], strict=True):
        np.testing.assert_allclose(weight, expected_weight, **tolerance)


def reports_of(folder: Path, steps: int) -> list[dict[str, Any]]:
    """Returns what two workers report that nobody has disturbed."""
    with running(two_workers(folder, folder / "model", steps)) as cluster:
        cluster.check_success(*WORKERS, timeout=300)
        assert "Saving checkpoint" not in cluster.output("worker/1")
        return [cluster.report(name) for name in WORKERS]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return reports_of(tmp_path_factory.mktemp("undisturbed"), STEPS)


def test_two_workers_equal_one_process(undisturbed: list[dict[str, Any]]) -> None:
    ended = run_python(SCRIPTS / "mirrored_worker.py", "", STEPS, timeout=300)
    assert ended.returncode == 0, ended.stderr
    alone = json.loads(ended.stdout.splitlines()[-1])
    assert undisturbed[0] == undisturbed[1]
    assert_same_weights(undisturbed[0], alone, rtol=0, atol=1e-6)
    for name, values in alone["history"].items():
        np.testing.assert_allclose(undisturbed[0]["history"][name], values, rtol=1e-6, err_msg=name)


def goes_on_after_a_kill(folder: Path, victim: str, undisturbed: list[dict[str, Any]]) -> None:
    with running(two_workers(folder, folder / "model"), KILL_AT=f"{victim}:6", SHOWS_STEPS="1") as cluster:
        codes = dict(zip(WORKERS, ends(cluster), strict=True))
        assert codes.pop(victim) == -signal.SIGKILL
        (other,) = codes
        assert codes[other] == 143, cluster.output(other)
        assert "Another worker is lost" in cluster.output(other)
        assert checkpoint_numbers(folder / "model") == [0, 4]

        cluster.start_all(SHOWS_STEPS="1")
        cluster.check_success(*WORKERS, timeout=300)
        lines = cluster.output("worker/0").splitlines()
        reports = [cluster.report(name) for name in WORKERS]
    assert lines.count("step 1") == 1
    assert [line for line in lines if line.startswith("step ")][-8:] == [f"step {n}" for n in range(5, 13)]
    for report in reports:
        assert_same_weights(report, undisturbed[0], rtol=0, atol=0)


@pytest.mark.slow
def test_a_worker_is_killed(tmp_path: Path, undisturbed: list[dict[str, Any]]) -> None:
    goes_on_after_a_kill(tmp_path, "worker/1", undisturbed)


@pytest.mark.slow
def test_the_chief_is_killed(tmp_path: Path, undisturbed: list[dict[str, Any]]) -> None:
    goes_on_after_a_kill(tmp_path, "worker/0", undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKERS)
def test_all_save_the_step_at_which_one_is_asked_to_end(name: str, tmp_path: Path) -> None:
    with running(two_workers(tmp_path, tmp_path / "model", 100_000)) as cluster:
        for each in WORKERS:
            cluster.wait_for(each, "training step 20", timeout=300)
        cluster.kill(name, signal.SIGTERM)
        assert ends(cluster) == [143, 143]
        last = max(checkpoint_numbers(tmp_path / "model"))
        for each in WORKERS:
            assert f"training step {last}," in cluster.output(each)
    with running(two_workers(tmp_path, tmp_path / "model", last + 5)) as cluster:
        assert ends(cluster) == [0, 0]
        reports = [cluster.report(each) for each in WORKERS]
    (tmp_path / "whole").mkdir()
    for report in reports:
        assert_same_weights(report, reports_of(tmp_path / "whole", last + 5)[0], rtol=0, atol=0)


@pytest.mark.slow
def test_a_worker_that_stands_still_is_noticed(tmp_path: Path) -> None:
    with running(two_workers(tmp_path, tmp_path / "model", 100_000)) as cluster:
        cluster.wait_for("worker/1", "training step 20", timeout=300)
        cluster.kill("worker/1", signal.SIGSTOP)
        assert cluster.wait("worker/0", timeout=60) == 143
        cluster.kill("worker/1", signal.SIGCONT)
        assert cluster.wait("worker/1", timeout=60) == 143


@pytest.mark.slow
def test_what_workers_cannot_do_is_refused_and_the_failure_of_one_ends_the_other(tmp_path: Path) -> None:
    cluster = LocalCluster(tmp_path, "mirrored_worker_laws.py", {"worker": 2}, tmp_path / "model")
    with running(cluster):
        codes = ends(cluster)
        for name in WORKERS:
            assert "all laws hold" in cluster.output(name), cluster.output(name)
    assert codes == [143, 1], cluster.output("worker/0")
    assert "OSError: disk full" in cluster.output("worker/1")
    assert checkpoint_numbers(tmp_path / "model" / "failed") == [0]
