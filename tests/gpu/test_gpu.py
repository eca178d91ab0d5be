"""On a GPU, graphs and models train there, and leave no memory behind; `benchmarks/gpu.sh` runs more."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import Silent, assert_values_close, checkpoint_values, run_in_session
from keras_helpers import arrays, line
from keras_legacy_train import fit, train

v1 = tf.compat.v1
STEPS = 20


@pytest.fixture(autouse=True)
def gpu() -> None:
    """Skips where there is no GPU."""
    if not tf.config.list_logical_devices("GPU"):
        pytest.skip("needs a GPU")


def bytes_in_use(kind: str = "current") -> int:
    """What TensorFlow has allocated on the GPU."""
    return int(tf.config.experimental.get_memory_info("GPU:0")[kind])


def placed_graph() -> graphs.Job:
    """A graph that puts itself on the GPU, and its table of words on the CPU."""
    with tf.Graph().as_default() as graph:
        with tf.device("/cpu:0"):
            table = v1.get_variable("table", [50, 64], initializer=v1.truncated_normal_initializer(seed=1))
            ids = tf.constant(np.arange(32) % 50, tf.int32)
        with tf.device("/gpu:0"):
            weights = v1.get_variable("weights", [64, 1], initializer=v1.truncated_normal_initializer(seed=2))
            loss = tf.reduce_mean(tf.square(tf.nn.embedding_lookup(table, ids) @ weights - 1.0))
        step = v1.train.get_or_create_global_step()
        train_op = v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    return graphs.Job(graph, train_op, loss)


def test_a_graph_that_places_itself_trains_as_in_a_session(tmp_path: Path) -> None:
    expected = run_in_session(placed_graph(), STEPS)
    tf.config.experimental.reset_memory_stats("GPU:0")
    before = bytes_in_use("peak")
    loss = train(output_dir=tmp_path, steps=STEPS, monitors=[Silent()], **placed_graph().arguments())
    assert bytes_in_use("peak") > before
    np.testing.assert_allclose(loss, expected.losses[-1], rtol=1e-4)
    assert_values_close(checkpoint_values(tmp_path), expected.variables, rtol=1e-4, atol=1e-5)


def test_a_nan_in_a_window_leaves_the_values_of_its_step(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, tf.device("/gpu:0"):
        total = v1.get_variable("total", [], initializer=v1.zeros_initializer())
        step = v1.train.get_or_create_global_step()
        loss = tf.where(total < 7.0, total, np.nan)
        with tf.control_dependencies([loss, v1.assign_add(total, 1.0)]):
            train_op = v1.assign_add(step, 1).op
    train(graph, tmp_path, train_op, loss, steps=50, monitors=[Silent()], fail_on_nan_loss=False)
    values = checkpoint_values(tmp_path)
    assert values["total"] == values["global_step"]


def test_calls_leave_no_memory_on_the_gpu(tmp_path: Path) -> None:
    used = []
    for number in range(4):
        train(
            output_dir=tmp_path / str(number), steps=STEPS, monitors=[Silent()], **placed_graph().arguments()
        )
        model = line()
        fit(model, **arrays(), output_dir=tmp_path / f"fit{number}", verbose=0)
        del model
        gc.collect()
        used.append(bytes_in_use())
    assert used[-1] <= used[1] + 2**16
