"""Classifies handwritten digits with an Estimator of 2018: a model_fn of convolutions.

Of such a script only imports have changed: `estimator` was `tf.estimator`, and `tf_layers` was `tf.layers`.
The data are the 1,797 scanned digits that come with scikit-learn.

    python examples/custom_model_fn.py --output-dir /tmp/convolutions --steps 1000
    python examples/custom_model_fn.py --output-dir /tmp/convolutions --steps 2000     # goes on at step 1001
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from digits import CLASSES, Digits, load_digits, parse_arguments, report
from keras_legacy_train import estimator, tf_layers

BATCH_SIZE = 50


def network(images: tf.Tensor, training: bool, params: Mapping[str, Any]) -> tf.Tensor:
    """Builds two convolutions and a hidden layer, and returns the logits `float32[count, 10]`."""
    x = tf.reshape(images, [-1, 8, 8, 1])
    for filters in params["filters"]:
        x = tf_layers.conv2d(x, filters, kernel_size=3, padding="same", use_bias=False)
        x = tf.nn.relu(tf_layers.batch_normalization(x, momentum=0.9, training=training))
        x = tf_layers.max_pooling2d(x, pool_size=2, strides=2)
    x = tf_layers.dense(tf_layers.flatten(x), params["units"], activation=tf.nn.relu)
    x = tf_layers.dropout(x, rate=params["dropout_rate"], training=training)
    return tf_layers.dense(x, CLASSES, name="logits")


def model_fn(
    features: Mapping[str, tf.Tensor], labels: tf.Tensor | None, mode: str, params: Mapping[str, Any]
) -> estimator.EstimatorSpec:
    logits = network(features["images"], mode == estimator.ModeKeys.TRAIN, params)
    predictions = {"class": tf.argmax(logits, axis=1), "probabilities": tf.nn.softmax(logits)}
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, predictions)

    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    if mode == estimator.ModeKeys.EVAL:
        accuracy = tf.metrics.accuracy(labels, predictions["class"])
        return estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops={"accuracy": accuracy})

    optimizer = tf.train.AdamOptimizer(params["learning_rate"])
    # The averages of batch_normalization move with each step.
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_op = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn(digits: Digits, training: bool = False) -> Callable[[], tf.data.Dataset]:
    """Returns a function that makes batches of digits: endless and shuffled ones in training."""

    def dataset() -> tf.data.Dataset:
        examples = tf.data.Dataset.from_tensor_slices(({"images": digits.images}, digits.labels))
        if training:
            examples = examples.shuffle(len(digits.labels)).repeat()
        return examples.batch(BATCH_SIZE)

    return dataset


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse_arguments("convolutions", "Trains an Estimator with convolutions.", arguments)
    training, validation, test = load_digits()
    classifier = estimator.Estimator(
        model_fn,
        model_dir=options.output_dir,
        config=estimator.RunConfig(tf_random_seed=1, log_step_count_steps=500),
        params={"filters": (16, 32), "units": 64, "dropout_rate": 0.4, "learning_rate": 0.003},
    )
    classifier.train(input_fn(training, training=True), max_steps=options.steps)
    metrics = classifier.evaluate(input_fn(validation))
    print(f"Step {metrics['global_step']}: validation accuracy = {metrics['accuracy']:.1%}")
    predicted = [each["class"] for each in classifier.predict(input_fn(test), predict_keys="class")]
    report(float(np.mean(np.equal(predicted, test.labels))), test, options.at_least)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
