"""Records what train ops and buckets of `tf.contrib` do: python make_train_op_golden.py

Runs under TensorFlow 1.15.5. Writes train_ops.json beside this script: what `train_op_cases` observes.
"""
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import train_op_cases as cases

tf.compat.v1.logging.set_verbosity("ERROR")
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "train_ops.json")


def rounded(value):
    """Returns a value with six significant digits in each of its floats."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float("%.6g" % value) if isinstance(value, float) else value


def main():
    kit = cases.Kit(tf.compat.v1, tf.contrib.training, tf.contrib.slim.learning)
    seen = {name: cases.observe(kit, build) for name, build in cases.TRAIN_OPS.items()}
    seen["bucketed"] = cases.bucketed(kit)
    with io.open(PATH, "w") as file:
        lines = ['"%s": %s' % (name, json.dumps(rounded(seen[name]), sort_keys=True)) for name in seen]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
