"""Forges checkpoints, one for each seed, and reads them in every way; tells the seed before each.

    read_forged.py <directory> <first seed> <last seed>

The directory has an intact `model.ckpt-1` and `model.ckpt-2`, in the current format, and a copy of them in
the older format in its folder `v1`.
"""

from __future__ import annotations

import contextlib
import pathlib
import random
import resource
import shutil
import sys

import numpy as np
import tensorflow as tf

from forged_checkpoints import forge_index, forge_slice_file, forge_strings, forge_table
from keras_legacy_train import DamagedCheckpointError, framework
from keras_legacy_train.checkpoints import CheckpointManager, NamedVariables, SavedVariable
from keras_legacy_train.checkpoints.reading import find_damage
from keras_legacy_train.errors import CheckpointMismatchError

# What a process may take beyond what it has when all is loaded.
_SPARE_BYTES = 400 * 2**20


def forge(directory: pathlib.Path, chance: random.Random) -> tuple[pathlib.Path, str]:
    """Forges the newest checkpoint of a directory in one way; returns its prefix and what was done."""
    prefix = directory / "model.ckpt-2"
    index, data = directory / "model.ckpt-2.index", directory / "model.ckpt-2.data-00000-of-00001"
    if not index.exists():
        way = chance.choice([forge_slice_file, forge_slice_file, forge_table])
        return prefix, way(prefix, chance)
    kind = chance.randrange(8)
    if kind == 0:
        return prefix, forge_strings(index, data, chance)
    if kind == 1:
        return prefix, forge_table(index, chance)
    return prefix, forge_index(index, chance)


def read(directory: pathlib.Path, prefix: pathlib.Path) -> str:
    """Reads a forged checkpoint in every way; returns what the trainer makes of it."""
    is_damaged = find_damage(str(prefix)) is not None
    with contextlib.suppress(ValueError, tf.errors.OpError):
        reader = framework.load_checkpoint(str(prefix))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    with contextlib.suppress(ValueError):
        framework.list_variables(str(directory))
    w = tf.Variable(np.zeros([7, 2], np.float32))
    variables = [SavedVariable("w", w), SavedVariable("n", tf.Variable([b"", b""]))]
    variables += [
        SavedVariable("table", tf.Variable(tf.zeros([4, 2])), "7 2 0,4:0,2"),
        SavedVariable("table", tf.Variable(tf.zeros([3, 2])), "7 2 4,3:0,2"),
    ]
    manager = CheckpointManager(str(directory), NamedVariables(variables), max_to_keep=None)
    try:
        restored = manager.restore_latest()
    except CheckpointMismatchError:
        return "does not fit"
    except DamagedCheckpointError:
        return "all damaged"
    assert restored is not None and restored == str(prefix) if not is_damaged else restored.endswith("-1")
    assert w.numpy()[0, 0] in (1, 2)
    return "passed over" if is_damaged else "restored"


def main() -> None:
    source, first, last = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    find_damage(str(source / "model.ckpt-1"))  # loads what is loaded late
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _SPARE_BYTES,) * 2)
    directory = source.parent / f"forged-{first}"
    for seed in range(first, last):
        chance = random.Random(seed)
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(source / "v1" if chance.random() < 0.25 else source, directory)
        prefix, done = forge(directory, chance)
        print(seed, done, end=": ", flush=True)
        print(read(directory, prefix), flush=True)


if __name__ == "__main__":
    main()
