"""Answers by a SavedModel, in a process that has nothing of the model but its files.

python examples/serve.py SAVED_MODEL INPUTS.npz OUTPUTS.npz
"""

from __future__ import annotations

import sys

import numpy as np
import tensorflow as tf


def main(saved_model: str, inputs_file: str, outputs_file: str) -> None:
    serve = tf.saved_model.load(saved_model).signatures["serving_default"]
    with np.load(inputs_file) as inputs:
        outputs = serve(**{name: tf.constant(inputs[name]) for name in inputs})
    np.savez(outputs_file, **{name: output.numpy() for name, output in outputs.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
