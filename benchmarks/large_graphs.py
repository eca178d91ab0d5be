"""Measures the start of large graphs, and the memory of a large variable, against TensorFlow 1.15.5.

    python benchmarks/large_graphs.py                # everything, with both
    python benchmarks/large_graphs.py 10000 memory --rounds 3

- 10000, 100000: a chain of layers with about so many nodes.
- bert: the training of a narrow transformer with Adam, of as many nodes as that of BERT-base has.
- memory: an embedding of 1 GB with sparse updates: needs 4 GB.

For each it prints the seconds from calling `train` to the end of the first step and of the hundredth, and the
largest memory of the process in MB. Each measurement is a process of its own, and the programs take turns.
`environments` says which interpreters they run in. Run nothing else beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Seconds after which a measurement has failed.
TIMEOUT = 900
STEPS = 100


def chain(tf: Any, nodes: int) -> Any:
    """Returns the loss of a chain of layers over 16 variables; with its gradient it has so many nodes."""
    weights = [tf.get_variable(f"weight{index}", [4]) for index in range(16)]
    hidden = tf.ones([4])
    while len(tf.get_default_graph().get_operations()) < nodes / 3:  # the gradient has two for each of them
        for weight in weights:
            hidden = tf.tanh(hidden * weight)
    return tf.reduce_mean(hidden)


def transformer(tf: Any, layers: int = 24, width: int = 32, heads: int = 4) -> Any:
    """Returns the loss of a transformer that predicts the tokens it is given."""
    batch, length, words = 4, 16, 100

    def dense(x: Any, units: int, name: str) -> Any:
        with tf.variable_scope(name):
            kernel = tf.get_variable("kernel", [x.shape[-1], units])
            flat = tf.reshape(x, [-1, int(x.shape[-1])])
            added = tf.matmul(flat, kernel) + tf.get_variable("bias", [units])
            return tf.reshape(added, [batch, length, units])

    def normalized(x: Any, name: str) -> Any:
        with tf.variable_scope(name):
            mean, variance = tf.nn.moments(x, [-1], keep_dims=True)
            scale, shift = tf.get_variable("scale", [width]), tf.get_variable("shift", [width])
            return (x - mean) * tf.rsqrt(variance + 1e-6) * scale + shift

    def split(x: Any) -> Any:
        return tf.transpose(tf.reshape(x, [batch, length, heads, width // heads]), [0, 2, 1, 3])

    tokens = tf.random_uniform([batch, length], maxval=words, dtype=tf.int32)
    table = tf.get_variable("embedding", [words, width])
    hidden = tf.nn.embedding_lookup(table, tokens)
    for number in range(layers):
        with tf.variable_scope(f"layer{number}"):
            query, key, value = (split(dense(hidden, width, name)) for name in ("query", "key", "value"))
            attention = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) * 0.1)
            attention = tf.nn.dropout(attention, keep_prob=0.9)
            context = tf.transpose(tf.matmul(attention, value), [0, 2, 1, 3])
            attended = dense(tf.reshape(context, [batch, length, width]), width, "output")
            hidden = normalized(hidden + tf.nn.dropout(attended, keep_prob=0.9), "norm1")
            inner = dense(hidden, 4 * width, "inner")
            inner = inner * 0.5 * (1.0 + tf.tanh(0.8 * (inner + 0.04 * tf.pow(inner, 3))))
            outer = tf.nn.dropout(dense(inner, width, "outer"), keep_prob=0.9)
            hidden = normalized(hidden + outer, "norm2")
    logits = dense(hidden, words, "logits")
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tokens, logits=logits))


def embedding(tf: Any, gigabytes: float = 1.0) -> Any:
    """Returns a loss over a few rows of a large variable."""
    rows = int(gigabytes * 2**30 / 4 / 256)
    table = tf.get_variable("table", [rows, 256], initializer=tf.zeros_initializer())
    ids = tf.random_uniform([256], maxval=rows, dtype=tf.int32)
    return tf.reduce_mean(tf.square(tf.nn.embedding_lookup(table, ids) - 1.0))


LOSSES: dict[str, Callable[[Any], Any]] = {
    "10000": lambda tf: chain(tf, 10_000),
    "100000": lambda tf: chain(tf, 100_000),
    "bert": transformer,
    "memory": embedding,
}


def build(tf: Any, name: str) -> tuple[Any, Any, Any]:
    """Returns a graph, its `train_op` and its loss."""
    with tf.Graph().as_default() as graph:
        loss = LOSSES[name](tf)
        step = tf.train.get_or_create_global_step()
        adam = tf.train.AdamOptimizer(1e-3)
        optimizer = adam if name == "bert" else tf.train.GradientDescentOptimizer(0.1)
        train_op = optimizer.minimize(loss, global_step=step)
    return graph, train_op, loss


def measure_ours(name: str) -> dict[str, Any]:
    """Trains by this package."""
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import callbacks, train

    ended: dict[str, float] = {}

    class Clock(callbacks.LoopCallback):
        """Notes when the first and the last step have ended."""

        def on_steps_end(self, steps: Any) -> None:
            """Notes the time."""
            ended.setdefault("first", time.perf_counter())
            ended["last"] = time.perf_counter()

    graph, train_op, loss = build(tf, name)
    with tempfile.TemporaryDirectory() as directory:
        began = time.perf_counter()
        train(graph, directory, train_op, loss, callbacks=[Clock()], steps=STEPS, progress_bar=False)
    return _results(graph, began, ended)


def measure_original(name: str) -> dict[str, Any]:
    """Trains by `tf.contrib.learn.train`."""
    import tensorflow as tf
    from tensorflow.contrib import learn

    tf.logging.set_verbosity(tf.logging.ERROR)
    ended: dict[str, float] = {}

    class Clock(learn.monitors.BaseMonitor):
        """Notes when the first and the last step have ended."""

        def step_end(self, step: int, output: Any) -> None:
            """Notes the time."""
            ended.setdefault("first", time.perf_counter())
            ended["last"] = time.perf_counter()

    graph, train_op, loss = build(tf, name)
    with tempfile.TemporaryDirectory() as directory:
        began = time.perf_counter()
        learn.train(graph, directory, train_op, loss, monitors=[Clock()], steps=STEPS)
    return _results(graph, began, ended)


def _results(graph: Any, began: float, ended: dict[str, float]) -> dict[str, Any]:
    return {
        "nodes": len(graph.get_operations()),
        "first_step_seconds": round(ended["first"] - began, 2),
        "hundredth_step_seconds": round(ended["last"] - began, 2),
        "largest_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="*", help="what to measure; everything by default")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--inner", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.name) - set(LOSSES))
    if unknown:
        parser.error(f"There is no {', '.join(unknown)}; there are {', '.join(LOSSES)}.")
    if arguments.inner:
        measure = measure_ours if arguments.inner == "today" else measure_original
        print(json.dumps(measure(arguments.name[0])))
        return
    import environments

    for name in arguments.name or LOSSES:
        for _ in range(arguments.rounds):
            for environment in ("today", "tf1"):
                command = [environments.interpreter(environment), __file__, name, "--inner", environment]
                done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT)
                print(json.dumps({name: environment, **json.loads(done.stdout.splitlines()[-1])}), flush=True)


if __name__ == "__main__":
    main()
