"""Records what `tf.contrib.seq2seq` does: python make_seq2seq_golden.py

Runs under TensorFlow 1.15.5. Writes seq2seq.json beside this script: what `seq2seq_cases.observe` sees of each case.
"""
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import layer_cases
import seq2seq_cases
from make_layer_golden import rounded

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seq2seq.json")


def main():
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    seen = {}
    for name, build in seq2seq_cases.CASES.items():
        kit = layer_cases.Kit(tf.compat.v1, tf.compat.v1.layers, tf.compat.v1.nn.rnn_cell)
        kit.seq2seq = tf.contrib.seq2seq
        seen[name] = rounded(seq2seq_cases.observe(kit, build))
    with io.open(PATH, "w") as file:
        lines = ['"%s": %s' % (name, json.dumps(seen[name], sort_keys=True)) for name in seen]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
