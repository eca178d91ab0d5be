"""Runs a `tf.contrib.learn` experiment as the task of the cluster in TF_CONFIG.

python experiment_cluster_run.py MODEL_DIR TRAIN_STEPS
"""

import json
import logging
import sys

import tensorflow.compat.v1 as tf

from keras_legacy_train import learn

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")


def model_fn(features, labels, mode):
    weight = tf.get_variable("weight", [], initializer=tf.zeros_initializer())
    loss = tf.reduce_mean(tf.square(weight * features["x"] - labels))
    optimizer = tf.train.GradientDescentOptimizer(0.01)
    train_op = optimizer.minimize(loss, tf.train.get_global_step())
    return learn.ModelFnOps(mode, {"y": weight * features["x"]}, loss, train_op)


def input_fn():
    return {"x": tf.constant([1.0, 2.0])}, tf.constant([3.0, 6.0])


def experiment_fn(run_config, hparams):
    return learn.Experiment(
        learn.Estimator(model_fn, config=run_config),
        input_fn,
        input_fn,
        train_steps=int(sys.argv[2]),
        eval_steps=1,
        min_eval_frequency=100,
    )


config = learn.RunConfig(model_dir=sys.argv[1], session_creation_timeout_secs=60)
results = learn.learn_runner.run(experiment_fn, run_config=config)
loss = float(results[0]["loss"]) if isinstance(results, tuple) else None
print(json.dumps({"loss": loss}), flush=True)
