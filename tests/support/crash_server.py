"""Runs jobs in processes of their own that are killed: `python crash_server.py`.

Loading TensorFlow takes seconds, a fork of a process that has loaded it milliseconds. That works as long as
the process has not run an operation. When it is ready it says so. From then on each line of the input is a
request, and of the output its outcome.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from tensorflow.python.lib.io import file_io

import keras_legacy_train
from keras_legacy_train import train
from keras_legacy_train.checkpoints import CheckpointIndex, CheckpointManager, NamedVariables, SavedVariable
from keras_legacy_train.checkpoints.leftovers import clean_up

v1 = tf.compat.v1


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_before_file_operation(number: int) -> None:
    """Kills this process before a file operation of Python or TensorFlow; they are counted from 1."""
    left = number

    def counting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                kill_self()
            return function(*arguments, **options)

        return call

    for name in ("fsync", "replace", "rename", "remove", "rmdir", "link", "unlink"):
        setattr(os, name, counting(getattr(os, name)))
    for name in ("rename", "delete_file", "write_string_to_file", "recursive_create_dir"):
        setattr(file_io, name, counting(getattr(file_io, name)))


def save(directory: str, steps: list[int], max_to_keep: int | None, background: bool) -> None:
    """Saves `w`, whose value is the step."""
    w = tf.Variable(0.0)
    state = NamedVariables([SavedVariable("w", w)])
    clean_up(CheckpointIndex(directory))
    manager = CheckpointManager(directory, state, max_to_keep=max_to_keep, meta_graph=lambda: b"graph")
    manager.restore_latest()
    for step in steps:
        w.assign(float(step))
        if background:
            manager.save_in_background(step)
        else:
            manager.save(step)
    manager.wait()


def counting_graph(entries: int, nan_at: int | None = None) -> tuple[tf.Graph, tf.Operation, tf.Tensor]:
    """Returns a graph, its train_op and its loss. Each step raises `a`, `b` and the global step by one.

    Args:
        entries: How many entries `a` and `b` have.
        nan_at: The step whose loss is NaN.
    """
    with tf.Graph().as_default() as graph:
        step = v1.train.get_or_create_global_step()
        large = [v1.get_variable(n, [entries], initializer=v1.zeros_initializer()) for n in ("a", "b")]
        loss = tf.reduce_mean(large[0])
        if nan_at is not None:
            loss = tf.where(tf.equal(step, nan_at - 1), np.nan, loss)
        with tf.control_dependencies([loss]):
            raised = [v1.assign_add(v, tf.ones([entries])).op for v in large]
        with tf.control_dependencies(raised):
            train_op = v1.assign_add(step, 1).op
    return graph, train_op, loss


def shuffled_rows() -> tf.data.Dataset:
    """Returns batches of four rows, in another order in each epoch. A row is 1 and seven random numbers."""
    rows = np.random.default_rng(1).normal(size=(64, 8)).astype(np.float32)
    rows[:, 0] = 1.0
    return tf.data.Dataset.from_tensor_slices(rows).shuffle(32, seed=1).repeat().batch(4)


def train_graph(directory: str, max_steps: int, megabytes: float, **options: Any) -> None:
    graph, train_op, loss = counting_graph(int(megabytes * 2**17))
    train(graph, directory, train_op, loss, max_steps=max_steps, monitors=[], **options)


def learn_graph(directory: str, max_steps: int, megabytes: float, **options: Any) -> None:
    """Does what `train_graph` does; besides, `w` learns from shuffled rows with dropout."""
    graph, count_op, loss = counting_graph(int(megabytes * 2**17))
    with graph.as_default():
        v1.set_random_seed(1)
        iterator = v1.data.make_initializable_iterator(shuffled_rows())
        v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
        x = iterator.get_next()
        w = v1.get_variable("w", [8, 1])
        error = tf.reduce_mean(tf.square(tf.matmul(v1.nn.dropout(x, rate=0.5), w) - 1.0))
        learn_op = v1.train.MomentumOptimizer(0.01, 0.9).minimize(error)
        train_op, loss = tf.group(count_op, learn_op), loss + error
    train(graph, directory, train_op, loss, max_steps=max_steps, monitors=[], **options)


def learn_model(directory: str, max_steps: int, megabytes: float, **options: Any) -> None:
    """Fits a model. Each step raises its large weights `a` and `b` by one; `w` learns as in `learn_graph`."""
    import keras

    keras.utils.set_random_seed(1)
    count = int(megabytes * 2**17)

    class Learner(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a = self.add_weight(shape=(count,), initializer="zeros", name="a")
            self.b = self.add_weight(shape=(count,), initializer="zeros", name="b")
            self.w = self.add_weight(shape=(8, 1), name="w")
            self.dropout = keras.layers.Dropout(0.5, seed=1)

        def call(self, x: Any, training: bool | None = None) -> Any:
            counted = x[:, :1] * tf.reduce_mean(self.a) + tf.reduce_mean(self.b)
            return tf.concat([counted, tf.matmul(self.dropout(x, training=training), self.w)], axis=1)

    def loss(y: Any, prediction: Any) -> Any:
        # The gradient of every counter is -1, as that of a mean of n entries times n.
        counted, learned = prediction[:, 0], prediction[:, 1]
        return tf.reduce_mean(tf.square(learned - y[:, 0])) / 100.0 - tf.reduce_mean(counted) * count

    model = Learner()
    model.compile(keras.optimizers.SGD(1.0), loss)
    data = shuffled_rows().map(lambda rows: (rows, tf.reduce_sum(rows, axis=1, keepdims=True)))
    keras_legacy_train.fit(model, data, output_dir=directory, max_steps=max_steps, **options)


JOBS: dict[str, Callable[..., None]] = {
    "save": save,
    "train_graph": train_graph,
    "learn_graph": learn_graph,
    "learn_model": learn_model,
}


def run_and_exit(request: dict[str, Any], output: int) -> None:
    """Runs a request in a child process, and ends that."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    if request["kill_before"] is not None:
        kill_before_file_operation(request["kill_before"])
    try:
        JOBS[request["job"]](**request["arguments"])
    except SystemExit as error:
        os._exit(int(error.code or 0))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def handle(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            run_and_exit(request, output.fileno())
        timer = None
        if request["kill_after"] is not None:
            timer = threading.Timer(request["kill_after"], os.kill, (child, request["signal"]))
            timer.start()
        os.waitid(
            os.P_PID, child, os.WEXITED | os.WNOWAIT
        )  # its number stays its own until the timer is done
        if timer is not None:
            timer.cancel()
            timer.join()
        status = os.waitpid(child, 0)[1]
        output.seek(0)
        text = output.read().decode(errors="replace")
    return {"returncode": os.waitstatus_to_exitcode(status), "output": text}


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing else gets between the answers
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(handle(json.loads(line))), file=answers, flush=True)
