"""Records what the originals' Estimators export. Runs under TensorFlow 1.15.5, then under tensorflow 2.15.1:

    python make_export_golden.py estimator_export

It writes estimator_export/VERSION.json, and what was trained under 1.15: estimator_export/model/.
"""
import json
import os
import shutil
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf

import export_cases

if not hasattr(tf.estimator, "EstimatorSpec"):
    sys.exit("there is no original estimator here")
tf.logging.set_verbosity(tf.logging.ERROR)


def main(directory):
    vocabulary = os.path.join(directory, "colors.txt")
    model_dir = os.path.join(directory, "model")
    model_fn = export_cases.make_model_fn(tf.estimator, vocabulary)
    if tf.__version__.startswith("1."):
        if os.path.isdir(model_dir):
            shutil.rmtree(model_dir)
        os.makedirs(model_dir)
        with open(vocabulary, "w") as file:
            file.write("red\ngreen\nblue\n")
        trained = tempfile.mkdtemp()
        tf.estimator.Estimator(model_fn, trained).train(export_cases.input_fn, steps=3)
        for name in os.listdir(trained):
            if name == "checkpoint" or (name.startswith("model.ckpt-3.") and not name.endswith(".meta")):
                shutil.copy(os.path.join(trained, name), model_dir)
        with open(os.path.join(model_dir, "checkpoint"), "w") as file:
            file.write('model_checkpoint_path: "model.ckpt-3"\nall_model_checkpoint_paths: "model.ckpt-3"\n')
    model = tf.estimator.Estimator(model_fn, model_dir)
    recorded = {}
    for case in sorted(export_cases.CASES):
        path = export_cases.export(tf.estimator, model, case, tempfile.mkdtemp())
        recorded[case] = {"saved_model": export_cases.describe(path), "outputs": export_cases.serve(path)}
    version = ".".join(tf.__version__.split(".")[:2])
    with open(os.path.join(directory, version + ".json"), "w") as file:
        json.dump(recorded, file, sort_keys=True)


main(sys.argv[1])
