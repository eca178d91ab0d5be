"""Runs `train_and_evaluate` as the task of the cluster in TF_CONFIG; prints what the task has done.

python estimator_cluster_run.py MODEL_DIR MAX_STEPS

A MAX_STEPS of 0 has an early-stopping hook end the training after the checkpoint of step 200.
"""

import json
import logging
import sys
import time
from pathlib import Path

import tensorflow.compat.v1 as tf

from keras_legacy_train import estimator

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

REPORT = {"own": 0, "chief_hook": 0, "saved": []}


class OwnSteps(tf.train.SessionRunHook):
    """Counts the steps of this process, which it has begin at the same time as those of the others."""

    def __init__(self, config: estimator.RunConfig):
        self.config = config

    def begin(self) -> None:
        self.steps = tf.get_collection("steps")

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        folder = Path(f"{self.config.model_dir}-started")
        folder.mkdir(exist_ok=True)
        (folder / f"{self.config.task_type}-{self.config.task_id}").touch()
        while len(list(folder.iterdir())) < self.config.num_worker_replicas:
            time.sleep(0.05)

    def end(self, session: tf.Session) -> None:
        REPORT["own"], REPORT["shared"] = map(int, session.run(self.steps))


class ChiefHook(tf.train.SessionRunHook):
    """Counts how often it begins."""

    def begin(self) -> None:
        REPORT["chief_hook"] += 1


class Listener(tf.train.CheckpointSaverListener):
    """Notes the steps that are saved."""

    def after_save(self, session: tf.Session, global_step_value: int) -> None:
        REPORT["saved"].append(int(global_step_value))


def model_fn(features, labels, mode, config):
    weights = tf.get_variable("weights", [4, 1], initializer=tf.zeros_initializer())
    bias = tf.get_variable("bias", [1], initializer=tf.zeros_initializer())
    outputs = features["x"] @ weights + bias
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.EstimatorSpec(mode, {"y": outputs})
    loss = tf.reduce_mean(tf.square(outputs - labels))
    step = tf.train.get_global_step()
    with tf.device(f"/job:{config.task_type}/task:{config.task_id}"):
        local = [tf.GraphKeys.LOCAL_VARIABLES]
        own = tf.get_variable("own", [], tf.int64, tf.zeros_initializer(), collections=local)
    tf.add_to_collection("steps", own)
    tf.add_to_collection("steps", step)
    minimize = tf.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    with tf.control_dependencies([minimize]):
        train_op = own.assign_add(1)
    metrics = {"mae": tf.metrics.mean_absolute_error(labels, outputs)}
    return estimator.EstimatorSpec(
        mode, {"y": outputs}, loss, train_op, metrics, training_chief_hooks=[ChiefHook()]
    )


def input_fn():
    def batch(number):
        x = tf.random_uniform([8, 4])
        return {"x": x}, tf.reduce_sum(x, 1, keepdims=True)

    return tf.data.Dataset.range(10**9).map(batch)


def main(model_dir: str, max_steps: str) -> None:
    config = estimator.RunConfig(
        model_dir,
        save_checkpoints_steps=100,
        log_step_count_steps=100,
        experimental_max_worker_delay_secs=0,
        session_creation_timeout_secs=60,
    )
    model = estimator.Estimator(model_fn, config=config)
    hooks = [OwnSteps(config)]
    if max_steps == "0":
        if config.task_type == "worker":
            hooks.append(tf.train.GlobalStepWaiterHook(50))
        enough = estimator.experimental.make_early_stopping_hook(
            model, lambda: max(REPORT["saved"], default=0) >= 200, run_every_secs=None, run_every_steps=50
        )
        hooks.append(enough)
    receiver_fn = estimator.export.build_raw_serving_input_receiver_fn({"x": tf.zeros([1, 4])})
    results = estimator.train_and_evaluate(
        model,
        estimator.TrainSpec(input_fn, int(max_steps) or None, hooks, [Listener()]),
        estimator.EvalSpec(
            input_fn,
            steps=10,
            exporters=[estimator.FinalExporter("final", receiver_fn)],
            start_delay_secs=0,
            throttle_secs=1,
        ),
    )
    assert results is None
    report = dict(REPORT)
    if config.task_type == "chief":
        model.train(input_fn, [OwnSteps(config)], steps=5)
        report["more"] = REPORT["own"]
    print(json.dumps(report), flush=True)


main(*sys.argv[1:])
