"""Trains an Estimator as the task of the cluster in TF_CONFIG; runs under TensorFlow 1.15.5, and here.

python cluster_script.py MODEL_DIR MAX_STEPS
"""

import logging
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf

if tf.__version__.startswith("1."):
    estimator = tf.estimator
else:
    from keras_legacy_train import estimator

    tf = tf.compat.v1

X = [[0.1, 0.2], [0.3, -0.4], [-0.5, 0.6], [0.7, 0.8]]
Y = [[1.0], [2.0], [3.0], [4.0]]


def model_fn(features, labels, mode):
    w = tf.get_variable("w", [2, 1], initializer=tf.zeros_initializer())
    b = tf.get_variable("b", [1], initializer=tf.zeros_initializer())
    outputs = tf.matmul(features["x"], w) + b
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, {"y": outputs})
    loss = tf.reduce_mean(tf.square(outputs - labels))
    train_op = tf.train.MomentumOptimizer(0.01, 0.9).minimize(loss, tf.train.get_global_step())
    metrics = {"mae": tf.metrics.mean_absolute_error(labels, outputs)}
    return estimator.EstimatorSpec(mode, {"y": outputs}, loss, train_op, metrics)


def input_fn():
    return tf.data.Dataset.from_tensors(({"x": X}, Y)).repeat()


def main(model_dir, max_steps):
    config = estimator.RunConfig(model_dir, save_checkpoints_steps=100, experimental_max_worker_delay_secs=0)
    receiver_fn = estimator.export.build_raw_serving_input_receiver_fn(
        {"x": tf.placeholder(tf.float32, [None, 2])}
    )
    estimator.train_and_evaluate(
        estimator.Estimator(model_fn, config=config),
        estimator.TrainSpec(input_fn, max_steps=int(max_steps)),
        estimator.EvalSpec(
            input_fn,
            steps=1,
            exporters=[estimator.FinalExporter("final", receiver_fn)],
            start_delay_secs=0,
            throttle_secs=1,
        ),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    with tf.Graph().as_default():
        main(*sys.argv[1:])
