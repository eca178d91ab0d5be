"""Records what `tf.contrib.layers` does: python make_contrib_layer_golden.py

Runs under TensorFlow 1.15.5. Writes contrib_layers.json beside this script: what `contrib_layer_cases.observe`
sees of each case. Writes contrib_names.json, too: the public names of `tf.contrib.framework` and
`tf.contrib.layers`.
"""
import collections
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf
from tensorflow.contrib import framework, layers
from tensorflow.contrib.layers.python.layers import layers as all_layers

import contrib_layer_cases
from make_layer_golden import rounded

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, rows):
    """Writes a dict, each key on a line of its own."""
    with io.open(os.path.join(HERE, name), "w") as file:
        lines = ['"%s": %s' % (key, json.dumps(value, sort_keys=True)) for key, value in rows]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


def public_names(module):
    return " ".join(name for name in dir(module) if not name.startswith("_"))


def main():
    tf.logging.set_verbosity(tf.logging.ERROR)
    names = {"contrib.framework": public_names(framework), "contrib.layers": public_names(layers)}
    write("contrib_names.json", sorted(names.items()))
    layers.pool = all_layers.pool  # It has no name in the public module.
    seen = collections.OrderedDict()
    for name, build in contrib_layer_cases.CASES.items():
        kit = contrib_layer_cases.Kit(tf, layers, framework)
        seen[name] = rounded(contrib_layer_cases.observe(kit, build))
    write("contrib_layers.json", seen.items())


if __name__ == "__main__":
    main()
