"""Runs an Estimator with a model function of its own, the original's or ours, and records what it does.

It works under TensorFlow 1.15.5 and Python 3.7, under TensorFlow 2.15.1 with `tf.estimator`, and here.
"""


import logging
import os
import re
import shutil

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

_RANDOM = np.random.RandomState(3)
ROWS = _RANDOM.randn(10, 3).astype(np.float32)
LABELS = (ROWS.sum(1, keepdims=True) > 0).astype(np.float32)
KERNEL = _RANDOM.randn(3, 4).astype(np.float32)
OUT = _RANDOM.randn(4, 1).astype(np.float32)


class Recorder(v1.train.SessionRunHook):
    """Notes how it is called."""

    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def begin(self):
        self.calls.append("%s begin" % self.name)
        self._step = v1.train.get_global_step()

    def after_create_session(self, session, coord):
        self.calls.append("%s after_create_session %d" % (self.name, session.run(self._step)))

    def before_run(self, run_context):
        self.calls.append("%s before_run" % self.name)

    def after_run(self, run_context, run_values):
        self.calls.append("%s after_run %d" % (self.name, run_context.session.run(self._step)))

    def end(self, session):
        self.calls.append("%s end %d" % (self.name, session.run(self._step)))


class Losses(v1.train.SessionRunHook):
    """Keeps the loss of each step."""

    def __init__(self):
        self.losses = []

    def begin(self):
        self._loss = v1.get_default_graph().get_tensor_by_name("the_loss:0")

    def before_run(self, run_context):
        return v1.train.SessionRunArgs(self._loss)

    def after_run(self, run_context, run_values):
        self.losses.append(float(run_values.results))


class Listener(v1.train.CheckpointSaverListener):
    """Notes how it is called."""

    def __init__(self, calls):
        self.calls = calls

    def begin(self):
        self.calls.append("listener begin")

    def before_save(self, session, global_step_value):
        self.calls.append("listener before_save %d" % global_step_value)

    def after_save(self, session, global_step_value):
        self.calls.append("listener after_save %d" % global_step_value)

    def end(self, session, global_step_value):
        self.calls.append("listener end %d" % global_step_value)


def make_model_fn(estimator, calls):
    """Returns a model function: two layers, trained with momentum."""

    def model_fn(features, labels, mode, params, config):
        assert config.tf_random_seed == 7
        calls.append("model_fn %s" % mode)
        with v1.variable_scope("hidden"):
            kernel = v1.get_variable("kernel", initializer=KERNEL)
            bias = v1.get_variable("bias", [4], initializer=v1.zeros_initializer())
        hidden = tf.nn.relu(tf.matmul(features["x"], kernel) + bias)
        logits = tf.matmul(hidden, v1.get_variable("out", initializer=OUT))
        predictions = {"probability": tf.sigmoid(logits), "class": tf.cast(logits > 0, tf.int64)}
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(
                mode, predictions, prediction_hooks=[Recorder("prediction", calls)]
            )
        loss = tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits), name="the_loss"
        )
        v1.summary.scalar("mean_logit", tf.reduce_mean(logits))
        metrics = {
            "accuracy": v1.metrics.accuracy(labels, predictions["class"]),
            "auc": v1.metrics.auc(labels, predictions["probability"], num_thresholds=20),
        }
        optimizer = v1.train.MomentumOptimizer(params["learning_rate"], 0.9)
        return estimator.EstimatorSpec(
            mode,
            predictions,
            loss,
            optimizer.minimize(loss, v1.train.get_global_step()),
            metrics,
            training_hooks=[Recorder("training", calls)],
            training_chief_hooks=[Recorder("chief", calls)],
            evaluation_hooks=[Recorder("evaluation", calls)],
        )

    return model_fn


def make_random_model_fn(estimator):
    """Returns a model function whose variables begin with random numbers."""

    def model_fn(features, labels, mode):
        logits = tf.matmul(features["x"], v1.get_variable("kernel", [3, 1]))
        loss = tf.reduce_mean(tf.square(logits - labels))
        train_op = v1.train.GradientDescentOptimizer(0.1).minimize(loss, v1.train.get_global_step())
        return estimator.EstimatorSpec(mode, logits, loss, train_op)

    return model_fn


def training_input():
    """Returns batches of two without end."""
    return tf.data.Dataset.from_tensor_slices(({"x": ROWS}, LABELS)).repeat().batch(2)


def evaluation_input():
    """Returns each row once, in batches of four."""
    return tf.data.Dataset.from_tensor_slices(({"x": ROWS}, LABELS)).batch(4)


class Lines(logging.Handler):
    """Collects log lines, without times and directories."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.lines = []

    def emit(self, record):
        line = record.getMessage()
        line = re.sub(r"[^ ']*(model\.ckpt-\d+)", r"DIR/\1", line)
        line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?", "TIME", line)
        line = re.sub(r"\(\d+\.\d+ sec\)", "(SECONDS)", line)
        line = re.sub(r"(global_step/sec|Inference Time) ?: [\d.e+]+s?", r"\1: NUMBER", line)
        self.lines.append(line)


def events(directory):
    """Returns the tags and steps of the summaries in the event files of a directory."""
    found = []
    for name in sorted(os.listdir(directory)):
        if "tfevents" in name:
            for event in v1.train.summary_iterator(os.path.join(directory, name)):
                found.extend([value.tag, event.step] for value in event.summary.value)
    return sorted(found)


def values(model):
    """Returns the values of all variables in the newest checkpoint."""
    return {name: np.asarray(model.get_variable_value(name)).tolist() for name in model.get_variable_names()}


def make(estimator, directory, calls, **config):
    """Returns an Estimator that writes a checkpoint every four steps."""
    settings = {"save_checkpoints_steps": 4, "save_summary_steps": 3, "log_step_count_steps": 2}
    settings.update({"keep_checkpoint_max": 2, "tf_random_seed": 7}, **config)
    return estimator.Estimator(
        make_model_fn(estimator, calls),
        directory,
        estimator.RunConfig(**settings),
        {"learning_rate": 0.2},
    )


def train(model, **arguments):
    """Trains; returns the losses."""
    losses = Losses()
    model.train(training_input, [losses], **arguments)
    return losses.losses


def record(estimator, directory, logger, checkpoint_to=None):
    """Trains, evaluates and predicts; goes on; warm-starts. Returns what can be told of it.

    Args:
        estimator: The module `tf.estimator`, or what stands for it.
        directory: Where to work.
        logger: The name of the logger that tells.
        checkpoint_to: A directory to which the checkpoint of step 6 is copied.
    """
    lines = Lines()
    logging.getLogger(logger).addHandler(lines)
    calls = []
    here = os.path.join(directory, "model")
    model = make(estimator, here, calls)
    result = {"losses": None}
    losses = Losses()
    hooks = [losses, Recorder("user", calls)]
    model.train(training_input, hooks, steps=6, saving_listeners=[Listener(calls)])
    result["losses"] = losses.losses
    result["training calls"], calls[:] = list(calls), []
    result["training log"], lines.lines[:] = list(lines.lines), []
    result["values"] = values(model)
    result["checkpoints"] = sorted(name for name in os.listdir(here) if name.endswith(".index"))
    results = model.evaluate(evaluation_input, hooks=[Recorder("user", calls)], name="rows")
    result["results"] = {name: float(value) for name, value in results.items()}
    result["evaluation calls"], calls[:] = list(calls), []
    result["evaluation log"], lines.lines[:] = list(lines.lines), []
    results = model.evaluate(evaluation_input, steps=2, checkpoint_path=os.path.join(here, "model.ckpt-4"))
    result["results of two batches"] = {name: float(value) for name, value in results.items()}
    calls[:] = []
    predictions = list(model.predict(evaluation_input, hooks=[Recorder("user", calls)]))
    result["predictions"] = {
        name: np.asarray([each[name] for each in predictions]).tolist() for name in ("class", "probability")
    }
    result["prediction calls"], calls[:] = list(calls), []
    result["events"] = events(here)
    result["evaluation events"] = events(model.eval_dir("rows"))
    if checkpoint_to is not None:
        os.makedirs(checkpoint_to)
        for name in os.listdir(here):
            if name == "checkpoint" or name.startswith("model.ckpt-6") and not name.endswith("meta"):
                shutil.copy(os.path.join(here, name), checkpoint_to)

    settings = estimator.WarmStartSettings(
        os.path.join(here, "model.ckpt-6"), "hidden.*", None, {"hidden/bias": "hidden/bias/Momentum"}
    )
    warm = estimator.Estimator(
        make_model_fn(estimator, []),
        os.path.join(directory, "warm"),
        model.config.replace(model_dir=os.path.join(directory, "warm")),
        {"learning_rate": 0.2},
        settings,
    )
    warm.train(training_input, steps=1)
    result["values after a warm start"] = values(warm)

    result["later losses"] = train(model, max_steps=10)
    result["later values"] = values(model)

    random = estimator.Estimator(
        make_random_model_fn(estimator),
        os.path.join(directory, "random"),
        estimator.RunConfig(tf_random_seed=7),
    )
    random.train(training_input, steps=1)
    result["random values"] = values(random)
    logging.getLogger(logger).removeHandler(lines)
    return result
