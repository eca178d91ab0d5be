"""Checks Estimators in a cluster that `TF_CONFIG` describes, with processes on the loopback address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tensorflow as tf

from clusters import LocalCluster, running
from keras_legacy_train.estimator import experimental

STEPS = 300


def saved_step(directory: Path) -> int:
    checkpoint = tf.train.latest_checkpoint(str(directory))
    assert checkpoint is not None
    return int(tf.train.load_variable(checkpoint, "global_step"))


def files(directory: Path) -> set[str]:
    """Returns the kinds of files in a directory: their names, with `N` for numbers and the rest of events."""
    names = (path.name for path in directory.iterdir())
    return {re.sub(r"\d+", "N", re.sub(r"(events\.out\.tfevents)\..*", r"\1", name)) for name in names}


def tags(events: Path) -> set[str]:
    """Returns the tags of the summaries in an event file."""
    read = tf.compat.v1.train.summary_iterator(str(events))
    return {value.tag for event in read for value in event.summary.value}


def test_each_task_does_its_own_work(tmp_path: Path) -> None:
    directory = tmp_path / "model"
    tasks = {"ps": 1, "chief": 1, "worker": 1, "evaluator": 1}
    trainers = ("chief/0", "worker/0")
    with running(LocalCluster(tmp_path, "estimator_cluster_run.py", tasks, directory, STEPS)) as cluster:
        cluster.check_success(*trainers, "evaluator/0")
        chief, worker = map(cluster.report, trainers)
        evaluator = cluster.report("evaluator/0")
        outputs = {name: cluster.output(name) for name in trainers}

    assert min(chief["own"], worker["own"]) > 0
    assert STEPS <= chief["own"] + worker["own"] == max(chief["shared"], worker["shared"]) <= STEPS + 1
    # Then the chief has trained 5 steps more, alone.
    assert chief["more"] == 5 and STEPS + 5 <= saved_step(directory) <= STEPS + 6
    # The chief alone initialises, saves and calls who is told of it.
    assert (chief["chief_hook"], worker["chief_hook"]) == (1, 0)
    assert chief["saved"][0] == 0 and chief["saved"][-1] >= STEPS and worker["saved"] == []
    assert "Saving checkpoints" not in outputs["worker/0"]
    assert "loss = " in outputs["worker/0"]
    # The evaluator has evaluated the last checkpoint, or the one after it, and exported it once.
    evaluated = experimental.read_eval_metrics(directory / "eval")
    assert STEPS <= max(evaluated) <= saved_step(directory)
    assert evaluated[max(evaluated)]["mae"] < 0.2
    assert evaluator["own"] == 0
    assert len(list((directory / "export" / "final").iterdir())) == 1

    kinds = {"checkpoint", "graph.pbtxt", "events.out.tfevents", "eval", "export"}
    checkpoint = {"model.ckpt-N.index", "model.ckpt-N.meta", "model.ckpt-N.data-N-of-N"}
    assert files(directory) == kinds | checkpoint
    processes = {path.name.split(".")[-2] for path in directory.glob("events.out.tfevents.*")}
    assert len(processes) == 1


@pytest.mark.slow
def test_training_goes_on_when_each_task_is_killed_and_started_again(tmp_path: Path) -> None:
    directory, steps = tmp_path / "model", 5_000
    tasks = {"ps": 1, "chief": 1, "worker": 1, "evaluator": 1}
    with running(LocalCluster(tmp_path, "estimator_cluster_run.py", tasks, directory, steps)) as cluster:
        for name, text in [
            ("worker/0", "loss = "),
            ("evaluator/0", "Saving dict for global step"),
            ("ps/0", "Serving as ps 0"),
            ("chief/0", "Saving checkpoint for step"),
        ]:
            seen = cluster.output(name).count(text)
            cluster.wait_for(name, text, times=seen + (name != "ps/0"))
            cluster.kill(name)
            cluster.start(name)
        cluster.check_success("chief/0", "worker/0", "evaluator/0")
        assert "Restoring parameters from" in cluster.output("chief/0")
        assert cluster.report("chief/0")["saved"][-1] >= steps
    assert steps <= max(experimental.read_eval_metrics(directory / "eval")) <= saved_step(directory)


def test_a_master_evaluates_and_its_early_stopping_ends_all(tmp_path: Path) -> None:
    directory = tmp_path / "model"
    tasks = {"ps": 1, "master": 1, "worker": 1}
    trainers = ("master/0", "worker/0")
    cluster = LocalCluster(tmp_path, "estimator_cluster_run.py", tasks, directory, 0)
    cluster.commands["ps"] = ["-m", "keras_legacy_train", "serve"]
    with running(cluster):
        cluster.check_success(*trainers)
        master, worker = map(cluster.report, trainers)
        assert f"Serving as ps 0 at {cluster.addresses['ps'][0]}." in cluster.output("ps/0")
    assert min(master["own"], worker["own"]) > 0
    assert master["shared"] >= 200
    assert max(experimental.read_eval_metrics(directory / "eval")) == saved_step(directory)
    # The first worker writes the summaries, the master the graph and the checkpoints.
    assert worker["saved"] == []
    of_master, of_worker = sorted(map(tags, directory.glob("events.out.tfevents.*")), key=len)
    assert of_master.isdisjoint(of_worker)
    assert "loss" in of_worker  # the pace only where the worker has seen a hundred steps


def test_an_experiment_runs_as_its_task_says(tmp_path: Path) -> None:
    directory = tmp_path / "model"
    tasks = {"ps": 1, "master": 1, "worker": 1}
    arguments = (directory, STEPS)
    with running(LocalCluster(tmp_path, "experiment_cluster_run.py", tasks, *arguments)) as cluster:
        cluster.check_success("master/0", "worker/0")
        assert cluster.report("master/0")["loss"] < 0.1
        assert cluster.report("worker/0")["loss"] is None
        assert "Serving as ps 0" in cluster.output("ps/0")
    assert STEPS <= saved_step(directory) <= STEPS + 1
