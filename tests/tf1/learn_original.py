"""Goes on with the training of a directory of `tf.contrib.learn`; runs under TensorFlow 1.15.5.

python learn_original.py CASE MODEL_DIR OBSERVED.json
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "learn"))

import learn_cases
import tensorflow as tf
from tensorflow.contrib import learn

tf.logging.set_verbosity(tf.logging.ERROR)
_, name, model_dir, path = sys.argv
model = learn_cases.CASES[name][0](learn, model_dir)
learn_cases.fit(model, name, 2)
with open(path, "w") as file:
    json.dump(learn_cases.plain(learn_cases.observe(learn, model, name)["results"]), file)
