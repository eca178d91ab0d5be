"""Records what slim reads, trains and evaluates: python make_slim_golden.py

Runs under TensorFlow 1.15.5. Writes slim.json beside this script: what `slim_cases` observes.
"""
import io
import json
import os
import shutil
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import slim_cases

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slim.json")


def rounded(value):
    """Returns a value with six significant digits in each of its floats."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    return float("%.6g" % value) if isinstance(value, float) else value


def main():
    tf1, slim = tf.compat.v1, tf.contrib.slim
    root = tempfile.mkdtemp()
    records, losses = os.path.join(root, "train-00000.tfrecord"), []
    slim_cases.write_records(tf1, records)
    os.mkdir(root + "/train")
    seen = {"train": slim_cases.train(tf1, slim, records, root + "/train", losses)}
    seen["losses"] = losses
    checkpoint = tf.train.latest_checkpoint(root + "/train")
    seen["evaluate"] = slim_cases.evaluate(tf1, slim, records, checkpoint, root + "/eval")
    seen["decode"] = slim_cases.decode(tf1, slim)
    shutil.rmtree(root)
    with io.open(PATH, "w") as file:
        lines = ['"%s": %s' % (name, json.dumps(rounded(seen[name]), sort_keys=True)) for name in seen]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
