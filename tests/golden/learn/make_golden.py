"""Records what the original `tf.contrib.learn` does with the programs of `learn_cases.py`.

Runs under TensorFlow 1.15.5 (Python 3.7; see ../make_golden.py):

    python make_golden.py [CASE ...]

Each CASE.json has what the estimator answers after five more steps from the checkpoint in CASE/, which the
original wrote after one step. `feeds.json` has what its data feeder feeds, `validated.json` what a
ValidationMonitor saw, `fresh.json` the calls of a monitor and the losses of a training from nothing,
`centered.json` names of variables.
"""
import json
import os
import shutil
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
HERE = os.path.dirname(os.path.abspath(__file__))

import learn_cases
import tensorflow as tf
from tensorflow.contrib import learn
from tensorflow.contrib.learn.python.learn.learn_io import data_feeder

tf.logging.set_verbosity(tf.logging.ERROR)


def write(name, value):
    with open(os.path.join(HERE, name + ".json"), "w") as file:
        json.dump(learn_cases.plain(value), file, indent=0, sort_keys=True)


def record(name):
    with tempfile.TemporaryDirectory() as model_dir:
        estimator = learn_cases.CASES[name][0](learn, model_dir)
        learn_cases.fit(estimator, name, 1)
        start = os.path.join(HERE, name)
        shutil.rmtree(start, ignore_errors=True)
        os.makedirs(start)
        newest = os.path.basename(tf.train.latest_checkpoint(model_dir))
        for file in os.listdir(model_dir):
            if file.startswith(newest + ".") and not file.endswith(".meta"):
                shutil.copy(os.path.join(model_dir, file), start)
        with open(os.path.join(start, "checkpoint"), "w") as file:
            file.write('model_checkpoint_path: "%s"\nall_model_checkpoint_paths: "%s"\n' % (newest, newest))
        learn_cases.fit(estimator, name, 5)
        write(name, learn_cases.observe(learn, estimator, name))


def record_fresh():
    calls = learn_cases.Calls(learn)
    with tempfile.TemporaryDirectory() as model_dir:
        estimator = learn_cases.custom(learn, model_dir)
        learn_cases.fit(estimator, "custom", 4, [calls.monitor])
        estimator.fit(learn_cases.X, learn_cases.LABELS["kind"], max_steps=6, monitors=[calls.monitor])
    write("fresh", calls.calls)


def record_feeds():
    recorded = {}
    for name, ((x, y, batch_size, shuffle, epochs), count) in learn_cases.feeds().items():
        with tf.Graph().as_default():
            feeder = data_feeder.setup_train_data_feeder(x, y, None, batch_size, shuffle, epochs)
            inputs = feeder.input_builder()
            feed_fn = feeder.get_feed_dict_fn()
            seen = []
            for _ in range(count):
                try:
                    seen.append(learn_cases.plain(feed_fn()))
                except StopIteration:
                    seen.append("StopIteration")
                    break
            specs = [[t.dtype.name, t.shape.as_list()] for t in tf.nest.flatten([i for i in inputs if i is not None])]
        recorded[name] = {"feeds": seen, "specs": specs}
    write("feeds", recorded)


def record_validated():
    with tempfile.TemporaryDirectory() as model_dir:
        write("validated", learn_cases.validated(learn, model_dir))


def record_centered():
    with tempfile.TemporaryDirectory() as model_dir:
        write("centered", learn_cases.centered(learn, model_dir))


EXTRA = {"centered": record_centered, "fresh": record_fresh, "feeds": record_feeds, "validated": record_validated}
for name in sys.argv[1:] or [*EXTRA, *learn_cases.CASES]:
    print(name, flush=True)
    EXTRA[name]() if name in EXTRA else record(name)
