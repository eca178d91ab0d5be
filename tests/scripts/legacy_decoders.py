"""Prints as JSON what decoders do with the behaviour of TensorFlow 1: legacy_decoders.py CASE…"""

import json
import sys
from pathlib import Path

import tensorflow as tf

from keras_legacy_train import rnn_cell, tf_layers
from keras_legacy_train.contrib import seq2seq

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import layer_cases
import seq2seq_cases

if __name__ == "__main__":
    tf.compat.v1.disable_v2_behavior()
    seen = {}
    for name in sys.argv[1:]:
        kit = layer_cases.Kit(tf.compat.v1, tf_layers, rnn_cell)
        kit.seq2seq = seq2seq
        seen[name] = seq2seq_cases.observe(kit, seq2seq_cases.CASES[name])
    print(json.dumps(seen))
