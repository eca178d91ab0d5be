"""Goes on with canned Estimators in the directories of another; runs under TensorFlow 1.15.5 or 2.15.1.

    python canned_original.py MODELS_DIR

Each folder in MODELS_DIR is the directory of the model of that name. It is evaluated, and trained for three
steps; MODELS_DIR/metrics.json gets the metrics.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))

import canned_cases
import tensorflow as tf

tf.compat.v1.logging.set_verbosity("ERROR")

models_dir = sys.argv[1]
metrics = {}
for case in sorted(os.listdir(models_dir)):
    model = canned_cases.build(case, tf.estimator, os.path.join(models_dir, case), tf.estimator.RunConfig())
    results = model.evaluate(canned_cases.input_fn(case, 1))
    metrics[case] = {key: float(value) for key, value in results.items()}
    model.train(canned_cases.input_fn(case, None), steps=3)
with open(os.path.join(models_dir, "metrics.json"), "w") as file:
    json.dump(metrics, file)
