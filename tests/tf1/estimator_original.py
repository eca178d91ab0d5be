"""Goes on with the training of an Estimator's directory; runs under the original's TensorFlow.

python estimator_original.py MODEL_DIR LOSSES.json
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "estimators"))

import estimator_cases
import tensorflow as tf

estimator = tf.estimator if tf.__version__.startswith("1.") else tf.compat.v1.estimator
_, model_dir, path = sys.argv
model = estimator_cases.make(estimator, model_dir, [])
model.evaluate(estimator_cases.evaluation_input)
losses = estimator_cases.train(model, max_steps=10)
with open(path, "w") as file:
    json.dump(losses, file)
