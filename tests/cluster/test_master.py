"""Checks graphs that run on a server in another process: `supervisor_master="grpc://host:port"`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusters import LocalCluster, free_addresses, running
from forked_python import start_forked
from helpers import TESTS, run_python

# Graphs whose functions draw random numbers themselves are refused.
REFUSED = ("function_twice", "noisy_function")


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server, which runs for all tests."""
    folder = tmp_path_factory.mktemp("server")
    with running(LocalCluster(folder, "serve.py", {"ps": 1})) as cluster:
        cluster.wait_for("ps/0", "Serving as ps 0")
        yield f"grpc://{cluster.addresses['ps'][0]}"


def run_golden(master: str, chosen: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(os.environ, "KLT_TEST_MASTER", master)
    return run_python("-m", "pytest", "-q", "-p", "no:xdist", "graph/test_golden.py", "-k", chosen)


def test_what_tf_1_did_happens_again_on_a_server(master: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = "linear_sgd or lstm or feed_adam or queue_epochs or one_shot_dropout or lookup_table"
    ended = run_golden(master, f"phase_a_in_windows and ({cases})", monkeypatch)
    assert ended.returncode == 0, ended.stdout
    assert "6 passed" in ended.stdout


@pytest.mark.slow
def test_all_that_tf_1_did_happens_again_on_a_server(master: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run_golden(master, f"not ({' or '.join(REFUSED)})", monkeypatch)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.slow
def test_functions_that_draw_random_numbers_are_refused(master: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run_golden(master, f"phase_a_in_windows and {REFUSED[1]}", monkeypatch)
    assert "calls a function that draws random numbers" in ended.stdout
    assert ended.returncode == 1


TRAIN = """
import sys
import tensorflow.compat.v1 as tf
from keras_legacy_train import train
with tf.Graph().as_default() as graph:
    w = tf.get_variable("w", [])
    step = tf.train.get_or_create_global_step()
    train(graph, sys.argv[1], tf.assign_add(step, 1), w, max_steps=2, supervisor_master=sys.argv[2],
          cluster_timeout=float(sys.argv[3]))
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_server_that_is_not_there_is_named(host: str, tmp_path: Path) -> None:
    port = free_addresses(1)[0].rpartition(":")[2]
    ended = run_python("-c", TRAIN, tmp_path / "model", f"grpc://{host}:{port}", 2, timeout=60)
    assert ended.returncode == 1
    assert f"ServerUnreachableError: No answer for 2 s from master 0 at {host}:{port}" in ended.stderr
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("rounds", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_clients_that_come_at_once_find_the_server(rounds: int, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        with running(LocalCluster(folder, "serve.py", {"ps": 1})) as cluster:
            master = f"grpc://{cluster.addresses['ps'][0]}"
            clients = [
                start_forked(
                    ["-c", TRAIN, str(folder / f"model-{client}"), master, "60"],
                    directory=folder,
                    environment=environment,
                    output=folder / "output.txt",
                )
                for client in range(3)
            ]
            for client in clients:
                client.join(120)
            assert [client.exitcode for client in clients] == [0, 0, 0], (folder / "output.txt").read_text()


TRAIN_JOIN_TRAIN = """
import sys
import tensorflow as tf
from keras_legacy_train import train

def train_two_steps(directory):
    with tf.Graph().as_default() as graph:
        w = tf.compat.v1.get_variable("w", [])
        step = tf.compat.v1.train.get_or_create_global_step()
        train(graph, directory, tf.compat.v1.assign_add(step, 1), w, max_steps=2)

train_two_steps(sys.argv[1])
tasks = tf.train.ClusterSpec({"worker": [sys.argv[3]]})
tf.config.experimental_connect_to_cluster(tasks, job_name="worker", task_index=0)
train_two_steps(sys.argv[2])
"""


def test_a_process_that_has_trained_and_then_joins_a_cluster_trains_again(tmp_path: Path) -> None:
    (address,) = free_addresses(1)
    ended = run_python("-c", TRAIN_JOIN_TRAIN, tmp_path / "one", tmp_path / "two", address, timeout=120)
    assert (tmp_path / "two" / "model.ckpt-2.index").exists(), ended.stderr
    assert ended.returncode == 0
