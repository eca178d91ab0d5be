"""Records what small modules of `tf.contrib` do: python make_room_golden.py

Runs under TensorFlow 1.15.5. Writes rooms.json beside this script: what `room_cases.observe` sees.
"""
import io
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import room_cases
from make_layer_golden import rounded

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    contrib = tf.contrib
    rooms = room_cases.Rooms(tf.compat.v1, contrib.opt, contrib.lookup, contrib.image)
    seen = rounded(room_cases.observe(rooms, os.path.join(HERE, "estimator_export", "colors.txt")))
    with io.open(os.path.join(HERE, "rooms.json"), "w") as file:
        lines = ['"%s": %s' % (name, json.dumps(seen[name], sort_keys=True)) for name in sorted(seen)]
        file.write(u"{\n" + u",\n".join(lines) + u"\n}\n")


if __name__ == "__main__":
    main()
