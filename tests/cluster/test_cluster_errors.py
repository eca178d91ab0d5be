"""Checks what is said of clusters that cannot be right."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from clusters import LocalCluster, free_addresses, running
from helpers import run_python
from keras_legacy_train import cluster, train

tf1 = tf.compat.v1

CLUSTER = {"ps": ["127.0.0.1:1"], "chief": ["127.0.0.1:2"], "worker": ["127.0.0.1:3"]}

TfConfig = Callable[..., None]


@pytest.fixture
def tf_config(monkeypatch: pytest.MonkeyPatch) -> TfConfig:
    """Sets TF_CONFIG."""

    def set_it(task_type: str, index: int = 0, **cluster: list[str]) -> None:
        task = {"type": task_type, "index": index}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster or CLUSTER, "task": task}))

    return set_it


def train_here(output_dir: Path, **arguments: Any) -> None:
    with tf.Graph().as_default() as graph, tf1.device(tf1.train.replica_device_setter(1)):
        step = tf1.train.get_or_create_global_step()
        weight = tf1.get_variable("w", [])
        loss = tf.square(weight)
        train_op = tf1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
        train(graph, output_dir, train_op, loss, **{"max_steps": 2, "cluster_timeout": 1, **arguments})


def test_the_chief_of_a_cluster_is_known(tf_config: TfConfig) -> None:
    assert cluster.this_task() is None
    tf_config("chief")
    assert cluster.this_task() == cluster.Task("chief", 0, True)
    tf_config("worker")
    assert cluster.this_task() == cluster.Task("worker", 0, False)
    tf_config("worker", ps=["127.0.0.1:1"], worker=["127.0.0.1:3"])
    assert cluster.this_task() == cluster.Task("worker", 0, True)


def test_a_chief_that_contradicts_the_cluster_is_refused(tf_config: TfConfig, tmp_path: Path) -> None:
    tf_config("worker")
    with pytest.raises(
        ValueError, match="supervisor_is_chief=True, but by TF_CONFIG this process is worker 0"
    ):
        train_here(tmp_path / "model")
    tf_config("chief")
    with pytest.raises(ValueError, match=r"supervisor_is_chief=False, but by TF_CONFIG .* is the chief"):
        train_here(tmp_path / "model", supervisor_is_chief=False)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (("ps", 0), r"is ps 0, which does not train. Call keras_legacy_train.cluster.serve\(\)"),
        (("worker", 7), "is not in the cluster"),
        (("teacher", 0), "is not in the cluster"),
    ],
)
def test_a_task_that_does_not_train_is_refused(
    task: tuple[str, int], message: str, tf_config: TfConfig, tmp_path: Path
) -> None:
    tf_config(*task)
    with pytest.raises(ValueError, match=message):
        train_here(tmp_path / "model")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cluster": 3}, "cluster must be a tf.train.ClusterSpec"),
        ({"cluster": {"ps": ["nowhere"]}}, 'must be "host:port"'),
        ({"supervisor_master": "grpc://nowhere"}, 'must be "host:port"'),
        ({"supervisor_master": "http://x:1"}, "must be '', 'local' or 'grpc://host:port'"),
        ({"supervisor_master": "grpc://x:9", "cluster": CLUSTER}, "is no process of the cluster"),
        ({"cluster": CLUSTER, "max_steps": None, "steps": 2}, "In a cluster pass max_steps"),
    ],
)
def test_arguments_that_cannot_be_right_are_named(
    arguments: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        train_here(tmp_path / "model", **arguments)
    assert not (tmp_path / "model").exists()


def test_a_cluster_is_for_graphs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cluster is for graphs"):
        train(None, tmp_path / "model", lambda: None, lambda: 0.0, cluster=CLUSTER, max_steps=1)


def test_a_missing_server_is_named_within_the_timeout(tmp_path: Path) -> None:
    (address,) = free_addresses(1)
    with pytest.raises(ConnectionError, match=f"No answer for 1 s from ps 0 at {address}"):
        train_here(tmp_path / "model", cluster={"ps": [address]})
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_clusters_that_disagree_and_a_chief_that_does_not_come_are_named(tmp_path: Path) -> None:
    with running(LocalCluster(tmp_path, "serve.py", {"ps": 2})) as servers:
        for name in ("ps/0", "ps/1"):
            servers.wait_for(name, "Serving as")
        addresses = servers.addresses["ps"]
        code = WORKER.format(cluster={"ps": addresses[::-1]}, timeout=60)
        swapped = run_python("-c", code, tmp_path / "model")
        assert "The processes have different clusters: ps 0 at" in swapped.stderr
        assert "says that it is /job:ps/replica:0/task:1." in swapped.stderr
        alone = run_python("-c", WORKER.format(cluster={"ps": addresses}, timeout=5), tmp_path / "model")
        assert "ModelNotReadyError: The chief has not given the model its values within 5 s." in alone.stderr
        assert "Without a value: global_step, w." in alone.stderr


WORKER = """
import sys
import tensorflow.compat.v1 as tf
from keras_legacy_train import train
with tf.Graph().as_default() as graph, tf.device(tf.train.replica_device_setter(1)):
    step = tf.train.get_or_create_global_step()
    w = tf.get_variable("w", [])
    train(graph, sys.argv[1], tf.assign_add(step, 1), tf.square(w), supervisor_is_chief=False, max_steps=2,
          cluster={cluster}, cluster_timeout={timeout})
"""


SYNCHRONOUS = """
import sys
import tensorflow.compat.v1 as tf
from keras_legacy_train import train
with tf.Graph().as_default() as graph, tf.device(tf.train.replica_device_setter(1)):
    step = tf.train.get_or_create_global_step()
    loss = tf.square(tf.get_variable("w", []))
    optimizer = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.1), 1)
    train(graph, sys.argv[1], optimizer.minimize(loss, step), loss, max_steps=2, cluster={cluster})
"""


def test_synchronous_replicas_are_refused_with_a_way_out(tmp_path: Path) -> None:
    with running(LocalCluster(tmp_path, "serve.py", {"ps": 1})) as servers:
        servers.wait_for("ps/0", "Serving as")
        code = SYNCHRONOUS.format(cluster=servers.addresses)
        ended = run_python("-c", code, tmp_path / "model")
    assert "of all that holds state only variables can be shared by the processes" in ended.stderr
    assert "In the place of SyncReplicasOptimizer" in ended.stderr


def test_serving_refuses_what_it_cannot_do(tf_config: TfConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        tf_config("ps", ps=[f"127.0.0.1:{port}"])
        with pytest.raises(OSError, match=f"cannot listen at 127.0.0.1:{port}: Address already in use"):
            cluster.serve()
    tf_config("ps", ps=["0.0.0.0:2222"])
    with pytest.raises(ValueError, match=r"all addresses of this machine.*all_addresses=True"):
        cluster.serve()
    tf_config("ps", 3)
    with pytest.raises(ValueError, match="TF_CONFIG must name a task of its cluster"):
        cluster.serve()
    monkeypatch.delenv("TF_CONFIG")
    with pytest.raises(ValueError, match="TF_CONFIG must name a task of its cluster"):
        cluster.serve()


def test_a_server_hears_its_own_address_alone(tmp_path: Path) -> None:
    own = _address_of_this_machine()
    if own is None:
        pytest.skip("This machine has the loopback address only.")
    with running(LocalCluster(tmp_path, "serve.py", {"ps": 1})) as servers:
        servers.wait_for("ps/0", "Serving as")
        port = int(servers.addresses["ps"][0].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        with pytest.raises(TimeoutError):
            socket.create_connection((own, port), timeout=2)


def _address_of_this_machine() -> str | None:
    """Returns an address of this machine by which others reach it."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address
