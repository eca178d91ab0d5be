"""Records what canned Estimators of TensorFlow 1.15.5 and 2.15.1 do.

    python make_canned.py OUT_DIR [CASE ...]

Under TensorFlow 1.15.5 it records the classes of `tf.estimator` of that time (`tf1`), under 2.15.1 those of
`tf.estimator` then (`tf2`). For each case it writes OUT_DIR/VERSION/CASE/
  model.ckpt-3.*, checkpoint   what three steps of training left
  observed.npz                 `predictions/KEY` after these; `losses` of four more steps, and `after/NAME`,
                               the variables after these
  observed.json                `metrics` and `tags` of the summaries
"""

import glob
import json
import os
import shutil
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

import canned_cases

tf.compat.v1.logging.set_verbosity("ERROR")
VERSION = "tf1" if tf.__version__.startswith("1.") else "tf2"


def record(case, out):
    model_dir = tempfile.mkdtemp()
    config = tf.estimator.RunConfig(tf_random_seed=1, save_summary_steps=1)
    model = canned_cases.build(case, tf.estimator, model_dir, config)
    model.train(canned_cases.input_fn(case, None), steps=3)
    os.makedirs(out)
    for path in glob.glob(model_dir + "/model.ckpt-3.*[0-9x]") + [model_dir + "/checkpoint"]:
        shutil.copy(path, out)
    with open(out + "/checkpoint", "w") as state:
        state.write('model_checkpoint_path: "model.ckpt-3"\n')
    observed = {}
    metrics = model.evaluate(canned_cases.input_fn(case, 1))
    predictions = list(model.predict(canned_cases.input_fn(case, 1)))
    for key in predictions[0]:
        name = "/".join(key) if isinstance(key, tuple) else key
        observed["predictions/" + name] = np.array([row[key] for row in predictions]).astype(
            "S" if predictions[0][key].dtype == object else predictions[0][key].dtype
        )
    model.train(canned_cases.input_fn(case, None), steps=4)
    reader = tf.train.load_checkpoint(model_dir)
    for name in reader.get_variable_to_shape_map():
        observed["after/" + name] = reader.get_tensor(name)
    losses, tags = summaries(model_dir)
    observed["losses"] = np.array([losses[step] for step in range(4, 8)])
    np.savez_compressed(out + "/observed.npz", **observed)
    with open(out + "/observed.json", "w") as file:
        metrics = {key: float(value) for key, value in metrics.items()}
        json.dump({"metrics": metrics, "tags": tags}, file, indent=1, sort_keys=True)
    shutil.rmtree(model_dir)


def summaries(model_dir):
    losses, tags = {}, set()
    for path in sorted(glob.glob(model_dir + "/events*")):
        for event in tf.compat.v1.train.summary_iterator(path):
            for value in event.summary.value:
                tags.add(value.tag)
                if value.tag == "loss" or value.tag.startswith("loss/clicked"):
                    losses[event.step] = value.simple_value
    return losses, sorted(tags)


if __name__ == "__main__":
    for name in sys.argv[2:] or sorted(canned_cases.CASES):
        if VERSION in canned_cases.CASES[name]:
            record(name, os.path.join(sys.argv[1], VERSION, name))
            print(VERSION, name)
