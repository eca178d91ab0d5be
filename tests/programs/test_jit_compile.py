"""Windows compiled by XLA."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import Silent, checkpoint_values
from keras_legacy_train import train
from keras_legacy_train.monitors import EveryN

v1 = tf.compat.v1


def trained(directory: Path, job: Any, **options: Any) -> dict[str, np.ndarray]:
    train(output_dir=directory, steps=40, monitors=[Silent()], **job.arguments(), **options)
    return checkpoint_values(directory)


def minimizing(loss: Any) -> dict[str, Any]:
    """The arguments of `train` for a loss in the default graph."""
    optimizer = v1.train.GradientDescentOptimizer(0.1)
    train_op = optimizer.minimize(loss, v1.train.get_or_create_global_step())
    return {"graph": tf.compat.v1.get_default_graph(), "train_op": train_op, "loss_op": loss}


@pytest.mark.parametrize("jit_compile", [True, "auto"])
def test_compiled_steps_compute_the_same(
    jit_compile: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    plain = trained(tmp_path / "plain", graphs.build("linear_sgd"))
    compiled = trained(tmp_path / "compiled", graphs.build("linear_sgd"), jit_compile=jit_compile)
    assert plain.keys() == compiled.keys()
    for name, value in plain.items():
        np.testing.assert_allclose(compiled[name], value, rtol=1e-5)
    assert not [line for line in caplog.messages if "XLA cannot" in line or "XLA does not" in line]


def from_queue() -> dict[str, Any]:
    queue = tf.queue.FIFOQueue(100, [tf.float32], [[1]])
    fill = queue.enqueue_many([tf.ones([50, 1])])
    v1.train.add_queue_runner(v1.train.QueueRunner(queue, [fill]))
    return minimizing(tf.reduce_sum(queue.dequeue() * v1.get_variable("w", [1]) ** 2))


def with_dropout() -> dict[str, Any]:
    w = v1.get_variable("w", [9], initializer=v1.ones_initializer())
    return minimizing(tf.reduce_sum(tf.nn.dropout(w, rate=0.5)))


def with_assertion() -> dict[str, Any]:
    w = v1.get_variable("w", [], initializer=v1.ones_initializer())
    with tf.control_dependencies([v1.assert_less(w, 2.0)]):
        return minimizing(w**2)


@pytest.mark.parametrize(
    ("build", "reason"),
    [(from_queue, "FIFOQueueV2"), (with_dropout, "random numbers"), (with_assertion, "an assertion")],
)
def test_auto_leaves_alone_what_xla_cannot_do_or_does_otherwise(
    build: Any, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    results = []
    for jit_compile in (False, "auto"):
        with tf.Graph().as_default():
            v1.set_random_seed(1)
            arguments = build()
        directory = tmp_path / str(jit_compile)
        train(output_dir=directory, steps=30, monitors=[Silent()], jit_compile=jit_compile, **arguments)
        results.append(checkpoint_values(directory))
    assert results[0].keys() == results[1].keys()
    for name, value in results[0].items():
        np.testing.assert_array_equal(results[1][name], value)
    told = [line for line in caplog.messages if "XLA" in line]
    assert len(told) == 1 and reason in told[0]


def test_an_op_that_xla_does_not_know_is_named(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        arguments = from_queue()
    with pytest.raises(ValueError, match=r"XLA cannot compile.*FIFOQueueV2"):
        train(output_dir=tmp_path, steps=30, monitors=[Silent()], jit_compile=True, **arguments)


def test_anything_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="jit_compile must be True, False or 'auto'"):
        trained(tmp_path / "new", graphs.build("linear_sgd"), jit_compile="always")
    assert not (tmp_path / "new").exists()


def test_fed_steps_are_compiled_too(tmp_path: Path) -> None:
    class Watch(EveryN):
        def every_n_step_begin(self, step: int) -> list[Any]:
            return ["loss:0"]

    values = []
    for name, jit_compile in (("plain", False), ("compiled", True)):
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [2], name="x")
            w = v1.get_variable("w", initializer=[1.0, 2.0])
            arguments = minimizing(tf.reduce_sum(tf.square(w * x), name="loss"))
        watch = Watch(2)
        feeds = iter(np.linspace(0, 1, 12, dtype=np.float32).reshape(6, 2))
        train(
            output_dir=tmp_path / name,
            feed_fn=lambda: {"x:0": next(feeds)},  # noqa: B023
            monitors=[watch],
            jit_compile=jit_compile,
            steps=6,
            **{**arguments, "graph": graph},
        )
        values.append(checkpoint_values(tmp_path / name))
    np.testing.assert_allclose(values[1]["w"], values[0]["w"], rtol=1e-6)
