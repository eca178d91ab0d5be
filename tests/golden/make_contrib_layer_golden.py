"""Records what `tf.contrib.layers` does: python make_contrib_layer_golden.py

Runs under TensorFlow 1.15.5. Writes contrib_layers.json beside this script: what `contrib_layer_cases.observe`
sees of each case.
"""
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf
from tensorflow.contrib import framework, layers
from tensorflow.contrib.layers.python.layers import layers as all_layers

import contrib_layer_cases
from make_layer_golden import rounded

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "contrib_layers.json")


def main():
    tf.logging.set_verbosity(tf.logging.ERROR)
    layers.pool = all_layers.pool  # It has no name in the public module.
    seen = {}
    for name, build in contrib_layer_cases.CASES.items():
        kit = contrib_layer_cases.Kit(tf, layers, framework)
        seen[name] = rounded(contrib_layer_cases.observe(kit, build))
    with io.open(PATH, "w") as file:
        lines = ['"%s": %s' % (name, json.dumps(seen[name], sort_keys=True)) for name in seen]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
