"""Runs SavedModels in a process that has nothing but their files: `python exported_run.py DIRECTORY`.

In each folder of the directory it takes `model/`, the name of a `signature`, and `inputs.npz`, and writes
`outputs.npz`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

for case in Path(sys.argv[1]).iterdir():
    signature = tf.saved_model.load(str(case / "model")).signatures[(case / "signature").read_text()]
    with np.load(case / "inputs.npz") as arrays:
        results = signature(**{name: tf.constant(arrays[name]) for name in arrays})
    np.savez(case / "outputs.npz", **{name: result.numpy() for name, result in results.items()})
