"""Checks graphs whose variables lie on servers, with processes on the loopback address."""

from __future__ import annotations

import random
import re
import signal
from pathlib import Path

import pytest
import tensorflow as tf

from clusters import LocalCluster, running

STEPS = 2_000
TASKS = {"ps": 1, "chief": 1, "worker": 1}
TRAINERS = ("chief/0", "worker/0")


def saved_step(directory: Path) -> int:
    checkpoint = tf.train.latest_checkpoint(str(directory))
    assert checkpoint is not None
    return int(tf.train.load_variable(checkpoint, "global_step"))


@pytest.mark.parametrize(
    ("servers", "calls"), [(1, "1 call"), pytest.param(2, "2 calls", marks=pytest.mark.slow)]
)
def test_workers_share_the_steps_and_the_chief_alone_saves(servers: int, calls: str, tmp_path: Path) -> None:
    directory = tmp_path / "model"
    tasks = {**TASKS, "ps": servers}
    with running(LocalCluster(tmp_path, "cluster_run.py", tasks, directory, STEPS)) as cluster:
        cluster.check_success(*TRAINERS)
        reports = [cluster.report(name) for name in TRAINERS]
    own = [report["own"] for report in reports]
    assert min(own) > 0
    assert STEPS <= sum(own) == max(report["shared"] for report in reports) <= STEPS + 1
    # The chief may save its last step before a worker's, which was on its way, has come.
    assert STEPS <= saved_step(directory) <= reports[0]["shared"]
    assert "Saving checkpoint" not in cluster.output("worker/0")
    exchange = f"Each step reads 20 bytes of variables and sends 20 bytes of updates, in {calls}."
    assert all(exchange in cluster.output(name) for name in TRAINERS)
    assert all(report["loss"] < 0.05 for report in reports)


def test_training_goes_on_when_each_role_is_killed_and_started_again(tmp_path: Path) -> None:
    directory, steps = tmp_path / "model", 3_000
    with running(LocalCluster(tmp_path, "cluster_run.py", TASKS, directory, steps)) as cluster:
        cluster.wait_for("worker/0", "training step")
        cluster.kill("worker/0")
        seen = cluster.output("chief/0").count("training step")
        seen_by_worker = cluster.output("worker/0").count("training step")
        cluster.start("worker/0")
        cluster.wait_for("worker/0", "training step", times=seen_by_worker + 1)

        cluster.kill("ps/0")
        cluster.start("ps/0")
        cluster.wait_for("chief/0", "going on from the newest checkpoint")
        cluster.wait_for("worker/0", "going on from the newest checkpoint")

        cluster.kill("chief/0")
        before = saved_step(directory)
        cluster.start("chief/0")
        cluster.wait_for("chief/0", f"Training steps [{before},")

        cluster.check_success(*TRAINERS)
        assert cluster.output("chief/0").count("training step") > seen
        assert "sends 20 bytes of updates, in 1 call" in cluster.output("chief/0")
        assert steps <= cluster.report("chief/0")["shared"] <= steps + 1
    assert steps <= saved_step(directory) <= steps + 1


@pytest.mark.slow
def test_a_server_that_stops_answering_is_given_up_after_the_timeout(tmp_path: Path) -> None:
    tasks = {"ps": 1, "chief": 1}
    arguments = (tmp_path / "model", 10**9, 8)
    with running(LocalCluster(tmp_path, "cluster_run.py", tasks, *arguments)) as cluster:
        cluster.wait_for("chief/0", "training step")
        cluster.kill("ps/0", signal.SIGSTOP)
        assert cluster.wait("chief/0", 60) == 1
        output = cluster.output("chief/0")
    assert "has not answered for" in output
    assert "ServerUnreachableError: No answer for 8 s from ps 0 at 127.0.0.1:" in output


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_a_kill_at_any_time_is_survived(seed: int, tmp_path: Path) -> None:
    choice = random.Random(seed)
    directory, steps = tmp_path / "model", 3_000  # seconds, of which the kill falls into the first
    victim = choice.choice(["ps/0", *TRAINERS])
    with running(LocalCluster(tmp_path, "cluster_run.py", TASKS, directory, steps)) as cluster:
        lines = choice.randrange(8)
        if lines:
            cluster.wait_for("chief/0", "training step", times=lines)
        cluster.kill(victim)
        before = saved_step(directory) if (directory / "checkpoint").exists() else 0
        cluster.start(victim)
        cluster.check_success(*TRAINERS)
        starts = re.findall(r"Training steps \[(\d+),", cluster.output("chief/0"))
        if victim == "chief/0" and len(starts) == 2:
            assert int(starts[1]) >= before
    assert steps <= saved_step(directory) <= steps + 1
