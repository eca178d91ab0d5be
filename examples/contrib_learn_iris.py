"""Classifies irises with a script of 2016: an Estimator of `tf.contrib.learn`, and a ValidationMonitor.

Of that script only the import has changed; it read `from tensorflow.contrib import learn`. The data are the
150 flowers that come with scikit-learn.

    python examples/contrib_learn_iris.py --output-dir /tmp/irises
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence

import numpy as np
import sklearn.datasets
import tensorflow.compat.v1 as tf

from keras_legacy_train import learn


def load_irises() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns measurements and species of 100 flowers for training and of 50 for the test."""
    measurements, species = sklearn.datasets.load_iris(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(species))
    x, y = measurements[order].astype(np.float32), species[order].astype(np.int64)
    return x[:100], y[:100], x[100:], y[100:]


def train_and_test(output_dir: str) -> float:
    """Trains until the test accuracy gets no better, and returns it."""
    x_train, y_train, x_test, y_test = load_irises()
    validation_metrics = {
        "accuracy": learn.MetricSpec(metric_fn=tf.metrics.accuracy, prediction_key="classes"),
    }
    validation_monitor = learn.monitors.ValidationMonitor(
        x_test,
        y_test,
        every_n_steps=100,
        metrics=validation_metrics,
        early_stopping_metric="loss",
        early_stopping_metric_minimize=True,
        early_stopping_rounds=200,
        check_interval_secs=None,
    )
    classifier = learn.DNNClassifier(
        feature_columns=learn.infer_real_valued_columns_from_input(x_train),
        hidden_units=[10, 20, 10],
        n_classes=3,
        model_dir=output_dir,
        config=learn.RunConfig(save_checkpoints_steps=100, save_checkpoints_secs=None, tf_random_seed=0),
    )
    classifier.fit(x=x_train, y=y_train, steps=2000, monitors=[validation_monitor])

    accuracy = float(classifier.evaluate(x=x_test, y=y_test)["accuracy"])
    print(f"Accuracy: {accuracy:f}")
    new_samples = np.array([[6.4, 3.2, 4.5, 1.5], [5.8, 3.1, 5.0, 1.7]], dtype=np.float32)
    print(f"Predictions: {list(classifier.predict_classes(new_samples))}")
    return accuracy


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", help="directory of the checkpoints; by default a temporary one")
    parser.add_argument("--at-least", type=float, default=0.9, help="accuracy below which it is a failure")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    accuracy = train_and_test(options.output_dir or tempfile.mkdtemp())
    if accuracy < options.at_least:
        sys.exit(f"That is less than {options.at_least:.1%}.")


if __name__ == "__main__":
    main()
