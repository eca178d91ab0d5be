"""Records what `tf.contrib.losses` and `tf.contrib.metrics` do: python make_loss_golden.py

Runs under TensorFlow 1.15.5. Writes losses.json beside this script: what `loss_cases` observes of each case.
"""
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import loss_cases

tf.compat.v1.logging.set_verbosity("ERROR")
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "losses.json")


def rounded(value):
    """Returns a value with six significant digits in each of its floats."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float("%.6g" % value) if isinstance(value, float) else value


def main():
    kit = loss_cases.Kit(tf.compat.v1, tf.contrib.losses, tf.contrib.metrics)
    seen = {name: loss_cases.observe_loss(kit, build) for name, build in loss_cases.LOSSES.items()}
    for name, build in loss_cases.METRICS.items():
        seen[name] = loss_cases.observe_metric(kit, build)
    with io.open(PATH, "w") as file:
        lines = ['"%s": %s' % (name, json.dumps(rounded(seen[name]), sort_keys=True)) for name in seen]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
