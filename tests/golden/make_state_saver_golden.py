"""Records batches of sequences with states: python make_state_saver_golden.py

Runs under TensorFlow 1.15.5. Writes state_saver.json beside this script: what `state_saver_cases` observes.
"""
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import state_saver_cases as cases

tf.compat.v1.logging.set_verbosity("ERROR")
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "state_saver.json")


def observe(kit, case):
    """Returns what is seen when the last batch comes: TensorFlow 1 loses it now and then."""
    seen = cases.observe(kit, *case)
    return seen if len(seen["steps"]) == cases.BATCHES else observe(kit, case)


def main():
    kit = cases.Kit(tf.compat.v1, tf.contrib.training, tf.compat.v1.nn.rnn_cell)
    seen = {name: observe(kit, case) for name, case in cases.CASES.items()}
    with io.open(PATH, "w") as file:
        lines = ['"%s": %s' % (name, json.dumps(seen[name], sort_keys=True)) for name in seen]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
