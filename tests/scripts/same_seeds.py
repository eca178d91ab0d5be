"""Runs a script of TensorFlow 1 with the same seed for all random numbers, in TensorFlow 1 or by `run`.

    python same_seeds.py train.py --steps 3
    python same_seeds.py -m project.train

Python 3.7 with TensorFlow 1.15 reads this, too.
"""

import os
import random
import runpy
import sys

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import random_seed


def get_seed(op_seed):
    return 1, 1 if op_seed is None else op_seed


random.seed(0)
np.random.seed(0)
random_seed.get_seed = get_seed
arguments = sys.argv[1:]
if hasattr(tf, "contrib"):
    is_module = arguments[0] == "-m"
    sys.argv = arguments[is_module:]
    if is_module:
        sys.path[0] = os.getcwd()
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
        runpy.run_path(sys.argv[0], run_name="__main__")
else:
    from keras_legacy_train.command_line import run

    tf.compat.v1.get_seed = get_seed
    run.run(run.parse(arguments))
