"""Measures an Estimator against the original, `tf.estimator` of TensorFlow 2.15.1.

    python benchmarks/estimators.py                    # every measurement, with both
    python benchmarks/estimators.py evaluate predict   # these
    python benchmarks/estimators.py evaluate --rounds 3

- train: microseconds a step of a linear model on batches of two, at all defaults.
- linear, softmax, mlp, conv, embedding, lstm: the same for the workloads of `run.py`.
- evaluate: seconds of an evaluation over 10,000 batches of two, with two metrics.
- again: seconds of the same evaluation over 10 batches, when it has been made before.
- train_and_evaluate: seconds of 1,000 steps, with a checkpoint and an evaluation over 10 batches every 50.
- train_and_evaluate_dnn: the same for a DNNClassifier.
- first_step: seconds from making a DNNClassifier to the end of its first step.
- start: the same for a model_fn that makes a graph of 10,000 nodes.
- predict: seconds of 100,000 predictions of one example, and the megabytes by which memory has grown.

For `train`, `softmax` and `evaluate` the results also say what it takes here if the model_fn computes nothing
of the batch ("reading"): no model on this dataset can be faster.

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
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Steps of the workloads, which take some seconds.
WORKLOAD_STEPS = {
    "linear": 100_000,
    "softmax": 60_000,
    "mlp": 1_000,
    "conv": 2_000,
    "embedding": 2_000,
    "lstm": 2_000,
}
MEASUREMENTS = (
    "train",
    *WORKLOAD_STEPS,
    "evaluate",
    "again",
    "train_and_evaluate",
    "train_and_evaluate_dnn",
    "first_step",
    "start",
    "predict",
)
# Those with steps so small that reading the batch is much of them.
READ = ("train", "softmax", "evaluate")
BATCHES, EXAMPLES, STEPS, NODES = 10_000, 100_000, 100_000, 10_000


def measure(program: str, measurement: str) -> dict[str, float]:
    """Measures in this process.

    Args:
        program: "ours", "original" or "reading".
        measurement: One of `MEASUREMENTS`.
    """
    import numpy as np
    import tensorflow as tf

    tf1 = tf.compat.v1
    if program == "original":
        estimator = tf1.estimator
    else:
        from keras_legacy_train import estimator

    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        weights = tf1.get_variable("weights", [4, 1], initializer=tf1.zeros_initializer())
        outputs = tf.matmul(features["x"], weights)
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(mode, {"y": outputs})
        metrics = {
            "mae": tf1.metrics.mean_absolute_error(labels, outputs),
            "mean": tf1.metrics.mean(outputs),
        }
        return spec(mode, tf.reduce_mean(tf.square(outputs - labels)), metrics)

    def spec(mode: str, loss: Any, metrics: Any = None) -> Any:
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

    def classes(count: int | None) -> tf.data.Dataset:
        return batches(count, 2).map(lambda x, y: (x, tf.cast(y > 2, tf.float32)))

    def classifier(directory: str, config: Any = None) -> Any:
        columns = [tf.feature_column.numeric_column("x", [4])]
        return estimator.DNNClassifier([64, 64], columns, directory, config=config)

    def microseconds_a_step(model: Any, input_fn: Any, steps: int) -> dict[str, float]:
        model.train(input_fn, steps=100)
        began = time.perf_counter()
        model.train(input_fn, steps=steps)
        return {"microseconds a step": (time.perf_counter() - began) / steps * 1e6}

    def reading_fn(features: Any, labels: Any, mode: str) -> Any:
        with tf.control_dependencies(tf.nest.flatten((features, labels))):
            train_op = tf1.train.get_global_step().assign_add(1)
            return estimator.EstimatorSpec(mode, loss=tf.zeros([]), train_op=train_op)

    def deep_model_fn(features: Any, labels: Any, mode: str) -> Any:
        weight = tf1.get_variable("weights", [4, 1])
        outputs = tf.matmul(features["x"], weight)
        while len(tf1.get_default_graph().get_operations()) < NODES // 4:  # the others are gradients
            outputs = tf.tanh(outputs + 1.0)
        return spec(mode, tf.reduce_mean(tf.square(outputs - labels)))

    def workload_fn(features: Any, labels: Any, mode: str) -> Any:
        loss = graphs.loss(measurement, features, labels)
        return estimator.EstimatorSpec(mode, loss=loss, train_op=graphs.minimize(measurement, loss))

    with tempfile.TemporaryDirectory() as directory:
        if measurement in WORKLOAD_STEPS:
            from workloads import WORKLOADS, graphs

            reads = graphs.dataset if WORKLOADS[measurement].source == "dataset" else graphs.inputs
            return microseconds_a_step(
                estimator.Estimator(reading_fn if program == "reading" else workload_fn, directory),
                lambda: reads(measurement),
                WORKLOAD_STEPS[measurement],
            )
        if measurement in ("first_step", "start"):
            began = time.perf_counter()
            if measurement == "start":
                model = estimator.Estimator(deep_model_fn, directory)
            else:
                model = classifier(directory)
            model.train(lambda: classes(None), steps=1)
            return {"seconds": time.perf_counter() - began}
        if measurement.startswith("train_and_evaluate"):
            config = estimator.RunConfig(save_checkpoints_steps=50)
            input_fn = (lambda count: batches(count, 2)) if measurement == "train_and_evaluate" else classes
            train_spec = estimator.TrainSpec(lambda: input_fn(None), max_steps=1_000)
            eval_spec = estimator.EvalSpec(lambda: input_fn(10), throttle_secs=0)
            began = time.perf_counter()
            if measurement == "train_and_evaluate":
                model = estimator.Estimator(model_fn, directory, config)
            else:
                model = classifier(directory, config)
            estimator.train_and_evaluate(model, train_spec, eval_spec)
            return {"seconds": time.perf_counter() - began}
        model = estimator.Estimator(reading_fn if program == "reading" else model_fn, directory)
        if measurement == "train":
            return microseconds_a_step(model, lambda: batches(None, 2), STEPS)
        model.train(lambda: batches(None, 2), steps=100)
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
    from workloads import DIGITS_VARIABLE, save_digits

    digits = environments.ROOT / "build" / "benchmarks" / "digits.npz"
    digits.parent.mkdir(parents=True, exist_ok=True)
    save_digits(str(digits))
    os.environ[DIGITS_VARIABLE] = str(digits)
    pythons = {"ours": sys.executable, "original": environments.interpreter("estimator")}
    for measurement in arguments.measurements:
        best: dict[str, dict[str, float]] = {}
        programs = dict(pythons, reading=sys.executable) if measurement in READ else pythons
        for _ in range(arguments.rounds):
            for program, python in programs.items():
                command = [python, __file__, measurement, "--program", program]
                ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found = json.loads(ended.stdout.splitlines()[-1])
                if program not in best or next(iter(found.values())) < next(iter(best[program].values())):
                    best[program] = found
        ours, original = (next(iter(best[program].values())) for program in pythons)
        print(json.dumps({"measurement": measurement, **best, "ratio": original / ours}), flush=True)


if __name__ == "__main__":
    main()
