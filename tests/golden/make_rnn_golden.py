"""Records what `tf.contrib.rnn`, `legacy_seq2seq` and `crf` do: python make_rnn_golden.py

Runs under TensorFlow 1.15.5. Writes rnn.json beside this script: what `layer_cases.observe` sees of each case.
"""
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import layer_cases
import make_layer_golden
import rnn_cases

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rnn.json")
# Names of ops, and first values, which depend on seeds, are left out.
KEPT = ("shapes", "variables", "values", "gradients", "training", "trained")


def main():
    lines = []
    for name, build in rnn_cases.CASES.items():
        kit = rnn_cases.Kit(tf, tf.contrib.rnn, tf.contrib.legacy_seq2seq, tf.contrib.crf)
        seen = layer_cases.observe(kit, build)
        kept = make_layer_golden.rounded({key: seen[key] for key in KEPT})
        lines.append('"%s": %s' % (name, json.dumps(kept, sort_keys=True)))
    with io.open(PATH, "w") as file:
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
