"""Records what the original Estimators do: run it by a Python with TensorFlow 1.15.5, then by one with 2.15.1.

    python make_estimator_golden.py
"""


import json
import os
import shutil
import tempfile

import estimator_cases
import tensorflow as tf

tf.compat.v1.logging.set_verbosity("INFO")
here = os.path.dirname(os.path.abspath(__file__))
name = "tf" + tf.__version__
checkpoint = os.path.join(here, name)
shutil.rmtree(checkpoint, ignore_errors=True)
estimator = tf.estimator if name.startswith("tf1") else tf.compat.v1.estimator
result = estimator_cases.record(estimator, tempfile.mkdtemp(), "tensorflow", checkpoint)
with open(os.path.join(here, name + ".json"), "w") as file:
    json.dump(result, file, indent=1, sort_keys=True)
    file.write("\n")
