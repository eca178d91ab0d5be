"""Graphs that were built for other machines."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import train
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.nodes import make_node
from keras_legacy_train.graph.rewriting.devices import ClusterDevices

v1 = tf.compat.v1


def replicated_graph() -> tuple[tf.Graph, tf.Operation, tf.Tensor]:
    """A model as one worker of a cluster built it."""
    with tf.Graph().as_default() as graph:
        setter = v1.train.replica_device_setter(ps_tasks=2, worker_device="/job:worker/task:3/gpu:1")
        with v1.device(setter):
            x = tf.constant(np.eye(4, dtype="float32"))
            w = v1.get_variable("w", [4, 1], initializer=v1.ones_initializer())
            loss = tf.reduce_sum(tf.square(tf.matmul(x, w) - 3.0), name="loss")
            step = v1.train.get_or_create_global_step()
            train_op = v1.train.AdagradOptimizer(0.5).minimize(loss, step)
    return graph, train_op, loss


def test_a_graph_of_a_cluster_trains_on_this_machine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    graph, train_op, loss = replicated_graph()
    assert any("/job:ps/task:1" in op.device for op in graph.get_operations())
    first = train(graph, tmp_path, train_op, loss, steps=1)
    last = train(graph, tmp_path, train_op, loss, steps=20)
    assert last < first == pytest.approx(16)
    told = [line for line in caplog.messages if "names devices that do not exist here" in line]
    assert len(told) == 2  # once for each call


def test_a_device_of_this_machine_is_kept_and_not_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    with tf.Graph().as_default() as graph, tf.device("/cpu:0"):
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        loss = tf.square(w, name="loss")
        train_op = v1.train.GradientDescentOptimizer(0.25).minimize(
            loss, v1.train.get_or_create_global_step()
        )
    assert train(graph, tmp_path, train_op, loss, steps=2) == 0.25
    assert not any("devices" in line for line in caplog.messages)


def test_a_device_inside_a_function(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:

        @tf.function
        def square(x: tf.Tensor) -> tf.Tensor:
            with tf.device("/job:worker/task:1/gpu:7"):
                return tf.square(x)

        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        loss = tf.identity(square(w), name="loss")
        train_op = v1.train.GradientDescentOptimizer(0.25).minimize(
            loss, v1.train.get_or_create_global_step()
        )
    assert train(graph, tmp_path, train_op, loss, steps=2) == 0.25


@pytest.mark.parametrize("make", [v1.data.make_one_shot_iterator, v1.data.make_initializable_iterator])
def test_what_reads_a_dataset_stays_on_the_host(make) -> None:
    with tf.Graph().as_default() as graph, v1.device("/gpu:0"):
        iterator = make(tf.data.Dataset.range(3).map(lambda x: 2 * x).batch(2))
        batch = iterator.get_next()
    operations = [op.name for op in graph.get_operations() if op.type == "MakeIterator"]
    nodes = LiftedGraph(graph).part((), [batch.name], operations).graph_def.node
    devices = {node.op: node.device for node in nodes if "Iterator" in node.op or "Dataset" in node.op}
    assert {"IteratorV2", "IteratorGetNextSync"} <= devices.keys()
    assert set(devices.values()) == {"/device:CPU:0"}


def test_devices_of_a_cluster() -> None:
    devices = ClusterDevices({"ps": [0, 1]})
    assert devices.of_variable("/job:ps/task:1") == ("/job:ps/replica:0/task:1/device:CPU:0", True)
    assert devices.of_variable("/job:worker/task:3") == (None, False)
    message = "The graph puts a variable on /job:ps/task:7, but the cluster has only 2 of 'ps'"
    with pytest.raises(ValueError, match=message):
        devices.of_variable("/job:ps/task:7")
    master = "/job:master/replica:0/task:0/device:CPU:0"
    devices = ClusterDevices({"master": [0]}, master)
    assert devices.of_variable("/job:ps/task:7") == (master, False)
    for op, calls_python, device in (
        ("PyFunc", False, "/job:localhost/replica:0/task:0/device:CPU:0"),
        ("GeneratorDataset", True, "/job:localhost/replica:0/task:0/device:CPU:0"),
        ("RangeDataset", False, master),
        ("VarHandleOp", False, master),
        ("MatMul", False, ""),
    ):
        node = make_node(op, "node")
        devices.place(node, calls_python=calls_python)
        assert node.device == device, op
