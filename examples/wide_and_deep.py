"""Tells malignant from benign tumours by a wide and deep model, with a script in the style of 2018.

The wide part sees some measurements in buckets, alone and crossed; the deep part sees all as numbers. The
data are the 569 tumours that come with scikit-learn: 30 measurements of each, and whether it is malignant.

    python examples/wide_and_deep.py --output-dir /tmp/tumours --steps 300
    python examples/wide_and_deep.py --output-dir /tmp/tumours --steps 600     # goes on at step 301
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sklearn.datasets
import tensorflow as tf

from keras_legacy_train import estimator

KINDS = ["malignant", "benign"]
IN_BUCKETS = ["mean_texture", "mean_area", "worst_concavity", "worst_smoothness"]
# Pairs of measurements that mean more together than each by itself.
CROSSED = [("mean_texture", "mean_area"), ("worst_concavity", "worst_smoothness")]


class Table(NamedTuple):
    """Holds measurements `float32[count]` by name, and the kind of each tumour as a string."""

    measurements: dict[str, np.ndarray]
    kinds: np.ndarray


def load_tumours() -> tuple[Table, Table]:
    """Returns the tumours for training and those for the test, always the same ones."""
    data = sklearn.datasets.load_breast_cancer()
    names = [name.replace(" ", "_") for name in data.feature_names]
    order = np.random.RandomState(0).permutation(len(data.target))
    kinds = np.array(KINDS)[data.target]

    def rows(part: np.ndarray) -> Table:
        columns = data.data[part].astype(np.float32).T
        return Table(dict(zip(names, columns, strict=True)), kinds[part])

    training, test = np.split(order, [400])
    return rows(training), rows(test)


def feature_columns(table: Table) -> tuple[list[Any], list[Any]]:
    """Returns the columns of the wide and those of the deep part."""
    deep = []
    for name, values in table.measurements.items():
        mean, deviation = values.mean(), values.std()
        deep.append(
            tf.feature_column.numeric_column(
                name, normalizer_fn=lambda x, mean=mean, deviation=deviation: (x - mean) / deviation
            )
        )
    buckets = {}
    for name in IN_BUCKETS:
        quartiles = [float(value) for value in np.percentile(table.measurements[name], [25, 50, 75])]
        buckets[name] = tf.feature_column.bucketized_column(tf.feature_column.numeric_column(name), quartiles)
    wide = list(buckets.values())
    for names in CROSSED:
        wide.append(tf.feature_column.crossed_column([buckets[name] for name in names], 50))
    return wide, deep


def reader(table: Table, training: bool) -> Callable[[], tf.data.Dataset]:
    """Returns an input function: endless and shuffled for training, else every row once."""

    def input_fn() -> tf.data.Dataset:
        rows = tf.data.Dataset.from_tensor_slices((table.measurements, table.kinds))
        if training:
            rows = rows.shuffle(len(table.kinds), seed=1).repeat()
        return rows.batch(50)

    return input_fn


def build_model(output_dir: str, table: Table) -> estimator.DNNLinearCombinedClassifier:
    wide, deep = feature_columns(table)
    return estimator.DNNLinearCombinedClassifier(
        model_dir=output_dir,
        linear_feature_columns=wide,
        linear_optimizer=tf.compat.v1.train.FtrlOptimizer(0.05, l1_regularization_strength=0.01),
        dnn_feature_columns=deep,
        dnn_optimizer=tf.compat.v1.train.AdagradOptimizer(0.05),
        dnn_hidden_units=[32, 16],
        dnn_dropout=0.1,
        label_vocabulary=KINDS,
        config=estimator.RunConfig(tf_random_seed=1),
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output-dir", help="where to write checkpoints and summaries; default: a new one")
    parser.add_argument("--steps", type=int, default=600, help="the step to train to")
    parser.add_argument("--at-least", type=float, default=0.95, help="the accuracy below which it fails")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    output_dir = arguments.output_dir or os.path.join(tempfile.gettempdir(), "keras_legacy_train_tumours")
    training, test = load_tumours()

    model = build_model(output_dir, training)
    model.train(reader(training, training=True), max_steps=arguments.steps)
    results = model.evaluate(reader(test, training=False))
    for name in ("accuracy", "auc", "precision", "recall"):
        print(f"{name} on {len(test.kinds)} held-out tumours: {results[name]:.3f}")

    outputs = list(model.predict(reader(test, training=False), predict_keys=["classes", "probabilities"]))
    doubtful = min(outputs, key=lambda output: max(output["probabilities"]))
    print(
        f"The most doubtful one: {doubtful['classes'][0].decode()}, with a probability of"
        f" {max(doubtful['probabilities']):.2f}"
    )
    if results["accuracy"] < arguments.at_least:
        sys.exit(f"That is less than {arguments.at_least:.1%}.")


if __name__ == "__main__":
    main()
