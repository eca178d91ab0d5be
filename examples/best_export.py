"""Trains an Estimator on handwritten digits, exports the best model, and has another process serve it.

`train_and_evaluate` evaluates the checkpoints. After each evaluation `BestExporter` exports the model if it
is more accurate than all before. `serve.py` loads the SavedModel and classifies digits that are new to it.

    python examples/best_export.py --output-dir /tmp/best_export
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from digits import CLASSES, PIXELS, Digits, dense, load_digits, parse_arguments, report
from keras_legacy_train import estimator

EVALUATE_EVERY_STEPS = 200


def model_fn(features: dict[str, tf.Tensor], labels: tf.Tensor | None, mode: str) -> estimator.EstimatorSpec:
    hidden = tf.nn.relu(dense(features["pixels"], 64, "hidden"))
    logits = dense(hidden, CLASSES, "logits")
    predictions = {"digit": tf.argmax(logits, axis=1), "probabilities": tf.nn.softmax(logits)}
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, predictions)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    accuracy = tf.metrics.accuracy(labels, predictions["digit"])
    train_op = tf.train.AdamOptimizer(0.003).minimize(loss, tf.train.get_global_step())
    return estimator.EstimatorSpec(mode, predictions, loss, train_op, {"accuracy": accuracy})


def is_more_accurate(best_eval_result: Mapping[str, Any], current_eval_result: Mapping[str, Any]) -> bool:
    return bool(current_eval_result["accuracy"] > best_eval_result["accuracy"])


def train_and_export(training: Digits, validation: Digits, output_dir: str, steps: int) -> Path:
    """Returns the directory of the newest export, which is the best."""
    images, labels = {"pixels": training.images}, training.labels
    train_spec = estimator.TrainSpec(
        estimator.inputs.numpy_input_fn(images, labels, batch_size=50, num_epochs=None, shuffle=True),
        max_steps=steps,
    )
    placeholders = {"pixels": np.zeros([1, PIXELS], np.float32)}
    exporter = estimator.BestExporter(
        "best",
        estimator.export.build_raw_serving_input_receiver_fn(placeholders),
        compare_fn=is_more_accurate,
        exports_to_keep=2,
    )
    eval_spec = estimator.EvalSpec(
        estimator.inputs.numpy_input_fn({"pixels": validation.images}, validation.labels, shuffle=False),
        steps=None,
        exporters=exporter,
        throttle_secs=0,
    )
    config = estimator.RunConfig(tf_random_seed=1, save_checkpoints_steps=EVALUATE_EVERY_STEPS)
    model = estimator.Estimator(model_fn, output_dir, config)
    estimator.train_and_evaluate(model, train_spec, eval_spec)
    return max(Path(output_dir, "export", "best").iterdir())


def serve(saved_model: Path, images: np.ndarray) -> np.ndarray:
    """Returns the digits that another process sees in images."""
    with tempfile.TemporaryDirectory() as directory:
        inputs, outputs = (os.path.join(directory, name) for name in ("inputs.npz", "outputs.npz"))
        np.savez(inputs, pixels=images)
        script = Path(__file__).with_name("serve.py")
        subprocess.run([sys.executable, script, saved_model, inputs, outputs], check=True)
        with np.load(outputs) as answers:
            digits: np.ndarray = answers["digit"]
            return digits


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments("best_export", "Exports the best model, and serves it.", arguments)
    training, validation, test = load_digits()
    best = train_and_export(training, validation, options.output_dir, options.steps)
    print(f"Serving {best}")
    report(float(np.mean(serve(best, test.images) == test.labels)), test, options.at_least)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.WARNING)
    main()
