"""Measures an Estimator against the original, `tf.estimator` of TensorFlow 2.15.1.

    python benchmarks/estimators.py                    # every measurement, with both
    python benchmarks/estimators.py evaluate predict   # these
    python benchmarks/estimators.py evaluate --rounds 3

- train: microseconds a step of a linear model, at all defaults.
- evaluate: seconds of an evaluation over 10,000 batches of two, with two metrics.
- again: seconds of the same evaluation over 10 batches, when it has been made before.
- train_and_evaluate: seconds of 1,000 steps, with a checkpoint and an evaluation over 10 batches every 50.
- predict: seconds of 100,000 predictions of one example, and the megabytes by which memory has grown.

Each measurement is a process of its own. The programs take turns, so that a slow minute of the machine slows
both. `environments` says which interpreters they run in. Run nothing else beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

MEASUREMENTS = ("train", "evaluate", "again", "train_and_evaluate", "predict")
BATCHES, EXAMPLES, STEPS = 10_000, 100_000, 20_000


def measure(program: str, measurement: str) -> dict[str, float]:
    """Measures in this process.

    Args:
        program: "ours" or "original".
        measurement: One of `MEASUREMENTS`.
    """
    import numpy as np
    import tensorflow as tf

    tf1 = tf.compat.v1
    if program == "ours":
        from keras_legacy_train import estimator
    else:
        estimator = tf1.estimator

    def model_fn(features, labels, mode):  # type: ignore[no-untyped-def]
        weights = tf1.get_variable("weights", [4, 1], initializer=tf1.zeros_initializer())
        outputs = tf.matmul(features["x"], weights)
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(mode, {"y": outputs})
        loss = tf.reduce_mean(tf.square(outputs - labels))
        metrics = {
            "mae": tf1.metrics.mean_absolute_error(labels, outputs),
            "mean": tf1.metrics.mean(outputs),
        }
        train_op = tf1.train.GradientDescentOptimizer(0.01).minimize(loss, tf1.train.get_global_step())
        return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)

    rows = np.random.default_rng(0).random([1_000, 4], np.float32)
    labels = rows.sum(1, keepdims=True)

    def batches(count: int | None, size: int) -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_tensor_slices(({"x": rows}, labels)).repeat().batch(size)
        return dataset if count is None else dataset.take(count)

    def memory() -> float:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 2**20

    with tempfile.TemporaryDirectory() as directory:
        if measurement == "train_and_evaluate":
            config = estimator.RunConfig(save_checkpoints_steps=50)
            train_spec = estimator.TrainSpec(lambda: batches(None, 2), max_steps=1_000)
            eval_spec = estimator.EvalSpec(lambda: batches(10, 2), throttle_secs=0)
            began = time.perf_counter()
            estimator.train_and_evaluate(
                estimator.Estimator(model_fn, directory, config), train_spec, eval_spec
            )
            return {"seconds": time.perf_counter() - began}
        model = estimator.Estimator(model_fn, directory)
        model.train(lambda: batches(None, 2), steps=100)
        if measurement == "train":
            began = time.perf_counter()
            model.train(lambda: batches(None, 2), steps=STEPS)
            return {"microseconds a step": (time.perf_counter() - began) / STEPS * 1e6}
        if measurement == "evaluate":
            began = time.perf_counter()
            model.evaluate(lambda: batches(BATCHES, 2))
            return {"seconds": time.perf_counter() - began}
        if measurement == "again":
            model.evaluate(lambda: batches(10, 2))
            began = time.perf_counter()
            for _ in range(5):
                model.evaluate(lambda: batches(10, 2))
            return {"seconds": (time.perf_counter() - began) / 5}
        began, start, most = time.perf_counter(), memory(), 0.0
        for number, _ in enumerate(model.predict(lambda: batches(EXAMPLES, 1))):
            if number == EXAMPLES // 10:
                start = memory()
            if number % 1_000 == 0:
                most = max(most, memory())
        return {"seconds": time.perf_counter() - began, "megabytes": most - start}


def main() -> None:
    """Runs the measurements in processes of their own, and prints what they are and their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("measurements", nargs="*", default=MEASUREMENTS, metavar="measurement")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--program", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.program:
        print(json.dumps(measure(arguments.program, arguments.measurements[0])))
        return
    import environments

    pythons = {"ours": sys.executable, "original": environments.interpreter("estimator")}
    for measurement in arguments.measurements:
        best: dict[str, dict[str, float]] = {}
        for _ in range(arguments.rounds):
            for program, python in pythons.items():
                command = [python, __file__, measurement, "--program", program]
                ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found = json.loads(ended.stdout.splitlines()[-1])
                if program not in best or next(iter(found.values())) < next(iter(best[program].values())):
                    best[program] = found
        ours, original = (next(iter(best[program].values())) for program in pythons)
        print(json.dumps({"measurement": measurement, **best, "ratio": original / ours}), flush=True)


if __name__ == "__main__":
    main()
