"""Records what `tf.layers` and `tf.nn.rnn_cell` do: python make_layer_golden.py

Runs under TensorFlow 1.15.5. Writes layers.json beside this script: what `layer_cases.observe` sees of each case.
"""
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf

import layer_cases

tf.logging.set_verbosity(tf.logging.ERROR)
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.json")


def rounded(value):
    """Returns a value with six significant digits in each of its floats."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float("%.6g" % value) if isinstance(value, float) else value


def main():
    seen = {}
    for name, build in layer_cases.CASES.items():
        kit = layer_cases.Kit(tf, tf.layers, tf.nn.rnn_cell)
        seen[name] = rounded(layer_cases.observe(kit, build))
    with io.open(PATH, "w") as file:
        lines = ['"%s": %s' % (name, json.dumps(seen[name], sort_keys=True)) for name in seen]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
