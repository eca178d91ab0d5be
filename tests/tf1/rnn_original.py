"""Builds networks under TensorFlow 1.15.5: python rnn_original.py save|restore DIR CASE...

For each case, saves DIR/CASE.ckpt, or restores it, and writes the outputs to DIR/CASE.npz.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import rnn_cases


def main(action, directory, names):
    for name in names:
        with tf.Graph().as_default(), tf.Session() as session:
            kit = rnn_cases.Kit(tf, tf.contrib.rnn, tf.contrib.legacy_seq2seq, tf.contrib.crf)
            outputs = rnn_cases.CASES[name](kit)
            saver = tf.train.Saver()
            path = os.path.join(directory, name + ".ckpt")
            if action == "save":
                session.run(tf.global_variables_initializer())
                saver.save(session, path)
            else:
                saver.restore(session, path)
            np.savez(os.path.join(directory, name + ".npz"), *session.run(outputs, kit.feeds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
